# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ladder of proof: which rung a workload's identity reaches, and the first thing that is wrong.

Pure: evidence in, verdict out. No client, no AnsibleModule, no clock.
"""

from __future__ import annotations

import typing as t

from .._kubernetes.pods import KINDS, Owner, Pod
from .._workload.rollout import note, obstacle
from .evidence import Evidence
from .findings import allowed as allowed_findings
from .findings import declared as declared_findings
from .findings import injected as injected_findings
from .findings import pod as pod_findings
from .findings import role as role_findings
from .findings.codes import Finding

RUNGS = ("none", "declared", "injected", "issued", "allowed")
"""From nothing to the top, in order."""

Known: t.TypeAlias = "bool | None"
"""None is what wasn't looked at, or can't be known."""


def judge(seen: Evidence, wanted: str = "allowed") -> dict[str, t.Any]:
    """Return what modules say of one workload: how far it gets, its pods, what to restart, the findings.

    ``wanted`` is the highest rung that was asked for.
    """
    found = list(workload_findings(seen, wanted))
    held = rungs(seen, found, wanted)
    reached = _reached(held)
    return {
        **_words(seen),
        "rung": reached,
        "rungs": held,
        "stopped_by": _stopped_by(seen, found, reached, wanted),
        **_of_pods(seen),
        **_of_aws(seen),
        "findings": [finding.result() for finding in found],
    }


def _words(seen: Evidence) -> dict[str, t.Any]:
    workload = seen.workload
    return {
        "name": workload.name,
        "namespace": workload.owner.namespace,
        "kind": workload.owner.kind,
        "object": workload.owner.name,
        "exists": seen.template is not None and seen.template.source == "live",
        "service_account": seen.service_account,
        "role_arn": workload.role_arn,
        "association": dict(seen.association) if seen.association else None,
    }


def _of_pods(seen: Evidence) -> dict[str, t.Any]:
    loose = [pod for pod in injected_findings.restartable(seen) if pod.owner.kind not in KINDS.values()]
    return {
        "injected_now": injected_findings.injected_now(seen),
        "untried": injected_findings.refused(seen) or seen.denied,
        "pods": [_pod_result(pod) for pod in seen.pods],
        "pods_injected": len(seen.pods) - len(seen.stale),
        "restart": _restart(seen),
        "restartable": _restartable(seen),
        "unmanaged_pods": sorted(pod.name for pod in loose),
    }


def _of_aws(seen: Evidence) -> dict[str, t.Any]:
    return {
        "issued": seen.issued.result() if seen.issued else None,
        "pod_asked": pod_findings.asked_result(seen),
        "allowed": [answer.result() for answer in seen.answers],
        "role": _role_result(seen),
    }


def _role_result(seen: Evidence) -> dict[str, t.Any] | None:
    role = seen.role
    if role is None:
        return None
    return {
        "arn": role.arn,
        "exists": role.exists,
        "trust_problem": role_findings.problem(seen, role),
        "policies": None if role.policies is None else list(role.policies),
    }


def _pod_result(pod: Pod) -> dict[str, t.Any]:
    return {
        "name": pod.name,
        "node": pod.node,
        "injected": pod.injected,
        "bare_containers": list(pod.bare_containers),
        "owner": str(pod.owner),
    }


def workload_findings(seen: Evidence, wanted: str = "allowed") -> t.Iterator[Finding]:
    """What is wrong, the lowest rung first; above a missing declaration nothing can be said."""
    if not seen.concerned:
        return
    yield from declared_findings.of_declaration(seen)
    if not declared_findings.holds(seen):
        return
    if wanted != "declared":
        yield from injected_findings.of_injection(seen)
    if RUNGS.index(wanted) >= RUNGS.index("issued"):
        yield from _above_injection(seen)
    if wanted == "allowed":
        yield from allowed_findings.of_permissions(seen)


def _above_injection(seen: Evidence) -> t.Iterator[Finding]:
    """Keys of the pod's own explain whom it acts as."""
    of_pod = list(pod_findings.of_pods(seen))
    own_keys = any(finding.code in ("static_keys", "irsa_variables", "other_source") for finding in of_pod)
    yield from of_pod
    for finding in role_findings.of_roles(seen):
        if not (own_keys and finding.code == "other_identity"):
            yield finding


