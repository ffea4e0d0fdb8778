# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least that a playbook's operator needs, from the calls that it made: an IAM policy and Kubernetes RBAC. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass

import yaml

Document = dict[str, t.Any]
Wanted: t.TypeAlias = "t.Mapping[str, t.Any]"
"""A permission of the emulator's log: action, resource, context."""

HEADER = "# Written by `make permissions` from what the playbook called; docs/permissions.md tells what to put in.\n"
READING = ("iam:Get", "iam:List")
"""Of IAM: harmless on every role and policy, and diagnose has to read those that nobody named."""
CONDITIONS = {
    "iam:PassRole": ("StringEquals", "iam:PassedToService"),
    "iam:AttachRolePolicy": ("ArnEquals", "iam:PolicyARN"),
    "iam:DetachRolePolicy": ("ArnEquals", "iam:PolicyARN"),
}
"""What narrows an action that would otherwise hand out any permission."""
SIDS = {
    "cluster": "Cluster",
    "addon": "AddOn",
    "podidentityassociation": "Associations",
    "policy": "Policies",
    "role": "Roles",
    "*": "Account",
}
UNNAMED = frozenset({"create", "list", "watch", "deletecollection"})
"""Verbs of requests that RBAC can't restrict to names."""


@dataclass(frozen=True)
class Place:
    """What the ARNs of one cluster are made of."""

    partition: str
    region: str
    account_id: str
    cluster_name: str


PLACEHOLDERS = Place("PARTITION", "REGION", "ACCOUNT_ID", "CLUSTER_NAME")
"""What the files have in place of it."""


def filled_in(text: str, place: Place) -> str:
    """``text`` of a file with a real place in it."""
    for name, value in vars(place).items():
        text = text.replace(getattr(PLACEHOLDERS, name), value)
    return text


def iam_policy(permissions: t.Iterable[Wanted], place: Place) -> Document:
    """Return the policy that grants ``permissions``, made with the cluster of ``place``, and nothing else.

    Actions on one kind of thing share its resources: a role is to be made, filled and passed, whichever the calls did.
    """
    wanted = list(permissions)
    resources: dict[str, set[str]] = defaultdict(set)
    actions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in wanted:
        resource = _resource(each, place)
        resources[_kind(resource)].add(resource)
        actions[_kind(resource), each["action"] if each["action"] in CONDITIONS else ""].add(each["action"])
    statements = [
        {
            "Sid": limited.partition(":")[2] or kind,
            "Effect": "Allow",
            "Action": sorted(found),
            "Resource": sorted(resources[kind]),
            **(_condition(limited, wanted, place) if limited else {}),
        }
        for (kind, limited), found in sorted(actions.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _kind(resource: str) -> str:
    kind, *rest = resource.split(":")[-1].split("/")
    return f"{'Any' if rest[:1] == ['*'] else ''}{SIDS[kind]}"


def _condition(action: str, wanted: t.Iterable[Wanted], place: Place) -> Document:
    operator, key = CONDITIONS[action]
    values = {_placed(each["context"][key], place) for each in wanted if each["action"] == action}
    return {"Condition": {operator: {key: sorted(values)}}}


def _resource(permission: Wanted, place: Place) -> str:
    arn = _placed(permission["resource"], place)
    return re.sub("/.*", "/*", arn) if permission["action"].startswith(READING) else arn


def _placed(arn: str, place: Place) -> str:
    """``arn`` with placeholders, and wildcards for what only AWS can name; anything else as it is."""
    if not arn.startswith("arn:"):
        return arn
    _arn, _partition, service, region, account, path = arn.split(":", 5)
    owner = PLACEHOLDERS.account_id if account == place.account_id else account
    where = PLACEHOLDERS.region if region else ""
    return ":".join(("arn", PLACEHOLDERS.partition, service, where, owner, _path(path, place)))


def _path(path: str, place: Place) -> str:
    kind, *rest = path.split("/")
    if kind not in ("cluster", "addon", "podidentityassociation"):
        return path
    cluster = PLACEHOLDERS.cluster_name if rest[0] == place.cluster_name else "*"
    return "/".join((kind, cluster, *rest[1:-1], *(["*"] if rest[1:] else [])))


class Request(t.NamedTuple):
    """A request to the API server, as RBAC sees it; ``namespace`` is "" for the whole cluster."""

    group: str
    resource: str
    """With its subresource: ``serviceaccounts/token``."""
    verb: str
    namespace: str
    name: str


def requests(events: t.Iterable[Document]) -> set[Request]:
    """Return what the audited ``events`` asked for; what everybody may ask, such as the API's version, is left out."""
    found = set()
    for event in events:
        about = event.get("objectRef", {})
        if about and about.get("apiGroup") != "authorization.k8s.io":
            found.add(_request(event["verb"], about))
    return found


def _request(verb: str, about: Document) -> Request:
    resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
    named = verb not in UNNAMED or "subresource" in about
    return Request(
        about.get("apiGroup", ""),
        resource,
        verb,
        "" if resource == "namespaces" else about.get("namespace", ""),
        about.get("name", "") if named else "",
    )


@dataclass(frozen=True)
class Scope:
    """How far a playbook's Kubernetes permissions reach beyond what was called."""

    whole_cluster: bool = False
    """It looks into every namespace that there is."""
    named: frozenset[str] = frozenset({"serviceaccounts/token"})
    """Resources that are granted by name, for their names are known in advance."""

    def widened(self, request: Request) -> Request:
        """``request``, without the namespace and the name that the next run may not share."""
        space = "" if self.whole_cluster else request.namespace
        return request._replace(namespace=space, name=request.name if space and request.resource in self.named else "")


def rbac(operator: str, wanted: t.Iterable[Request], scope: Scope) -> list[Document]:
    """Return the objects that grant ``wanted`` to the Kubernetes group ``operator``, and nothing else."""
    widened = {scope.widened(request) for request in wanted}
    found = {request for request in widened if not _granted_anyway(request, widened)}
    documents: list[Document] = []
    for space in sorted({request.namespace for request in found}):
        rules = _rules([request for request in found if request.namespace == space])
        documents += _role(operator, space, rules)
    return documents + _admission(operator, {request.resource for request in found if request.verb == "create"})


def _granted_anyway(request: Request, wanted: set[Request]) -> bool:
    wider = {request._replace(namespace="", name=""), request._replace(name="")} - {request}
    return bool(wider & wanted)


def _rules(wanted: t.Iterable[Request]) -> list[Document]:
    """The fewest rules, in an order that depends on what they say alone."""
    verbs: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for request in wanted:
        verbs[request.group, request.resource][request.verb].add(request.name)
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...]], set[str]] = defaultdict(set)
    for (group, resource), by_verb in verbs.items():
        by_names: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for verb, found in sorted(by_verb.items()):
            by_names[tuple(sorted(found - {""}))].append(verb)
        for names, same in by_names.items():
            alike[group, tuple(same), names].add(resource)
    return [
        {
            "apiGroups": [group],
            "resources": resources,
            **({"resourceNames": list(names)} if names else {}),
            "verbs": list(same),
        }
        for group, resources, names, same in sorted(
            (group, sorted(resources), names, same) for (group, same, names), resources in alike.items()
        )
    ]


