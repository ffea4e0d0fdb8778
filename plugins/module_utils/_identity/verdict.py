# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What judged workloads mean together: who falls short and why, what to restart, the table of the ladder. Pure."""

from __future__ import annotations

import typing as t

from .._core.plan import Refused
from .._core.table import aligned
from .findings.codes import CODES
from .ladder import RUNGS

Item = t.Mapping[str, t.Any]
View = dict[str, t.Any]


def verdict(found: t.Sequence[Item], wanted: str = "") -> View:
    """What the module returns of all judged workloads together; ``wanted`` is the rung that they have to reach."""
    short = below(found, wanted)
    return {
        "below": [item["name"] for item in short],
        "shortfalls": reasons(short),
        "restarts": _owners(found, "restart"),
        "restartable": _owners(found, "restartable"),
        "left_alone": left_alone(found),
        "restart_obstacles": obstacles(found),
        "ladder": ladder(found),
    }


def _owners(found: t.Sequence[Item], key: str) -> list[View]:
    """The workloads behind all judged ones that ``key`` has, each once."""
    return list({str(owner): owner for item in found for owner in item[key]}.values())


def ladder(found: t.Sequence[Item]) -> list[str]:
    """The ladder of proof as lines of text: one for each judged workload, under a header."""
    head = ("WORKLOAD", "SERVICE ACCOUNT", "ROLE", "ASSOCIATION", "PODS WITH CREDENTIALS", "RUNG")
    return aligned([head, *(_ladder_row(item) for item in found)])


def _ladder_row(item: Item) -> tuple[str, ...]:
    association = item["association"] or {}
    return (
        f"{item['kind'].lower()}/{item['object']}",
        f"{item['namespace']}/{item['service_account'] or '-'}",
        association.get("role_arn", "-").rsplit("/", 1)[-1],
        association.get("association_id") or "-",
        f"{item['pods_injected']} of {len(item['pods'])}",
        item["rung"],
    )


SEVERITIES = ("error", "warning", "info")
"""Of findings, the most severe first."""

AT_ANY_RUNG = frozenset(code for code, kind in CODES.items() if kind.severity == "error" and not kind.rung)
"""Codes of errors that no rung tells of."""


def involved(item: Item) -> bool:
    """Whether a judged workload has an identity, or should; most workloads of a cluster call no AWS API."""
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
    return list(dict.fromkeys(line for item in short for line in reasons_of(item)))


def reasons_of(item: Item) -> list[str]:
    """Why a judged workload is where it is: its findings with their remedies, or what stopped it."""
    if wrong := _wrong(item):
        return [f"{sentence(finding['message'])} Remedy: {finding['remedy']}" for finding in wrong]
    return [f"{item['kind']} {item['namespace']}/{item['object']}: {sentence(item['stopped_by'])}"]


def sentence(text: str) -> str:
    """``text`` with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def obstacles(found: t.Sequence[Item]) -> list[str]:
    """Why restarted pods would lack what they need, of workloads that were proven before their restart.

    What can't be known stands in nobody's way; that pods of now lack the injection is what a restart is for.
    """
    unfit = [item for item in found if not _would_do(item)]
    lines = [line for item in unfit for line in reasons_of({**item, "findings": _without_stale(item)})]
    return list(dict.fromkeys(lines))


def _would_do(item: Item) -> bool:
    rungs = item["rungs"]
    known = {rungs["declared"], item["injected_now"], rungs["issued"], rungs["allowed"]}
    return bool(rungs["declared"]) and False not in known


def _without_stale(item: Item) -> list[Item]:
    return [finding for finding in item["findings"] if finding["code"] not in ("stale_pods", "host_network")]


def _owner(text: str) -> tuple[str, str, str]:
    """Read "Deployment shop/orders"."""
    kind, _space, place = text.partition(" ")
    namespace, _slash, name = place.partition("/")
    return kind, namespace, name


def left_alone(found: t.Sequence[Item]) -> list[str]:
    """A sentence for each pod or Job that would need to be created anew, and that no restart of a workload reaches."""
    names = {name for item in found for name in item["unmanaged_pods"]}
    pods = [(pod, item["namespace"]) for item in found for pod in item["pods"] if pod["name"] in names]
    return list(dict.fromkeys(_left_alone(pod, namespace) for pod, namespace in pods))


def _left_alone(pod: Item, namespace: str) -> str:
    kind, _namespace, name = _owner(pod["owner"])
    if kind == "Job":
        return f"Job {namespace}/{name} is left alone: its pods run to their end, and its next run gets credentials"
    owned = f", which {kind} {name} made" if kind != "Pod" else ", which has no owner"
    return f"Recreate pod {namespace}/{pod['name']}{owned}: no restart of a workload reaches it"
