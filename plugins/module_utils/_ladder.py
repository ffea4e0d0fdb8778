# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ladder of proof: which rung a workload's identity reaches, and the first thing that is wrong.

Pure: evidence in, verdict out. No client, no AnsibleModule, no clock.
"""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass

from ._plan import Refused
from ._pods import KINDS, Owner, Pod, Template

RUNGS = ("none", "declared", "injected")
"""From nothing to the highest rung that is looked at, in order."""


@dataclass(frozen=True)
class Workload:
    """A workload that ought to have an identity.

    ``owner`` is what a user named: a Deployment, StatefulSet, DaemonSet, or a ServiceAccount by itself.
    """

    name: str
    owner: Owner
    role_arn: str | None = None
    """Role that its pods ought to have; None accepts whichever the association names."""

    @property
    def by_service_account(self) -> bool:
        """Whether a service account was named instead of a workload."""
        return self.owner.kind == "ServiceAccount"


@dataclass(frozen=True)
class Finding:
    """Something that keeps a workload from its role."""

    code: str
    severity: str
    object: str
    message: str
    remedy: str

    def result(self) -> dict[str, str]:
        """The finding as modules return it."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Evidence:
    """What was seen of one workload."""

    workload: Workload
    template: Template | None
    association: t.Mapping[str, t.Any] | None
    pods: tuple[Pod, ...] = ()
    newborn: tuple[bool, ...] = ()
    """Whether each dry-run pod came out injected; empty when none was asked for."""
    replaced: bool = False
    """Whether the pods of now will be gone before anybody asks again (a release is about to change)."""
    neighbours: tuple[str, ...] = ()
    """Names that were meant, perhaps: other workloads, or associated service accounts, of the namespace."""

    @property
    def stale(self) -> tuple[Pod, ...]:
        """Running pods that lack the injection."""
        return tuple(pod for pod in self.pods if not pod.injected)

    @property
    def service_account(self) -> str | None:
        """Service account that the workload's pods run under; None for a workload that isn't there."""
        return self.template.service_account if self.template else None


def parse_workload(item: t.Mapping[str, t.Any]) -> Workload:
    """Read one entry of the option ``workloads``."""
    named = [key for key in (*KINDS, "service_account") if item.get(key)]
    label = item.get("name") or "an entry of workloads"
    if not item.get("namespace"):
        raise Refused(f"{label}: namespace is missing; name the namespace that the workload runs in")
    if len(named) != 1:
        raise Refused(
            f"{label}: name exactly one of {', '.join((*KINDS, 'service_account'))}; found {', '.join(named) or 'none'}"
        )
    kind = KINDS.get(named[0], "ServiceAccount")
    owner = Owner(kind, item["namespace"], item[named[0]])
    return Workload(item.get("name") or owner.name, owner, item.get("role_arn") or None)


def judge(evidence: Evidence) -> dict[str, t.Any]:
    """Return what modules say of one workload: the rung reached, its pods, what to restart, the findings."""
    findings = [finding.result() for finding in _findings(evidence)]
    return {
        "name": evidence.workload.name,
        "namespace": evidence.workload.owner.namespace,
        "kind": evidence.workload.owner.kind,
        "object": evidence.workload.owner.name,
        "exists": evidence.template is not None and evidence.template.source == "live",
        "service_account": evidence.service_account,
        "role_arn": evidence.workload.role_arn,
        "association": dict(evidence.association) if evidence.association else None,
        "rung": _rung(evidence),
        "injected_now": all(evidence.newborn) if evidence.newborn else None,
        "pods": [_pod_result(pod) for pod in evidence.pods],
        "pods_injected": len(evidence.pods) - len(evidence.stale),
        "restart": _restart(evidence),
        "unmanaged_pods": sorted(pod.name for pod in evidence.stale if pod.owner.kind not in KINDS.values()),
        "findings": findings,
    }


def _pod_result(pod: Pod) -> dict[str, t.Any]:
    return {
        "name": pod.name,
        "node": pod.node,
        "injected": pod.injected,
        "bare_containers": list(pod.bare_containers),
        "owner": str(pod.owner),
    }


def _declared(evidence: Evidence) -> bool:
    found, wanted = evidence.association, evidence.workload.role_arn
    return evidence.template is not None and found is not None and wanted in (None, found["role_arn"])


def _rung(evidence: Evidence) -> str:
    if not _declared(evidence):
        return "none"
    injected = evidence.pods and not evidence.stale and all(evidence.newborn)
    return "injected" if injected else "declared"


