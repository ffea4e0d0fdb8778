# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write and read the trust policies of roles for EKS Pod Identity. No boto3, no AnsibleModule.

AWS's own trust policy, with its conditions: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
"""

from __future__ import annotations

import json
import typing as t

from .._cluster.model import ClusterArn, arn_of
from .._core import validate
from .._core.plan import Refused

SERVICE = "pods.eks.amazonaws.com"
"""EKS Pod Identity's service principal, the same in every partition."""
ACTIONS = ("sts:AssumeRole", "sts:TagSession")
SCOPES = ("none", "account", "cluster", "service_account", "target_role")

DEFAULT_SIZE, LARGEST_SIZE = 2048, 4096
"""Characters of a trust policy that IAM takes (ACLSizePerRole), and those that it takes once the quota is raised."""

Cluster: t.TypeAlias = "t.Mapping[str, t.Any] | str"
Document = dict[str, t.Any]


def trust_policy(
    cluster: Cluster,
    scope: str = "account",
    *,
    namespace: str = "",
    service_account: str = "",
    disable_session_tags: bool = False,
    role_arn: str = "",
) -> Document:
    """Return the trust policy that lets Pod Identity in, as far as ``scope`` says.

    ``cluster`` is what eks_cluster_info returned, or a cluster's ARN. ``target_role`` is the trust of a role of another
    account, which the association's role ``role_arn`` assumes. Options that a scope doesn't need are ignored.
    """
    arn, pod = arn_of(cluster), (namespace or "", service_account or "")
    if scope == "target_role":
        return _target_document(arn, role_arn, pod, disable_session_tags)
    return _service_document(arn, scope or "account", pod, disable_session_tags)


def _service_document(arn: ClusterArn, scope: str, pod: tuple[str, str], disable_session_tags: bool) -> Document:
    _check_scope(scope)
    if scope == "service_account":
        return _document(_pod_statement(arn, pod, disable_session_tags))
    return _document(_service_statement(_source_condition(arn, scope)))


def _check_scope(scope: str) -> None:
    if scope not in SCOPES:
        raise Refused(f"scope is '{scope}', and the scopes of a trust are {', '.join(SCOPES)}.")


def external_id(cluster: ClusterArn, namespace: str, service_account: str) -> str:
    """Return the external ID that EKS sends to a target role when session tags are disabled."""
    return "/".join((cluster.region, cluster.account_id, cluster.name, namespace, service_account))


def _document(statement: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _service_statement(condition: Document) -> Document:
    statement: Document = {
        "Sid": "EksPodIdentity",
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": list(ACTIONS),
    }
    return {**statement, "Condition": condition} if condition else statement


def _source_condition(arn: ClusterArn, scope: str) -> Document:
    if scope == "none":
        return {}
    account = {"StringEquals": {"aws:SourceAccount": arn.account_id}}
    if scope == "account":
        clusters = f"arn:{arn.partition}:eks:*:{arn.account_id}:cluster/*"
        return {**account, "ArnLike": {"aws:SourceArn": clusters}}
    return {**account, "ArnEquals": {"aws:SourceArn": str(arn)}}


def _pod_statement(arn: ClusterArn, pod: tuple[str, str], disable_session_tags: bool) -> Document:
    if disable_session_tags:
        raise Refused(
            "scope service_account needs the session tags that disable_session_tags turns off:"
            " no pod would get the role. Take scope cluster, or leave session tags on."
        )
    condition = _source_condition(arn, "cluster")
    condition["StringEquals"].update(_request_tags(arn, _checked(pod, "scope service_account")))
    return _service_statement(condition)


def _target_document(arn: ClusterArn, role_arn: str, pod: tuple[str, str], disable_session_tags: bool) -> Document:
    role = validate.role_arn("role_arn", role_arn)
    if validate.account_of(role) != arn.account_id:
        raise Refused(
            f"role_arn {role} is not of account {arn.account_id}, where cluster {arn.name} is;"
            " an association takes a role of its cluster's account."
        )
    if disable_session_tags:
        checked = _checked(pod, "scope target_role with disable_session_tags")
        limits = {"sts:ExternalId": external_id(arn, *checked)}
    else:
        limits = _request_tags(arn, _checked(pod, "scope target_role") if any(pod) else pod)
    statement = {
        "Sid": "EksPodIdentityRole",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{arn.partition}:iam::{arn.account_id}:root"},
        "Action": list(ACTIONS),
        "Condition": {"ArnEquals": {"aws:PrincipalArn": role}, "StringEquals": limits},
    }
    return _document(statement)


def _checked(pod: tuple[str, str], why: str) -> tuple[str, str]:
    if not all(pod):
        raise Refused(f"{why} needs namespace and service_account.")
    return validate.namespace("namespace", pod[0]), validate.service_account("service_account", pod[1])


def _request_tags(arn: ClusterArn, pod: tuple[str, str]) -> dict[str, str]:
    tags = {"eks-cluster-arn": str(arn), "kubernetes-namespace": pod[0], "kubernetes-service-account": pod[1]}
    return {f"aws:RequestTag/{key}": value for key, value in tags.items() if value}


def read_document(trust: t.Any) -> Document:
    """Return a policy, given as a dictionary or as JSON, as a dictionary; ``Refused`` for what is no policy."""
    try:
        document = json.loads(trust) if isinstance(trust, str) else trust
    except ValueError as error:
        raise Refused(f"The trust policy is not JSON: {error}.") from None
    if not isinstance(document, t.Mapping) or not document.get("Statement"):
        raise Refused("The trust policy has no Statement.")
    return dict(document)


def statements(document: t.Mapping[str, t.Any]) -> list[t.Mapping[str, t.Any]]:
    """The statements of a policy; one alone may stand without a list."""
    raw = document.get("Statement") or []
    return list(raw) if isinstance(raw, list) else [raw]


def added(document: t.Mapping[str, t.Any], more: t.Mapping[str, t.Any]) -> Document:
    """``document`` with the statements of ``more``, each with a Sid that is free."""
    kept = statements(document)
    taken = {statement.get("Sid") for statement in kept}
    new = []
    for statement in statements(more):
        free = [f"{statement['Sid']}{number or ''}" for number in range(len(taken) + 1)] if "Sid" in statement else []
        sid = next((sid for sid in free if sid not in taken), "")
        new.append({**statement, "Sid": sid} if sid else statement)
    return {**document, "Statement": [*kept, *new]}


def size(document: t.Mapping[str, t.Any]) -> int:
    """The characters of ``document`` as IAM counts them: without white space."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def size_problem(role_arn: str, before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any], limit: int) -> str:
    """Why IAM wouldn't take ``after`` for the role; "" where it fits, and where it is no larger than ``before``."""
    needed = size(after)
    if needed <= limit or needed <= size(before):
        return ""
    return (
        f"The trust policy of role {role_arn} would have {needed} characters, and IAM takes {limit} (ACLSizePerRole,"
        f" which can be raised to {LARGEST_SIZE})"
    )
