# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pods of a release aren't ready, and why. Pure: it reads objects as the Kubernetes API gives them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._kubernetes.pods import KINDS, Object, is_ready, lives
from .model import Target

RELEASE = "meta.helm.sh/release-"
"""Beginning of the annotations by which Helm knows what it has installed."""
INSTANCE = "app.kubernetes.io/instance"
MOST = 5
"""Pods and workloads that a message names."""


@dataclass(frozen=True)
class Seen:
    """What a namespace holds: pods, what owns them, and events (none where they may not be read)."""

    pods: t.Sequence[Object]
    replica_sets: t.Sequence[Object]
    workloads: t.Sequence[Object]
    """Deployments, stateful sets and daemon sets, each with its ``kind``."""
    events: t.Sequence[Object] = ()


def unready(release: Target, seen: Seen) -> str:
    """One sentence on the pods of ``release`` that aren't ready, and on its workloads that get no pods; "" for none."""
    owners = _owners(release, seen)
    pods = [pod for pod in seen.pods if lives(pod) and not is_ready(pod) and _belongs(pod, release, owners)]
    reasons = [f"pod {pod['metadata']['name']}: {_why(pod, seen.events)}" for pod in pods]
    reasons += [reason for workload in seen.workloads for reason in _refused(workload, release)]
    if not reasons:
        return ""
    more = f"; and {len(reasons) - MOST} more" if len(reasons) > MOST else ""
    return f"Not ready: {'; '.join(reasons[:MOST])}{more}."


def _owners(release: Target, seen: Seen) -> set[tuple[str, str]]:
    """Kind and name of the release's workloads and of their replica sets."""
    found = {(each["kind"], each["metadata"]["name"]) for each in seen.workloads if _installed(each, release)}
    sets = {("ReplicaSet", each["metadata"]["name"]) for each in seen.replica_sets if _controllers(each) & found}
    return found | sets


def _installed(item: Object, release: Target) -> bool:
    notes = item["metadata"].get("annotations") or {}
    named = tuple(notes.get(f"{RELEASE}{part}") for part in ("namespace", "name"))
    return named == (release.namespace, release.name)


def _belongs(pod: Object, release: Target, owners: t.Collection[tuple[str, str]]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return bool(_controllers(pod) & set(owners)) or _installed(pod, release) or labels.get(INSTANCE) == release.name


def _controllers(item: Object) -> set[tuple[str, str]]:
    references = item["metadata"].get("ownerReferences") or ()
    return {(str(each["kind"]), str(each["name"])) for each in references if each.get("controller")}


def _why(pod: Object, events: t.Iterable[Object]) -> str:
    status = pod.get("status") or {}
    reasons = [*_unscheduled(status), *_containers(status)]
    return ", ".join(reasons) or _last_warning(pod, events) or f"{status.get('phase') or 'Unknown'}, and not ready"


def _unscheduled(status: Object) -> t.Iterator[str]:
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            yield _sentence(each.get("reason"), each.get("message"))


def _containers(status: Object) -> t.Iterator[str]:
    """Why containers wait, or ended; one that starts in the usual way says nothing."""
    for each in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        state = each.get("state") or {}
        halted = state.get("waiting") or state.get("terminated") or {}
        ended_well = "terminated" in state and halted.get("exitCode") == 0
        if halted and not ended_well and halted.get("reason") not in ("ContainerCreating", "PodInitializing"):
            yield f"container {each['name']} {_sentence(halted.get('reason'), halted.get('message'))}{_exit(each)}"


def _exit(status: Object) -> str:
    """How the container ended before, for one that is restarted again and again."""
    last = (status.get("lastState") or {}).get("terminated") or {}
    return f" (last exit code {last['exitCode']})" if "exitCode" in last else ""


def _last_warning(pod: Object, events: t.Iterable[Object]) -> str:
    uid = pod["metadata"].get("uid")
    warnings = [
        each
        for each in events
        if each.get("type") == "Warning" and (each.get("involvedObject") or {}).get("uid") == uid
    ]
    latest = max(warnings, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""), default={})
    return _sentence(latest.get("reason"), latest.get("message")) if latest else ""


def _refused(workload: Object, release: Target) -> t.Iterator[str]:
    """Why a workload of the release gets no pods: a quota, an admission policy."""
    for each in (workload.get("status") or {}).get("conditions") or ():
        if each.get("type") == "ReplicaFailure" and each.get("status") == "True" and _installed(workload, release):
            name = f"{workload['kind']} {workload['metadata']['name']}"
            yield f"{name}: {_sentence(each.get('reason'), each.get('message'))}"


def _sentence(reason: t.Any, message: t.Any) -> str:
    parts = [str(part).rstrip(". ") for part in (reason, message) if part]
    return ": ".join(parts) or "for a reason that isn't given"


PLURALS = {f"{name}s": kind for name, kind in KINDS.items()}
"""Kinds of workloads by the names that the API has for their lists."""