def _restart(evidence: Evidence) -> list[dict[str, t.Any]]:
    """Workloads whose pods must be born again, each once, in the order of their pods.

    A release that is about to change makes its pods anew: they will lack the injection only where there is no
    association yet, and what is to be restarted then is predicted, not seen.
    """
    predicted = evidence.replaced
    owners = [pod.owner for pod in evidence.stale if pod.owner.kind in KINDS.values()]
    if predicted:
        owners = [] if evidence.association else [evidence.workload.owner]
    return [
        {"kind": owner.kind, "namespace": owner.namespace, "name": owner.name, "predicted": predicted}
        for owner in dict.fromkeys(owners)
    ]


def _findings(evidence: Evidence) -> t.Iterator[Finding]:
    """What is wrong, the lowest rung first; a workload that isn't there has nothing else to say."""
    if evidence.template is None:
        yield _workload_missing(evidence)
        return
    if evidence.service_account == "default" and not evidence.workload.by_service_account:
        yield _default_service_account(evidence)
    if not _declared(evidence):
        yield _association_missing(evidence) if evidence.association is None else _wrong_role(evidence)
        return
    if not all(evidence.newborn):
        yield _not_injected_yet(evidence)
    if evidence.stale:
        yield _stale_pods(evidence)
    if not evidence.pods:
        yield _no_pods(evidence)


def _workload_missing(evidence: Evidence) -> Finding:
    owner = evidence.workload.owner
    near = difflib.get_close_matches(f"{owner.kind} {owner.name}", evidence.neighbours, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Finding(
        "workload_missing",
        "error",
        str(owner),
        f"{owner.kind} {owner.name} doesn't exist in namespace {owner.namespace}{hint}",
        f"kubectl get {','.join(f'{kind}s' for kind in KINDS)} -n {owner.namespace}",
    )


def _default_service_account(evidence: Evidence) -> Finding:
    owner = evidence.workload.owner
    return Finding(
        "default_service_account",
        "error",
        str(owner),
        f"{owner} runs under the service account default: a role for it would go to every pod of the namespace "
        "that names no service account",
        "Give the workload a service account of its own (for enbuild: serviceAccount.create: true), "
        "or name the service account default in the workload's entry if that is what you want",
    )


def _association_missing(evidence: Evidence) -> Finding:
    namespace, account = evidence.workload.owner.namespace, evidence.service_account
    near = difflib.get_close_matches(str(account), evidence.neighbours, n=1)
    hint = f"; there is one for {near[0]}, which may be a slip of the pen" if near else ""
    return Finding(
        "association_missing",
        "error",
        f"ServiceAccount {namespace}/{account}",
        f"No pod identity association binds service account {namespace}/{account}{hint}",
        f"Create one for namespace {namespace} and service account {account} "
        "(enbuild.eks.pod_identity_association, or ansible-playbook enbuild.eks.site --tags pod_identity_associations)",
    )


def _wrong_role(evidence: Evidence) -> Finding:
    association = t.cast("t.Mapping[str, t.Any]", evidence.association)
    return Finding(
        "wrong_role",
        "error",
        f"ServiceAccount {evidence.workload.owner.namespace}/{evidence.service_account}",
        f"Association {association['association_id']} gives {association['role_arn']} "
        f"instead of {evidence.workload.role_arn}",
        f"Set role_arn of the association to {evidence.workload.role_arn}",
    )


def _not_injected_yet(evidence: Evidence) -> Finding:
    asked, good = len(evidence.newborn), sum(evidence.newborn)
    return Finding(
        "webhook_cold",
        "warning",
        str(evidence.workload.owner),
        f"Of {asked} pods that were tried as a dry run just now, {good} would get credentials",
        "Wait some seconds and ask again: EKS's webhook learns of an association after the call returns; "
        "if it stays so, look for the label eks.amazonaws.com/skip-pod-identity-webhook and for AWS_CONTAINER_* "
        "variables that the pod template sets itself",
    )


def _stale_pods(evidence: Evidence) -> Finding:
    names = ", ".join(pod.name for pod in evidence.stale[:3])
    more = f" and {len(evidence.stale) - 3} more" if len(evidence.stale) > 3 else ""
    return Finding(
        "stale_pods",
        "error",
        str(evidence.workload.owner),
        f"{len(evidence.stale)} of {len(evidence.pods)} running pods lack the injection ({names}{more}): "
        "they are older than the association, or were admitted before the webhook knew it",
        "; ".join(sorted({_restart_command(pod.owner) for pod in evidence.stale})),
    )


def _restart_command(owner: Owner) -> str:
    if owner.kind in KINDS.values():
        return f"kubectl rollout restart {owner.kind.lower()}/{owner.name} -n {owner.namespace}"
    return f"recreate {owner}: nothing restarts it"


def _no_pods(evidence: Evidence) -> Finding:
    owner = evidence.workload.owner
    return Finding(
        "no_running_pods",
        "warning",
        str(owner),
        f"{owner} has no running pod, so nothing shows that it carries credentials",
        f"kubectl get pods -n {owner.namespace}",
    )
