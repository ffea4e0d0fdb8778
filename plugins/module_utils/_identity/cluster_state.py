# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what all workloads of a cluster share: the cluster itself, its nodes, and the Pod Identity agent."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._addon.api import EksAddons
from .._addon.host_ports import COMPUTE, OWN_SPACE
from .._cluster.api import read_cluster
from .._core.aws import DENIED_CODES, error_code
from .._core.poll import look_until
from .._kubernetes.api import Kubernetes
from .._kubernetes.pods import Object, controlled_by, is_ready, lives
from .evidence import Agent, Cluster, Evidence, Node, Surroundings
from .findings.pod import AGENT, is_ahead

AGENT_LABEL = f"app.kubernetes.io/name={AGENT}"
"""On the agent's pods, whether EKS or Helm installed it; and on any pod whose owner writes it."""
AGENT_SECONDS = 30.0
"""How long the agent of a new node is waited for."""


def surroundings(
    module: t.Any, eks: t.Any, kubernetes: Kubernetes, described: t.Mapping[str, t.Any] | None = None
) -> Surroundings:
    """Read all of it, but for a cluster that is ``described`` already; what the caller may not read is left unknown."""
    cluster = _cluster(described) if described else describe(module, eks)
    nodes = {each["metadata"]["name"]: _node(each["metadata"]) for each in kubernetes.nodes() or ()}
    return Surroundings(cluster, nodes, _agent(EksAddons(eks, cluster.name), kubernetes))


def describe(module: t.Any, eks: t.Any) -> Cluster:
    """The cluster; its name and region alone where it may not be described."""
    name = module.params["cluster_name"]
    try:
        found = read_cluster(module, name, eks)
    except AnsibleAWSError as error:
        if error_code(error) not in DENIED_CODES:
            raise
        return Cluster(name, module.region or "")
    return _cluster(found)


def _cluster(found: t.Mapping[str, t.Any]) -> Cluster:
    """What eks_cluster_info returns, as far as it matters here."""
    return Cluster(found["name"], found["region"], found["arn"], found["auto_mode"], found["ip_family"] == "ipv6")


def _node(metadata: Object) -> Node:
    labels = metadata.get("labels") or {}
    return Node(
        metadata["name"],
        labels.get(COMPUTE, ""),
        labels.get("kubernetes.io/os") == "windows",
        metadata.get("creationTimestamp") or "",
    )


def with_agents(
    seen: list[Evidence], read: t.Callable[[], Surroundings], sleep: t.Callable[[float], None] = time.sleep
) -> list[Evidence]:
    """``seen``, looked at again for a while where a pod may be seconds ahead of the agent of a new node."""
    if not any(map(is_ahead, seen)):
        return seen

    def look() -> list[Evidence]:
        around = read()
        return [replace(each, around=around) for each in seen]

    return look_until(look, lambda looked: not any(map(is_ahead, looked)), AGENT_SECONDS, sleep=sleep)


def agents_by_node(pods: t.Iterable[Object]) -> dict[str, tuple[str, bool]]:
    """The name of the agent's pod on each node, and whether it is ready, among all pods that carry its label."""
    playing = [each for each in pods if lives(each) and each["metadata"]["namespace"] == OWN_SPACE]
    owned = [each for each in playing if controlled_by(each["metadata"], "DaemonSet")]
    return {each["spec"].get("nodeName", ""): (each["metadata"]["name"], is_ready(each)) for each in owned}


def _agent(addons: EksAddons, kubernetes: Kubernetes) -> Agent | None:
    pods = kubernetes.labelled_pods(AGENT_LABEL)
    if pods is None:
        return None
    playing = agents_by_node(pods)
    try:
        found = addons.find(AGENT)
    except AnsibleAWSError as error:
        if error_code(error) not in DENIED_CODES:
            raise
        return Agent(pods=playing) if playing else None
    if found is None:
        return Agent(pods=playing)
    return Agent(found.status, found.addon.version, tuple(map(str, found.issues)), playing)
