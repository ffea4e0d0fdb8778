# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of a migration, and what else there is to know of it. Pure."""

from __future__ import annotations

import typing as t

from .._core.text import clean
from .._iam.irsa_trust import irsa_problem
from .._iam.trust_edit import irsa_statements, pod_identity_problem, provider_of, with_pod_identity, without_irsa
from .._iam.trust_policy import Document, size_problem
from .._identity.findings.declared import IRSA_ANNOTATION
from .._kubernetes.pods import ALL_KINDS
from . import forecast
from .model import ADDON_MANAGER, ANNOTATION_PATH, NETWORK_PATH, Account, Desired, holder, managers

OF_AWS = ("/aws-service-role/", "/aws-reserved/")
"""Paths of roles whose trust is AWS's own."""


def skipped(account: Account, role_arn: str, target: str) -> str:
    """Why this service account is left as it is."""
    owner = str(account.bound.get("owner_arn") or "")
    if owner or ADDON_MANAGER in managers(account.object, ANNOTATION_PATH):
        return (
            f"Service account {account} belongs to an add-on of EKS: give the add-on its association instead "
            "(pod_identity_associations of enbuild.eks.eks_addon)"
        )
    if account.claimed and not (account.by_irsa or account.declared or account.bound):
        return (
            f"Service account {account} says that it had role {clean(account.claimed)!r} by IRSA, and no association"
            " says so: nothing is brought back on its word"
        )
    if target and not role_arn:
        return (
            f"Role {target} belongs to another account, and an association takes a role of the cluster's: name the one "
            "by which it is reached in pod_identity_migrate_targets"
        )
    return ""


def problem(account: Account, desired: Desired, role_arn: str, target: str) -> str:
    """What keeps it from being migrated."""
    return (
        _problem_of_declaration(account, role_arn)
        or _problem_of_association(account, role_arn, target)
        or _problem_of_role(account, role_arn)
        or _problem_of_annotation(account, desired, target)
        or _problem_of_trust(account, desired, role_arn)
    )


def _problem_of_association(account: Account, role_arn: str, target: str) -> str:
    found, behind = account.bound.get("role_arn"), account.bound.get("target_role_arn") or ""
    if not account.bound or (found, behind) == (role_arn, target):
        return ""
    if found != role_arn:
        return (
            f"Service account {account} has an association with role {found} already, and {role_arn} is what it has "
            "otherwise: pods that are created now get the former; make the two agree"
        )
    return f"The association of {account} has the target role {behind or 'none'} instead of {target or 'none'}"


def _problem_of_declaration(account: Account, role_arn: str) -> str:
    if not account.object:
        return f"Service account {account} doesn't exist"
    if account.annotated and not account.annotation:
        named = repr(clean(account.annotated))
        return f"The annotation {IRSA_ANNOTATION} of service account {account} is {named}, and not an IAM role's ARN"
    if account.by_irsa:
        return ""
    if len({item["role_arn"] for item in account.declared}) > 1:
        return f"Workloads under service account {account} are declared with different roles, and it can have one only"
    if account.name == "default" and any(item.get(kind) for item in account.declared for kind in ALL_KINDS):
        return (
            f"Workloads run under the service account {account}: a role for it would go to every pod of the namespace"
        )
    return "" if role_arn else f"No role is known for service account {account}"


def _problem_of_role(account: Account, role_arn: str) -> str:
    role = account.role
    if account.is_made or role is None:
        return ""
    if role.exists is None:
        return f"Role {role_arn} can't be read; allow GetRole to the caller"
    if not role.exists:
        return f"Role {role_arn}, of service account {account}, doesn't exist"
    if any(path in role_arn for path in OF_AWS):
        return f"The trust policy of role {role_arn} is AWS's own and can't be changed; give {account} another role"
    return ""


