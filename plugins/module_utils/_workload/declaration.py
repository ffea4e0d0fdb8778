# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a user declares to what the steps take: service accounts, roles, associations, expectations. Pure."""

from __future__ import annotations

import json
import re
import typing as t

from .._core.plan import Refused
from .._iam.roles_model import LONGEST_DESCRIPTION
from .._iam.trust_policy import trust_policy
from .._kubernetes.pods import ALL_KINDS, Owner
from .model import parse_workload

Item = t.Mapping[str, t.Any]
Accounts = t.Mapping[Owner, str]
"""The service account that each workload runs under, of those that are fit to have a role."""

OBJECT_KEYS = ("name", "namespace", *ALL_KINDS, "service_account")
CROSS_ACCOUNT_KEYS = ("target_role_arn", "disable_session_tags")
"""Of the association; one that isn't given is left as it is."""
ENTRY_SPEC: dict[str, dict[str, t.Any]] = {
    **{key: {"type": "str"} for key in OBJECT_KEYS},
    "namespace": {"type": "str", "required": True},
    "role_name": {"type": "str"},
    "role_arn": {"type": "str"},
    "policy": {"type": "raw"},
    "managed_policies": {"type": "list", "elements": "str"},
    "trust": {"type": "str"},
    "allowed": {"type": "raw"},
    "target_role_arn": {"type": "str"},
    "disable_session_tags": {"type": "bool"},
    "optional": {"type": "bool", "default": False},
}
"""The schema of an entry; M(pod_identity_declaration_info) documents it."""
KEYS = tuple(ENTRY_SPEC)
SCOPES = ("none", "account", "cluster", "service_account")
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}")
ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+")
EXAMPLE = "[{name: orders, namespace: shop, deployment: orders, role_name: shop-orders}]"


def entries(given: t.Any) -> list[Item]:
    """``given`` as a list of entries: a single one is a list of one. ``Refused`` for anything else."""
    items = [given] if isinstance(given, t.Mapping) else given or []
    wrong = [item for item in items if not isinstance(item, t.Mapping)] if isinstance(items, (list, tuple)) else [items]
    if wrong:
        raise Refused(
            f"pod_identity_workloads has {_kind(wrong[0])} where a workload should be. It has to be a list of"
            f" workloads, for example {EXAMPLE}"
        )
    return list(items)


def checked(given: t.Any) -> list[Item]:
    """The entries of a declaration; ``Refused`` with all that is wrong with them."""
    declared = entries(given)
    if wrong := problems(declared):
        raise Refused(f"{'. '.join(wrong)}.")
    return declared


def problems(declared: t.Sequence[Item]) -> list[str]:
    """Everything wrong with ``declared`` that can be known without a call; one sentence each."""
    found = [problem for item in declared for problem in _problems_of(item)]
    if not found:
        found += _doubles(declared)
    return found


def _problems_of(item: Item) -> t.Iterator[str]:
    label = f"Workload {item.get('name') or 'without a name'}"
    if wrong := [f"{label}: {problem}" for problem in _type_problems(item)]:
        yield from wrong
        return
    try:
        parse_workload(item)
    except Refused as error:
        yield f"Workload {error}"
    if unknown := sorted(set(item) - set(KEYS)):
        yield f"{label}: unknown key {', '.join(unknown)}; the keys are {', '.join(KEYS)}"
    yield from (f"{label}: {problem}" for problem in (*_role_problems(item), *_policy_problems(item)))


def _type_problems(item: Item) -> t.Iterator[str]:
    for key, spec in ENTRY_SPEC.items():
        value = item.get(key)
        if spec["type"] == "str" and value is not None and not isinstance(value, str):
            yield f"{key} has to be text, and is {_kind(value)}"