def _role(operator: str, space: str, rules: list[Document]) -> list[Document]:
    kind = "Role" if space else "ClusterRole"
    metadata = {"name": operator, **({"namespace": space} if space else {})}
    api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    group = "rbac.authorization.k8s.io"
    return [
        {**api, "kind": kind, "metadata": metadata, "rules": rules},
        {
            **api,
            "kind": f"{kind}Binding",
            "metadata": dict(metadata),
            "roleRef": {"apiGroup": group, "kind": kind, "name": operator},
            "subjects": [{"apiGroup": group, "kind": "Group", "name": operator}],
        },
    ]


LIMITS = {
    "pods": {
        "expression": "request.resource.resource != 'pods' || (has(request.dryRun) && request.dryRun)",
        "message": "may create pods as a dry run only",
    },
    "serviceaccounts/token": {
        "expression": "request.resource.resource != 'serviceaccounts' || "
        "object.spec.audiences == ['pods.eks.amazonaws.com']",
        "message": "may make tokens for pods.eks.amazonaws.com only",
    },
}
"""What RBAC can't say: a proof creates no pod, and its tokens are good for nothing but EKS Auth."""


def _admission(operator: str, created: set[str]) -> list[Document]:
    limited = sorted(created & set(LIMITS))
    if not limited:
        return []
    api = {"apiVersion": "admissionregistration.k8s.io/v1"}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": limited}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "operator", "expression": f"'{operator}' in request.userInfo.groups"}],
        "validations": [{**LIMITS[each], "message": f"{operator} {LIMITS[each]['message']}"} for each in limited],
    }
    binding = {"policyName": operator, "validationActions": ["Deny"]}
    return [
        {**api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": operator}, "spec": spec},
        {**api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": operator}, "spec": binding},
    ]


def as_json(policy: Document) -> str:
    """The text of an IAM policy's file."""
    return json.dumps(policy, indent=2) + "\n"


def as_yaml(documents: t.Iterable[Document]) -> str:
    """The text of an RBAC file: one List, for sanity's yamllint takes no file of several documents."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
    return HEADER + yaml.dump(items, Dumper=_Plain, sort_keys=False, explicit_start=True, width=120)


class _Plain(yaml.SafeDumper):
    """Writes no anchors: what is equal isn't the same by intent."""

    def ignore_aliases(self, data: t.Any) -> bool:
        return True

    def represent_sequence(self, tag: str, sequence: t.Any, flow_style: bool | None = None) -> t.Any:
        """Write lists of words on one line."""
        return super().represent_sequence(tag, sequence, flow_style=all(isinstance(each, str) for each in sequence))

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their key, as everywhere in the collection."""
        super().increase_indent(flow, False)