def _problem_of_annotation(account: Account, desired: Desired, target: str) -> str:
    """Why nobody but the owner of its namespace says that it is to have the role that its annotation names."""
    named = account.annotation
    if not named or _decided(account, named):
        return ""
    if target:
        if str(account) in desired.targets[target].service_accounts:
            return ""
        return (
            f"Service account {account} is annotated with role {named} of another account, whose trust policy can't be"
            " read from here: where that account lets it in, name it in service_accounts of that role in"
            " pod_identity_migrate_targets"
        )
    reason = irsa_problem(account.trust, provider_of(desired.cluster), account.place, account.audience)
    return (
        f"Service account {account} is annotated with role {named}, and that role doesn't let it in by IRSA. {reason}"
        if reason
        else ""
    )


def _decided(account: Account, named: str) -> bool:
    """Whether the user declared that role for it, or an association gives it already."""
    roles = {account.bound.get("role_arn"), account.bound.get("target_role_arn")}
    return named in roles or any(item.get("role_arn") == named for item in account.declared)


def _problem_of_trust(account: Account, desired: Desired, role_arn: str) -> str:
    if account.is_made or account.role is None:
        return ""
    if not desired.session_tags and desired.scope == "service_account":
        return (
            f"Without session tags role {role_arn} can't be opened for service account {account} alone: set"
            " pod_identity_migrate_trust to cluster, which opens it for every service account of the cluster"
        )
    after = opened(account, desired)
    return (
        pod_identity_problem(after, desired.cluster["arn"], account.place, desired.session_tags)
        or too_large(role_arn, account.trust, after, desired)
        or forecast.problem(account, desired, role_arn)
    )


def too_large(role_arn: str, before: Document, after: Document, desired: Desired) -> str:
    """Why IAM wouldn't take the trust policy that Pod Identity is let in by, and the way out."""
    found = size_problem(role_arn, before, after, desired.trust_size)
    return (
        f"{found}: raise the quota and set pod_identity_migrate_trust_size, open the role wider with"
        " pod_identity_migrate_trust (cluster), or leave service accounts out with pod_identity_migrate_exclude"
        if found
        else ""
    )


def warnings(account: Account, desired: Desired) -> list[str]:
    """What else there is to know."""
    return [
        *_held(account, desired),
        *_declared_otherwise(account),
        *_still_let_in(account, desired),
        *_not_restarted(account),
        *forecast.warnings(account),
    ]


def _held(account: Account, desired: Desired) -> t.Iterator[str]:
    if account.annotation and (keeper := holder(account.object, ANNOTATION_PATH)):
        yield f"{keeper} holds the annotation of {account}: take it out there too, or it comes back"
    for each in account.on_host_network if desired.host_network else ():
        if keeper := holder(each.object, NETWORK_PATH):
            yield f"{keeper} holds hostNetwork of {each.owner}: take it out there too, or it comes back"


def _declared_otherwise(account: Account) -> t.Iterator[str]:
    for item in account.declared if account.by_irsa else ():
        if item["role_arn"] != account.by_irsa:
            yield f"{item['name']} is declared with role {item['role_arn']} and keeps {account.by_irsa}: declare that"


def _still_let_in(account: Account, desired: Desired) -> t.Iterator[str]:
    if account.irsa_role:
        for label in irsa_statements(without(account, desired), provider_of(desired.cluster), account.place):
            yield f"The trust policy of role {account.irsa_role} lets {account} in by {label}, too, which stays"


def _not_restarted(account: Account) -> t.Iterator[str]:
    for pod in account.stale:
        if pod.owner.kind == "Pod":
            yield f"Pod {pod.namespace}/{pod.name} has no owner that could be restarted: create it again"
        elif pod.owner.kind == "Job":
            yield f"{pod.owner} ends as it began; its next run gets Pod Identity"
    for each in account.workloads:
        if each.held and each.owner in {pod.owner for pod in account.stale}:
            yield f"{each.owner} {each.held}: it isn't restarted, and its pods keep the old way"


def without(account: Account, desired: Desired) -> Document:
    """The trust policy that its role is to have in the end: without what lets it in by IRSA."""
    return without_irsa(opened(account, desired), provider_of(desired.cluster), [account.place])


def opened(account: Account, desired: Desired) -> Document:
    """The trust policy of its role, once Pod Identity is let in."""
    return with_pod_identity(account.trust, desired.cluster["arn"], desired.scope, [account.place])
