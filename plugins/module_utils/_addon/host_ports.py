# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pods hold a port of a node that an add-on's pods need. Pure: no client, no AnsibleModule."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kubernetes.pods import Object, containers, lives
from .plan import Key

MOST_NAMED = 5
"""Pods that a message names."""
ELSEWHERE = frozenset({"auto", "fargate", "hybrid"})
"""Kinds of nodes (``COMPUTE``) where EKS lets no pod of such an add-on run."""
COMPUTE = "eks.amazonaws.com/compute-type"
"""EKS's label of a node; a node of a node group has none."""
OWN_SPACE = "kube-system"
"""Where the add-on's DaemonSet is; nobody but the cluster's administrators writes there."""


@dataclass(frozen=True)
class Holder:
    """A pod, its node, and the ports of it that it holds."""

    pod: str
    node: str
    ports: tuple[int, ...]

    def __str__(self) -> str:
        return f"pod {self.pod} (port {', '.join(map(str, self.ports))} of {self.node})"


def holders(
    key: Key, ports: t.Collection[int], pods: t.Iterable[Object], nodes: t.Sequence[Object] | None
) -> list[Holder]:
    """The pods that hold one of the TCP ``ports`` on a node where the add-on's pods are to run.

    As the scheduler does, this goes by the ports that a pod declares, whatever the address. The pods of the add-on's
    own DaemonSet don't count. Without ``nodes``, which weren't readable, every node does.
    """
    found = [_holder(pod, ports) for pod in pods if lives(pod) and not _is_own(key, pod)]
    away = {each["metadata"]["name"] for each in nodes or () if not _takes_it(each)}
    return sorted((each for each in found if each.ports and each.node and each.node not in away), key=str)


def sentence(key: Key, ports: t.Iterable[int], held: t.Sequence[Holder]) -> str:
    """What is in the way, and what to do."""
    named = ", ".join(map(str, held[:MOST_NAMED]))
    rest = f" and {len(held) - MOST_NAMED} more" if len(held) > MOST_NAMED else ""
    return (
        f"The {key} needs port {' and '.join(map(str, ports))} of each node, and other pods hold them: {named}{rest}. "
        "Kubernetes would evict those of a lower priority for it, and leave its pods pending where it can't. Move them "
        "to other ports or nodes, or leave host_ports out to install it anyway (in the role pod_identity_agent, "
        "set pod_identity_agent_evict_pods true)."
    )


def _holder(pod: Object, ports: t.Collection[int]) -> Holder:
    declared = [port for container in containers(pod) for port in container.get("ports") or ()]
    held = {port.get("hostPort") for port in declared if port.get("protocol", "TCP") == "TCP"} & set(ports)
    meta = pod["metadata"]
    node = (pod.get("spec") or {}).get("nodeName", "")
    return Holder(f"{meta['namespace']}/{meta['name']}", node, tuple(sorted(t.cast("set[int]", held))))


def _is_own(key: Key, pod: Object) -> bool:
    """Whether the pod is of the DaemonSet that EKS makes, or takes over."""
    meta = pod["metadata"]
    owners = [(each.get("kind"), each.get("name")) for each in meta.get("ownerReferences") or ()]
    return meta["namespace"] == OWN_SPACE and ("DaemonSet", key.name) in owners


def _takes_it(node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    return labels.get(COMPUTE) not in ELSEWHERE and labels.get("kubernetes.io/os") != "windows"
