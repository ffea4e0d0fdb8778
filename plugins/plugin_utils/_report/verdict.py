# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What judged workloads, as enbuild.eks.pod_identity_workload_info returns them, mean to roles. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._core.plan import Refused
from ...module_utils._identity.findings.codes import CODES
from ...module_utils._identity.ladder import RUNGS
from ...module_utils._kubernetes.pods import KINDS

Item = t.Mapping[str, t.Any]

SEVERITIES = ("error", "warning", "info")
"""Of findings, the most severe first."""

AT_ANY_RUNG = frozenset(code for code, kind in CODES.items() if kind.severity == "error" and not kind.rung)
"""Codes of errors that no rung tells of."""


def involved(item: Item) -> bool:
    """Whether a judged workload has an identity, or ought to; most workloads of a cluster call no AWS API."""
    return bool(item["association"] or item["role_arn"] or _wrong(item))


def _wrong(item: Item) -> list[Item]:
    return [finding for finding in item["findings"] if finding["severity"] != "info"]


def below(found: t.Sequence[Item], wanted: str = "") -> list[dict[str, t.Any]]:
    """The judged workloads that fall short of the rung ``wanted``.

    "" asks for as high as permissions allow: nothing that was looked at may fail, and the declaration has to hold.
    An error that no rung tells of falls short of any but "none".
    """
    if wanted and wanted not in RUNGS:
        raise Refused(f"{wanted} is not a rung of the ladder of proof; the rungs are {', '.join(RUNGS)}")
    return [dict(item) for item in found if involved(item) and _falls_short(item, wanted)]


def _falls_short(item: Item, wanted: str) -> bool:
    rungs = item["rungs"]
    if wanted != "none" and any(finding["code"] in AT_ANY_RUNG for finding in item["findings"]):
        return True
    if not wanted:
        return False in rungs.values() or not rungs["declared"]
    return not all(rungs[rung] for rung in RUNGS[1 : RUNGS.index(wanted) + 1])


def reasons(short: t.Sequence[Item]) -> list[str]:
    """Why each workload of ``short`` is where it is, and what to do: a line for each thing wrong."""
    return list(dict.fromkeys(line for item in short for line in _reasons_of(item)))


def _reasons_of(item: Item) -> list[str]:
    if wrong := _wrong(item):
        return [f"{_sentence(finding['message'])} Remedy: {finding['remedy']}" for finding in wrong]
    return [f"{item['kind']} {item['namespace']}/{item['object']}: {_sentence(item['stopped_by'])}"]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def obstacles(found: t.Sequence[Item]) -> list[str]:
    """Why pods that are born again now would lack what they need, of workloads that were proven before their restart.

    What can't be known stands in nobody's way; that pods of now lack the injection is what a restart is for.
    """
    unfit = [item for item in found if not _would_do(item)]
    lines = [line for item in unfit for line in _reasons_of({**item, "findings": _without_stale(item)})]
    return list(dict.fromkeys(lines))


def _would_do(item: Item) -> bool:
    rungs = item["rungs"]
    known = {rungs["declared"], item["injected_now"], rungs["issued"], rungs["allowed"]}
    return bool(rungs["declared"]) and False not in known


def _without_stale(item: Item) -> list[Item]:
    return [finding for finding in item["findings"] if finding["code"] not in ("stale_pods", "host_network")]


def restartable(found: t.Sequence[Item]) -> list[dict[str, t.Any]]:
    """The workloads behind the judged ones, each once: what is restarted so that every pod is born again."""
    owners = [owner for item in found if item["exists"] for owner in _owners(item)]
    return [
        {"kind": kind, "namespace": namespace, "name": name, "predicted": False}
        for kind, namespace, name in dict.fromkeys(owners)
    ]


def _owners(item: Item) -> list[tuple[str, str, str]]:
    """Workload itself, or the workloads of the pods that run under a service account."""
    if item["kind"] in KINDS.values():
        return [(item["kind"], item["namespace"], item["object"])]
    named = [_owner(pod["owner"]) for pod in item["pods"]]
    return [owner for owner in named if owner[0] in KINDS.values()]


def _owner(text: str) -> tuple[str, str, str]:
    """Read "Deployment shop/orders"."""
    kind, _space, place = text.partition(" ")
    namespace, _slash, name = place.partition("/")
    return kind, namespace, name


def left_alone(found: t.Sequence[Item]) -> list[str]:
    """A sentence for each pod or Job that would need to be born again, and that no restart of a workload reaches."""
    names = {name for item in found for name in item["unmanaged_pods"]}
    pods = [(pod, item["namespace"]) for item in found for pod in item["pods"] if pod["name"] in names]
    return list(dict.fromkeys(_left_alone(pod, namespace) for pod, namespace in pods))


def _left_alone(pod: Item, namespace: str) -> str:
    kind, _namespace, name = _owner(pod["owner"])
    if kind == "Job":
        return f"Job {namespace}/{name} is left alone: its pods run to their end as they are, its next run is born anew"
    owned = f", which {kind} {name} made" if kind != "Pod" else ", which belongs to nothing"
    return f"Recreate pod {namespace}/{pod['name']}{owned}: no restart of a workload reaches it"
