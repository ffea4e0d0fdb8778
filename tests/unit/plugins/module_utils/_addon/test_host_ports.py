# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._addon.host_ports import holders, sentence
from ansible_collections.enbuild.eks.plugins.module_utils._addon.plan import Key

KEY = Key("prod", "eks-pod-identity-agent")
PORTS = (80, 2703)
OWN = [{"kind": "DaemonSet", "name": KEY.name, "controller": True}]


def pod(name: str, *ports: dict[str, t.Any], node: str = "n1", phase: str = "Running", **meta: t.Any) -> t.Any:
    spec = {"nodeName": node, "containers": [{"name": "main"}, {"name": "web", "ports": list(ports)}]}
    return {"metadata": {"namespace": "web", "name": name, **meta}, "spec": spec, "status": {"phase": phase}}


def node(**labels: str) -> t.Any:
    return {"metadata": {"name": "n1", "labels": labels}}


AUTO = node(**{"eks.amazonaws.com/compute-type": "auto"})
WINDOWS = node(**{"kubernetes.io/os": "windows"})
HTTP = {"containerPort": 8080, "hostPort": 80}


@pytest.mark.parametrize(
    ("found", "nodes", "held"),
    [
        (pod("a", HTTP), [node()], (80,)),
        (pod("a", HTTP), None, (80,)),
        (pod("a", {**HTTP, "hostIP": "10.0.0.1"}, {"hostPort": 2703}), [node()], (80, 2703)),
        (pod("a", {"containerPort": 80}), None, ()),
        (pod("a", {"containerPort": 80, "hostPort": 8080}), None, ()),
        (pod("a", {**HTTP, "protocol": "UDP"}), None, ()),
        (pod("a", HTTP, node=""), None, ()),
        (pod("a", HTTP, phase="Succeeded"), None, ()),
        (pod("a", HTTP, deletionTimestamp="now"), None, ()),
        (pod("a", HTTP), [AUTO], ()),
        (pod("a", HTTP), [WINDOWS], ()),
        (pod("a", HTTP, namespace="kube-system", ownerReferences=OWN), None, ()),
        (pod("a", HTTP, ownerReferences=OWN), None, (80,)),
        (pod("a", HTTP, namespace="kube-system"), None, (80,)),
    ],
)
def test_a_pod_that_the_scheduler_would_count_is_in_the_way(found: t.Any, nodes: t.Any, held: tuple[int, ...]) -> None:
    assert [each.ports for each in holders(KEY, PORTS, [found], nodes)] == ([held] if held else [])


def test_they_are_named_with_what_to_do() -> None:
    said = sentence(KEY, PORTS, holders(KEY, PORTS, [pod(f"p{number}", HTTP) for number in range(7)], None))
    assert "needs port 80 and 2703 of each node" in said
    assert "pod web/p0 (port 80 of n1), pod web/p1" in said
    assert "pod web/p4 (port 80 of n1) and 2 more." in said
    assert "p5" not in said
    assert "pod_identity_agent_evict_pods true" in said