def rungs(seen: Evidence, found: t.Sequence[Finding], wanted: str) -> dict[str, Known]:
    """Which rungs up to ``wanted`` hold, each by itself; an error that a finding names takes its rung away."""
    faults = {finding.rung for finding in found if finding.severity == "error"}
    held = {
        "declared": declared_findings.holds(seen),
        "injected": _injected(seen),
        "issued": _issued(seen),
        "allowed": _allowed(seen),
    }
    asked = RUNGS[: RUNGS.index(wanted) + 1]
    judged = {rung: False if rung in faults else known for rung, known in held.items()}
    return {rung: known if rung in asked else None for rung, known in judged.items()}


def _injected(seen: Evidence) -> Known:
    if seen.template is None or seen.replaced:
        return None
    if not seen.pods and seen.workload.owner.kind == "Job":
        return injected_findings.injected_now(seen)
    return bool(seen.pods) and not seen.stale and all(seen.tried)


def _issued(seen: Evidence) -> Known:
    if seen.issued is None or seen.issued.good is None:
        return None
    good = seen.issued.good and pod_findings.served(seen)
    return None if good and pod_findings.unknown_keys(seen) else good


def _allowed(seen: Evidence) -> Known:
    verdicts = {answer.allowed for answer in seen.answers}
    if not verdicts:
        return None
    return False if False in verdicts else None if None in verdicts else True


def _reached(held: t.Mapping[str, Known]) -> str:
    reached = RUNGS[0]
    for rung in RUNGS[1:]:
        if not held[rung]:
            break
        reached = rung
    return reached


def _stopped_by(seen: Evidence, found: t.Sequence[Finding], reached: str, wanted: str) -> str:
    """Why the next rung wasn't climbed; "" at the top, and at the rung that was asked for."""
    place = RUNGS.index(reached) + 1
    if place > RUNGS.index(wanted):
        return ""
    said = [finding.message for finding in found if finding.rung == RUNGS[place]]
    return said[0] if said else _SILENCE[RUNGS[place]](seen)


def _undeclared(seen: Evidence) -> str:
    return f"No pod identity association binds service account {seen.place}"


def _uninjected(seen: Evidence) -> str:
    if seen.replaced:
        return "The pods of the coming release aren't there yet"
    return injected_findings.refused(seen) or f"Nothing shows that pods of {seen.workload.owner} carry credentials"


def _unissued(seen: Evidence) -> str:
    if seen.issued and seen.issued.message:
        return seen.issued.message
    if unknown := pod_findings.unknown_keys(seen):
        return f"{seen.workload.owner} may have AWS keys of its own, which can't be read: {', '.join(unknown)}"
    if seen.issued and seen.issued.good:
        return f"No agent is ready on the nodes of {seen.workload.owner}"
    return "Nobody asked EKS for credentials of a pod"


def _unchecked(seen: Evidence) -> str:
    unknown = [answer.message for answer in seen.answers if answer.allowed is None]
    return unknown[0] if unknown else "No check is named for this workload"


_SILENCE: dict[str, t.Callable[[Evidence], str]] = {
    "declared": _undeclared,
    "injected": _uninjected,
    "issued": _unissued,
    "allowed": _unchecked,
}


def _restartable(seen: Evidence) -> list[dict[str, t.Any]]:
    """The workload itself, or the workloads of the pods that run under a service account."""
    owner = seen.workload.owner
    if owner.kind in KINDS.values():
        owners = [owner] if seen.template and seen.template.source == "live" else []
    else:
        owners = [pod.owner for pod in seen.pods if pod.owner.kind in KINDS.values()]
    return [_named(seen, each) for each in dict.fromkeys(owners)]


def _named(seen: Evidence, owner: Owner, predicted: bool = False) -> dict[str, t.Any]:
    """A workload to restart, with what would keep that from ending, and what to know before."""
    live = seen.owners.get(owner)
    workload = live.workload if live and not predicted else {}
    pods = [pod for pod in seen.pods if pod.owner == owner]
    return {
        "kind": owner.kind,
        "namespace": owner.namespace,
        "name": owner.name,
        "predicted": predicted,
        "obstacle": obstacle(workload, pods, seen.room) if workload else "",
        "note": note(workload, seen.room) if workload else "",
    }


def _restart(seen: Evidence) -> list[dict[str, t.Any]]:
    """Workloads whose pods must be created anew, each once, in the order of their pods.

    A release that is about to change makes its pods anew: they will lack the injection only where there is no
    association yet, and what is to be restarted then is predicted, not seen.
    """
    predicted = seen.replaced
    owners = [pod.owner for pod in injected_findings.restartable(seen) if pod.owner.kind in KINDS.values()]
    if predicted:
        owners = [] if seen.association else [seen.workload.owner]
    return [_named(seen, owner, predicted) for owner in dict.fromkeys(owners)]
