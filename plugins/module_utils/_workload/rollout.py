# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a workload replaces its pods, and what would keep a restart from ever ending. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kubernetes.pods import Object, Pod, containers, is_ready
from .._kubernetes.selectors import selects

DEPLOYMENT, STATEFUL_SET = "Deployment", "StatefulSet"
PAUSED, ON_DELETE, PARTITION = "paused", "OnDelete", "partition"
TO_SURGE_NOT = '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}'
TO_ROLL_ALL = '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'


@dataclass(frozen=True)
class Room:
    """What of the cluster matters to rollouts, as the API gives it; None where it isn't known."""

    nodes: t.Sequence[Object] | None = None
    budgets: t.Sequence[Object] | None = None
    """PodDisruptionBudgets."""


def obstacle(workload: Object, pods: t.Sequence[Pod], room: Room | None = None) -> str:
    """Why a restart of the workload would never end, with what to do; "" where nothing is known to keep it.

    ``pods`` are the workload's own.
    """
    held = _by_hand(workload, pods) or _waiting(workload, pods)
    problem = held or _without_a_node(workload, pods, room or Room())
    return f"{_place(workload)} {problem}" if problem else ""


def note(workload: Object, room: Room) -> str:
    """What to know before a restart that nothing stops: a budget guards evictions, and a rollout evicts nothing."""
    tight = [budget for budget in room.budgets or () if _is_tight(budget, workload)]
    if not tight or only_surges(workload):
        return ""
    return (
        f"{_place(workload)}: PodDisruptionBudget {tight[0]['metadata']['name']} allows no disruption of its pods now, "
        "and the restart, which no budget stops, takes pods away"
    )


def _is_tight(budget: Object, workload: Object) -> bool:
    """Whether the budget is the workload's, and allows none of its pods to go."""
    labels = (_template(workload).get("metadata") or {}).get("labels") or {}
    same = budget["metadata"]["namespace"] == workload["metadata"]["namespace"]
    its_own = same and selects((budget.get("spec") or {}).get("selector"), labels)
    return its_own and not (budget.get("status") or {}).get("disruptionsAllowed")


def needs_nodes(workload: Object) -> bool:
    """Whether the nodes decide if the workload can be restarted."""
    return only_surges(workload) and bool(_host_ports(workload))


def only_surges(workload: Object) -> bool:
    """Whether a rollout takes no old pod away before a new one is ready."""
    if workload.get("kind") != DEPLOYMENT:
        return str(_rolling(workload, "updateStrategy").get("maxSurge", 0)) not in ("0", "0%")
    if _type(workload, "strategy") == "Recreate":
        return False
    given = _rolling(workload, "strategy").get("maxUnavailable", "25%")
    text = str(given)
    number = int(text.removesuffix("%"))
    return (number * _replicas(workload) // 100 if text.endswith("%") else number) == 0


def held_by(workload: Object) -> str:
    """What keeps a change of the template from making some pod anew until a person acts.

    ``paused``, ``OnDelete``, ``partition``, or "" for nothing.
    """
    if (workload.get("spec") or {}).get("paused"):
        return PAUSED
    if _type(workload, "updateStrategy") == ON_DELETE:
        return ON_DELETE
    return PARTITION if _rolling(workload, "updateStrategy").get("partition") else ""


def _by_hand(workload: Object, pods: t.Sequence[Pod]) -> str:
    """What a person holds back."""
    held = held_by(workload)
    if held == PAUSED:
        return f"is paused: kubectl rollout resume {_kubectl(workload)}, then run this again"
    if held == ON_DELETE:
        named = " ".join(pod.name for pod in pods)
        return (
            "replaces its pods only as you delete them (updateStrategy OnDelete): delete them, one after another: "
            f"kubectl delete pod {named} -n {workload['metadata']['namespace']}"
        )
    if held == PARTITION:
        first = _rolling(workload, "updateStrategy")["partition"]
        return (
            f"keeps its pods below ordinal {first} as they are (rollingUpdate.partition): "
            f"kubectl patch {_kubectl(workload)} -p '{TO_ROLL_ALL}'"
        )
    return ""


def _waiting(workload: Object, pods: t.Sequence[Pod]) -> str:
    """What the controller of an ordered StatefulSet waits for before it replaces any pod."""
    ordered = (workload.get("spec") or {}).get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    unready = [pod.name for pod in pods if not pod.ready]
    if workload["kind"] != STATEFUL_SET or not ordered or not unready:
        return ""
    named = " ".join(unready)
    return (
        f"waits for pod {named}, which isn't ready, before it replaces any: mend that, or replace it by hand: "
        f"kubectl delete pod {named} -n {workload['metadata']['namespace']}"
    )


def _without_a_node(workload: Object, pods: t.Sequence[Pod], room: Room) -> str:
    """What a new pod with a host port would wait for, on a node of its own."""
    if workload["kind"] != DEPLOYMENT or room.nodes is None or not needs_nodes(workload):
        return ""
    taken = {pod.node for pod in pods}
    if any(_fits(node, workload) for node in room.nodes if node["metadata"]["name"] not in taken):
        return ""
    ports = ", ".join(map(str, _host_ports(workload)))
    return (
        f"can't surge: each of its pods takes host port {ports} of a node, and no other node is free. Let it take old "
        f"pods away first: kubectl patch {_kubectl(workload)} -p '{TO_SURGE_NOT}'"
    )


def _fits(node: Object, workload: Object) -> bool:
    selector = (_template(workload).get("spec") or {}).get("nodeSelector")
    labels = node["metadata"].get("labels") or {}
    usable = is_ready(node) and not (node.get("spec") or {}).get("unschedulable")
    return usable and selects({"matchLabels": selector or {}}, labels)


def _host_ports(workload: Object) -> list[int]:
    """The ports of its node that each pod takes; in the node's network, all of them."""
    whole = (_template(workload).get("spec") or {}).get("hostNetwork")
    ports = [port for each in containers(_template(workload)) for port in each.get("ports") or ()]
    return sorted({port.get("hostPort") or port["containerPort"] for port in ports if whole or port.get("hostPort")})


def _place(workload: Object) -> str:
    meta = workload["metadata"]
    return f"{workload['kind']} {meta['namespace']}/{meta['name']}"


def _kubectl(workload: Object) -> str:
    """What kubectl takes."""
    meta = workload["metadata"]
    return f"{workload['kind'].lower()}/{meta['name']} -n {meta['namespace']}"


def _template(workload: Object) -> Object:
    return t.cast("Object", (workload.get("spec") or {}).get("template") or {})


def _type(workload: Object, key: str) -> str:
    return str(((workload.get("spec") or {}).get(key) or {}).get("type", ""))


def _rolling(workload: Object, key: str) -> Object:
    return t.cast("Object", ((workload.get("spec") or {}).get(key) or {}).get("rollingUpdate") or {})


def _replicas(workload: Object) -> int:
    return int((workload.get("spec") or {}).get("replicas", 1))
