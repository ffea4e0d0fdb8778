# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the cluster as a whole: its agent, and associations that nothing uses. Pure."""

from __future__ import annotations

import typing as t

from ..evidence import Agent, Cluster, Evidence, Node, Surroundings
from . import remedies
from .codes import Finding
from .pod import AGENT

Association = t.Mapping[str, t.Any]


def of_cluster(around: Surroundings, seen: t.Sequence[Evidence], orphans: t.Iterable[Association]) -> list[Finding]:
    """Findings that belong to no workload; ``orphans`` are the associations that nothing can use."""
    concerned = [each for each in seen if each.concerned and each.template]
    return [*_of_agent(around, concerned), *(_orphan(around.cluster, each) for each in orphans)]


def _of_agent(around: Surroundings, concerned: t.Sequence[Evidence]) -> t.Iterator[Finding]:
    agent, cluster = around.agent, around.cluster
    if agent is None:
        return
    if agent.addon_status and cluster.auto_mode and around.nodes and not _needing(around.nodes.values()):
        yield _auto_mode(cluster)
    elif concerned and agent.unhealthy:
        yield _agent_unhealthy(around, agent)
    elif concerned and not agent.present and _needed(around, concerned):
        yield _agent_missing(cluster)


def _needing(nodes: t.Iterable[Node]) -> list[Node]:
    return [node for node in nodes if not (node.built_in or node.unfit)]


def _needed(around: Surroundings, concerned: t.Sequence[Evidence]) -> bool:
    """Whether pods that should have an identity run where an agent has to be; without pods, any node counts."""
    used = {pod.node for each in concerned for pod in each.pods if pod.node}
    nodes = [around.nodes.get(name, Node(name)) for name in used] or list(around.nodes.values())
    return bool(_needing(nodes)) if nodes else not around.cluster.auto_mode


def _auto_mode(cluster: Cluster) -> Finding:
    return Finding(
        "auto_mode",
        f"Cluster {cluster.name}",
        f"Every node of cluster {cluster.name} is EKS Auto Mode's, which brings the agent along: the add-on {AGENT} "
        "isn't needed",
        remedies.eks(cluster, "delete-addon", "--addon-name", AGENT),
    )


def _agent_missing(cluster: Cluster) -> Finding:
    return Finding(
        "agent_missing",
        f"Cluster {cluster.name}",
        f"The add-on {AGENT} isn't installed in cluster {cluster.name}: no pod gets credentials",
        remedies.eks(cluster, "create-addon", "--addon-name", AGENT),
    )


def _agent_unhealthy(around: Surroundings, agent: Agent) -> Finding:
    bare = [node.name for node in _needing(around.nodes.values()) if not agent.ready_on(node.name)]
    where = f"; no agent is ready on {', '.join(sorted(bare))}" if bare else ""
    why = "; ".join(issue.rstrip(".") for issue in agent.issues) or "EKS names no issue"
    version = ("--addon-version", agent.version) if agent.version else ()
    words = ("--addon-name", AGENT, *version, "--resolve-conflicts", "OVERWRITE")
    return Finding(
        "agent_unhealthy",
        f"Cluster {around.cluster.name}",
        f"The add-on {AGENT} of cluster {around.cluster.name} is {agent.addon_status}: {why}{where}",
        remedies.eks(around.cluster, "update-addon", *words),
    )


def _orphan(cluster: Cluster, association: Association) -> Finding:
    place = f"{association['namespace']}/{association['service_account']}"
    gone = "service account" if association["namespace_exists"] else "namespace"
    return Finding(
        "association_orphan",
        f"Association {association['association_id']}",
        f"Association {association['association_id']} is for {place}, and that {gone} doesn't exist",
        remedies.delete_association(cluster, association["association_id"]),
    )
