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
"""Of IAM: harmless on every role of the account, and diagnose has to read roles that nobody named."""
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
    """Return the policy that grants ``permissions``, made with the cluster of ``place``, and nothing else."""
    wanted = list(permissions)
    roles = sorted({_resource(each, place) for each in wanted if _changes_role(each)})
    actions: dict[tuple[tuple[str, ...], str], set[str]] = defaultdict(set)
    for each in wanted:
        resources = tuple(roles) if _changes_role(each) else (_resource(each, place),)
        actions[resources, _condition(each["action"], wanted, place)].add(each["action"])
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(*about, found) for about, found in sorted(actions.items())],
    }


def _changes_role(permission: Wanted) -> bool:
    return ":role/" in permission["resource"] and not permission["action"].startswith(READING)


def _condition(action: str, wanted: t.Iterable[Wanted], place: Place) -> str:
    """The condition of a statement on ``action``, as JSON."""
    if action not in CONDITIONS:
        return ""
    operator, key = CONDITIONS[action]
    values = {each["context"][key] for each in wanted if each["action"] == action}
    return json.dumps({operator: {key: sorted(_placed(value, place) for value in values)}})


def _statement(resources: tuple[str, ...], condition: str, actions: set[str]) -> Document:
    kind = SIDS[resources[0].split(":")[-1].split("/")[0]]
    sid = f"{'Any' if resources[0].endswith(':role/*') else ''}{kind}"
    if condition:
        sid = "".join(sorted(action.split(":")[1] for action in actions))
    found = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return {**found, "Condition": json.loads(condition)} if condition else found


def _resource(permission: Wanted, place: Place) -> str:
    arn = _placed(permission["resource"], place)
    if ":role/" in arn and permission["action"].startswith(READING):
        return re.sub(r":role/.*", ":role/*", arn)
    return arn


def _placed(arn: str, place: Place) -> str:
    """``arn`` with placeholders, and wildcards for what only AWS can name; anything else as it is."""
    if not arn.startswith("arn:"):
        return arn
    _arn, _partition, service, region, account, path = arn.split(":", 5)
    owner = PLACEHOLDERS.account_id if account == place.account_id else account
    where = PLACEHOLDERS.region if region else ""
    return ":".join(("arn", PLACEHOLDERS.partition, service, where, owner, _path(path, account, place)))


def _path(path: str, account: str, place: Place) -> str:
    kind, *rest = path.split("/")
    if kind == "policy" and account == place.account_id:
        return "policy/*"
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
        for verb, names in sorted(by_verb.items()):
            by_names[tuple(sorted(names - {""}))].append(verb)
        for names, same in by_names.items():
            alike[group, tuple(same), names].add(resource)
    return [
        {
            "apiGroups": [group],
            "resources": sorted(resources),
            **({"resourceNames": list(names)} if names else {}),
            "verbs": list(same),
        }
        for (group, same, names), resources in sorted(alike.items(), key=lambda item: (item[0][0], sorted(item[1])))
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
    """The text of an RBAC file."""
    return HEADER + yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, explicit_start=True, width=120)


class _Plain(yaml.SafeDumper):
    """Writes no anchors: what is equal isn't the same by intent."""

    def ignore_aliases(self, data: t.Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their key, as everywhere in the collection."""
        super().increase_indent(flow, False)
