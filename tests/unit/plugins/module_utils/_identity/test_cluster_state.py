# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.cluster_state import (
    AGENT_SECONDS,
    agents_by_node,
    with_agents,
)
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Agent, Evidence, Node, Surroundings
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod
from ansible_collections.enbuild.eks.plugins.module_utils._workload.model import Workload


def pod(name: str, node: str, namespace: str = "kube-system", kind: str = "DaemonSet") -> dict[str, t.Any]:
    owners = [{"kind": kind, "name": "eks-pod-identity-agent", "uid": "d", "controller": True}]
    return {
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": owners},
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_the_agent_is_what_a_daemon_set_in_kube_system_owns() -> None:
    """Its label is on any pod whose owner writes it."""
    pods = [pod("a", "one"), pod("b", "two", "shop"), pod("c", "three", kind="Job")]
    assert agents_by_node(pods) == {"one": ("a", True)}


OWNER = Owner("Deployment", "shop", "orders")
ALIVE = Pod("a", "shop", "orders", OWNER, node="n")
READY, LATE = Agent("ACTIVE", pods={"n": ("agent", True)}), Agent("ACTIVE", pods={"other": ("agent", True)})


def around(agent: Agent | None, created: str = "2026-11-28T10:00:00Z", compute: str = "") -> Surroundings:
    return Surroundings(nodes={"n": Node("n", compute, created=created)}, agent=agent)


def looked(first: Surroundings, *later: Surroundings, tried_at: str = "2026-11-28T10:01:00Z") -> tuple[bool, int]:
    """Whether the agent is ready in the end, and how often that was asked."""
    seen = Evidence(Workload("orders", OWNER), None, None, (ALIVE,), around=first, tried_at=tried_at)
    left = list(later)
    (end,) = with_agents([seen], lambda: left.pop(0), sleep=lambda _seconds: None)
    return end.around.agent is not None and end.around.agent.ready_on("n"), len(later) - len(left)


def test_a_pod_on_a_new_node_is_looked_at_again_until_its_agent_is_there() -> None:
    assert looked(around(LATE), around(LATE), around(LATE), around(READY), around(LATE)) == (True, 3)


@pytest.mark.parametrize(
    ("first", "tried_at"),
    [
        (around(READY), "2026-11-28T10:01:00Z"),
        (around(LATE), "2026-11-28T10:02:00Z"),
        (around(LATE), ""),
        (around(LATE, ""), "2026-11-28T10:01:00Z"),
        (around(LATE, compute="fargate"), "2026-11-28T10:01:00Z"),
        (around(None), "2026-11-28T10:01:00Z"),
        (around(Agent()), "2026-11-28T10:01:00Z"),
        (around(Agent("DEGRADED")), "2026-11-28T10:01:00Z"),
    ],
)
def test_it_is_not_where_nothing_can_be_expected_of_that(first: Surroundings, tried_at: str) -> None:
    assert looked(first, around(READY), tried_at=tried_at)[1] == 0


def test_an_agent_that_never_comes_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert AGENT_SECONDS <= 60
    monkeypatch.setattr("ansible_collections.enbuild.eks.plugins.module_utils._identity.cluster_state.AGENT_SECONDS", 0)
    assert looked(around(LATE), around(LATE), around(READY)) == (False, 1)
