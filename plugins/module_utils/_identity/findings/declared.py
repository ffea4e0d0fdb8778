# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong below the rung ``declared``: workload, service account and association. Pure."""

from __future__ import annotations

import typing as t

from ..._core.suggest import meant
from ..._core.text import clean
from ..._kubernetes.pods import ALL_KINDS
from ..evidence import Evidence
from . import remedies
from .codes import Finding

IRSA_ANNOTATION = "eks.amazonaws.com/role-arn"


def holds(seen: Evidence) -> bool:
    """Whether an association binds the workload's service account to the role that is expected."""
    found, wanted = seen.association, seen.workload.role_arn
    there = seen.template is not None and not seen.account_missing
    return there and found is not None and wanted in (None, found["role_arn"])


def of_declaration(seen: Evidence) -> t.Iterator[Finding]:
    """A workload that isn't there has nothing else to say."""
    if seen.template is None:
        yield _workload_missing(seen)
        return
    if _shares_default(seen):
        yield _default_service_account(seen)
    if seen.account_missing:
        yield _service_account_missing(seen)
    if seen.misspelt:
        yield _misspelt_annotation(seen)
    yield from _unassociated(seen) if seen.association is None else _associated(seen, seen.association)


def _associated(seen: Evidence, association: t.Mapping[str, t.Any]) -> t.Iterator[Finding]:
    if not seen.account_missing and not holds(seen):
        yield _wrong_role(seen, association)
    if _annotation(seen):
        yield _irsa_annotation(seen)


def _shares_default(seen: Evidence) -> bool:
    return seen.service_account == "default" and not seen.workload.by_service_account


def _unassociated(seen: Evidence) -> t.Iterator[Finding]:
    """What is missing of the association; a workload that is to have its own service account first needs none yet."""
    if _shares_default(seen):
        return
    if seen.mistaken:
        yield _mismatch(seen, seen.mistaken)
    elif seen.workload.asked:
        yield _association_missing(seen)


def _workload_missing(seen: Evidence) -> Finding:
    owner = seen.workload.owner
    near = meant(f"{owner.kind} {owner.name}", seen.neighbours)
    hint = f"; did you mean {near}?" if near else ""
    return Finding(
        "workload_missing",
        str(owner),
        f"{owner.kind} {owner.name} doesn't exist in namespace {owner.namespace}{hint}",
        f"kubectl get {','.join(f'{kind}s' for kind in ALL_KINDS)} -n {owner.namespace}",
    )


def _default_service_account(seen: Evidence) -> Finding:
    owner = seen.workload.owner
    if remedies.restarts(owner):
        remedy = remedies.own_service_account(owner)
    else:
        remedy = f"Name a service account of its own in the manifest of {owner}, and create it anew"
    return Finding(
        "default_service_account",
        str(owner),
        f"{owner} runs under the service account default: a role for it would go to every pod of the namespace "
        "that names no service account",
        remedy,
    )


def _service_account_missing(seen: Evidence) -> Finding:
    namespace, account = seen.workload.owner.namespace, str(seen.service_account)
    return Finding(
        "service_account_missing",
        f"ServiceAccount {seen.place}",
        f"{seen.workload.owner} runs under service account {seen.place}, which doesn't exist: no pod can be created",
        remedies.command("kubectl", "create", "serviceaccount", account, "-n", namespace),
    )


def _association_missing(seen: Evidence) -> Finding:
    near = meant(str(seen.service_account), seen.neighbours)
    hint = f"; there is one for {near}, which may be a typo" if near else ""
    return Finding(
        "association_missing",
        f"ServiceAccount {seen.place}",
        f"No pod identity association binds service account {seen.place}{hint}",
        remedies.associate(seen, seen.workload.role_arn or ""),
    )


def _mismatch(seen: Evidence, mistaken: t.Mapping[str, t.Any]) -> Finding:
    role = seen.workload.role_arn or mistaken["role_arn"]
    given = f"{seen.workload.owner.namespace}/{mistaken['service_account']}"
    made = remedies.associate(seen, role)
    return Finding(
        "service_account_mismatch",
        f"ServiceAccount {seen.place}",
        f"{seen.workload.owner} runs under service account {seen.place}, and the association "
        f"{mistaken['association_id']} is for {given}, under which nothing runs",
        f"{made} && {remedies.delete_association(seen.around.cluster, mistaken['association_id'])}",
    )


def _wrong_role(seen: Evidence, association: t.Mapping[str, t.Any]) -> Finding:
    wanted = str(seen.workload.role_arn)
    return Finding(
        "wrong_role",
        f"ServiceAccount {seen.place}",
        f"Association {association['association_id']} gives {association['role_arn']} instead of {wanted}",
        remedies.change_association(seen, "--role-arn", wanted),
    )


def _annotation(seen: Evidence) -> str:
    metadata = (seen.account or {}).get("metadata") or {}
    return str((metadata.get("annotations") or {}).get(IRSA_ANNOTATION, ""))


def _misspelt_annotation(seen: Evidence) -> Finding:
    account, namespace = str(seen.service_account), seen.workload.owner.namespace
    removed, named = (f"{key}-" for key in seen.misspelt), ", ".join(map(clean, seen.misspelt))
    return Finding(
        "misspelt_annotation",
        f"ServiceAccount {seen.place}",
        f"Service account {seen.place} has the annotation {named}, which EKS doesn't know: only an association "
        "gives a role",
        remedies.command("kubectl", "annotate", "serviceaccount", account, "-n", namespace, *removed),
    )


def _irsa_annotation(seen: Evidence) -> Finding:
    account, namespace = str(seen.service_account), seen.workload.owner.namespace
    words = ("serviceaccount", account, "-n", namespace, f"{IRSA_ANNOTATION}-")
    return Finding(
        "irsa_annotation",
        f"ServiceAccount {seen.place}",
        f"Service account {seen.place} still has IRSA's annotation for {_annotation(seen)}; that is harmless, for an "
        "association takes precedence",
        remedies.command("kubectl", "annotate", *words),
    )