def _kind(value: t.Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return kinds.get(type(value), "a dictionary")


def _role_problems(item: Item) -> t.Iterator[str]:
    name, arn = item.get("role_name"), item.get("role_arn")
    if bool(name) == bool(arn):
        yield "give either role_name, for a role to make, or role_arn, for one that exists"
    if name and not ROLE_NAME.fullmatch(name):
        yield f"role_name {name} is not a name that IAM takes (1 to 64 letters, digits and +=,.@_-)"
    if arn and not ROLE_ARN.fullmatch(arn):
        yield f"role_arn {arn} is not the ARN of an IAM role (arn:PARTITION:iam::ACCOUNT:role/NAME)"
    if (target := item.get("target_role_arn")) and not ROLE_ARN.fullmatch(target):
        yield f"target_role_arn {target} is not the ARN of an IAM role (arn:PARTITION:iam::ACCOUNT:role/NAME)"
    if item.get("trust") and item["trust"] not in SCOPES:
        yield f"trust {item['trust']} is not one of {', '.join(SCOPES)}"


def _policy_problems(item: Item) -> t.Iterator[str]:
    if item.get("role_arn") and (item.get("policy") or item.get("managed_policies")):
        yield "policy and managed_policies belong to a role that is made here; with role_arn, keep them with the role"
    try:
        policy = policy_document(item.get("policy"))
    except ValueError as error:
        yield f"policy is not JSON: {error}"
        return
    if policy and not (isinstance(policy, dict) and policy.get("Statement")):
        yield "policy is not an IAM policy document: Statement is missing"


def _doubles(declared: t.Sequence[Item]) -> t.Iterator[str]:
    seen: dict[t.Any, str] = {}
    for item in declared:
        workload = parse_workload(item)
        if workload.owner in seen:
            yield f"Workload {workload.name}: {workload.owner} is declared twice, as {seen[workload.owner]} too"
        seen[workload.owner] = workload.name


def policy_document(policy: t.Any) -> t.Any:
    """A policy given as a dictionary or as JSON text, as data; None for none. Raises ValueError."""
    return json.loads(policy) if isinstance(policy, str) and policy.strip() else policy or None


def objects(declared: t.Sequence[Item]) -> list[dict[str, t.Any]]:
    """What names the objects of ``declared``, as pod_identity_workload_info takes it, in the same order."""
    return [_object(item) for item in declared]


def _object(item: Item) -> dict[str, t.Any]:
    return {key: item[key] for key in OBJECT_KEYS if item.get(key)}


def owner(item: Item) -> Owner:
    """The object that an entry names."""
    return parse_workload(item).owner


def resolved(declared: t.Sequence[Item], accounts: Accounts, cluster: Item, path: str = "/") -> list[dict[str, t.Any]]:
    """Those of ``declared`` that ``accounts`` has, with their service account and the ARN of their role."""
    return [
        {
            **_object(item),
            "name": item.get("name") or owner(item).name,
            "service_account": accounts[owner(item)],
            "role_name": item.get("role_name") or None,
            "role_arn": _role_of(item, cluster, path),
            "policy": policy_document(item.get("policy")),
            "managed_policies": [policy_arn(policy, cluster) for policy in item.get("managed_policies") or ()],
            "trust": item.get("trust") or None,
            "allowed": item.get("allowed") or None,
            **{key: None if item.get(key) == "" else item.get(key) for key in CROSS_ACCOUNT_KEYS},
        }
        for item in declared
        if owner(item) in accounts
    ]


def _role_of(item: Item, cluster: Item, path: str) -> str:
    """ARN of the role that is named, or of the one to make."""
    return item.get("role_arn") or role_arn(item["role_name"], cluster, path)


def role_arn(name: str, cluster: Item, path: str = "/") -> str:
    """ARN of the role ``name`` in the cluster's account and partition."""
    middle = f"/{path.strip('/')}/".replace("//", "/")
    return f"arn:{cluster['partition']}:iam::{cluster['account_id']}:role{middle}{name}"


def policy_arn(policy: str, cluster: Item) -> str:
    """ARN of a managed policy that is given by its name or ARN."""
    return policy if policy.startswith("arn:") else f"arn:{cluster['partition']}:iam::aws:policy/{policy}"


def expected(declared: t.Sequence[Item], cluster: Item, path: str = "/") -> list[dict[str, t.Any]]:
    """The workloads that pod_identity_workload_info takes, in the order of ``declared``: objects, roles and checks."""
    return [
        {
            **_object(item),
            "role_arn": _role_of(item, cluster, path),
            **({"allowed": item["allowed"]} if item.get("allowed") else {}),
            **({"optional": True} if item.get("optional") else {}),
        }
        for item in declared
    ]


def roles(workloads: t.Sequence[Item], cluster: Item, scope: str = "account") -> list[dict[str, t.Any]]:
    """The IAM roles to make for resolved ``workloads``: each once, with all that its workloads ask of it.

    Raises Refused where two workloads that share a role ask for different policies or trusts.
    """
    made: dict[str, list[Item]] = {}
    for item in workloads:
        if item["role_name"]:
            made.setdefault(item["role_name"], []).append(item)
    return [_role(name, sharers, cluster, scope) for name, sharers in made.items()]


def _role(name: str, sharers: t.Sequence[Item], cluster: Item, scope: str) -> dict[str, t.Any]:
    for key in ("policy", "managed_policies", "trust"):
        if any(item[key] != sharers[0][key] for item in sharers):
            names = " and ".join(item["name"] for item in sharers)
            raise Refused(
                f"Workloads {names} share role {name} with a different {key}; give them the same, or two roles"
            )
    return {
        "role_name": name,
        "policy": sharers[0]["policy"],
        "managed_policies": sharers[0]["managed_policies"],
        "trust_policy": _trust(sharers, cluster, sharers[0]["trust"] or scope),
        "service_accounts": _service_accounts(sharers, cluster),
        "description": f"EKS Pod Identity of {', '.join(item['name'] for item in sharers)}"[:LONGEST_DESCRIPTION],
    }


def _service_accounts(sharers: t.Sequence[Item], cluster: Item) -> list[dict[str, t.Any]]:
    """Whom the role is for, each once: if it is somebody else's, it is opened for them alone."""
    accounts = {
        (item["namespace"], item["service_account"]): {
            "cluster_arn": cluster["arn"],
            "namespace": item["namespace"],
            "service_account": item["service_account"],
            "session_tags": not item["disable_session_tags"],
        }
        for item in sharers
    }
    return list(accounts.values())


def _trust(sharers: t.Sequence[Item], cluster: Item, scope: str) -> dict[str, t.Any]:
    """One statement for all sharers, or one for each in the scope of a service account."""
    accounts = dict.fromkeys((item["namespace"], item["service_account"]) for item in sharers)
    untagged = any(item["disable_session_tags"] for item in sharers)
    documents = [
        trust_policy(cluster, scope, namespace=space, service_account=name, disable_session_tags=untagged)
        for space, name in accounts
    ]
    statements = documents[0]["Statement"]
    if scope == "service_account":
        statements = [
            {**statement, "Sid": f"{statement.get('Sid', 'PodIdentity')}{number}" if number else statement["Sid"]}
            for number, document in enumerate(documents)
            for statement in document["Statement"]
        ]
    return {**documents[0], "Statement": statements}


def associations(workloads: t.Sequence[Item], tags: Item | None = None) -> list[dict[str, t.Any]]:
    """What enbuild.eks.pod_identity_associations takes for resolved ``workloads``: one entry for each service account.

    Raises Refused where two workloads under one service account should have different roles.
    """
    made: dict[tuple[str, str], Item] = {}
    for item in workloads:
        first = made.setdefault((item["namespace"], item["service_account"]), item)
        if any(first[key] != item[key] for key in ("role_arn", *CROSS_ACCOUNT_KEYS)):
            raise Refused(
                f"Workloads {first['name']} and {item['name']} run under one service account, "
                f"{item['namespace']}/{item['service_account']}, and it can have one role only; "
                "give one of them a service account of its own"
            )
    given = {"tags": dict(tags), "purge_tags": False} if tags else {}
    return [{**_association(item), **given} for item in made.values()]


def _association(item: Item) -> dict[str, t.Any]:
    words = {key: item[key] for key in ("namespace", "service_account", "role_arn")}
    return {**words, **{key: item[key] for key in CROSS_ACCOUNT_KEYS if item[key] is not None}}
