# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod
from ansible_collections.enbuild.eks.plugins.module_utils._workload.rollout import (
    Room,
    held_by,
    needs_nodes,
    note,
    obstacle,
    only_surges,
)


def rolling(key: str, **rolling_update: t.Any) -> t.Any:
    return {key: {"type": "RollingUpdate", "rollingUpdate": rolling_update}}


@pytest.mark.parametrize(
    ("kind", "spec", "surges"),
    [
        ("Deployment", {}, True),
        ("Deployment", {"replicas": 3}, True),
        ("Deployment", {"replicas": 4}, False),
        ("Deployment", {"replicas": 5, **rolling("strategy", maxUnavailable="0%")}, True),
        ("Deployment", {"replicas": 5, **rolling("strategy", maxSurge=0, maxUnavailable=1)}, False),
        ("Deployment", {"strategy": {"type": "Recreate"}}, False),
        ("StatefulSet", {"replicas": 3}, False),
        ("DaemonSet", {}, False),
        ("DaemonSet", rolling("updateStrategy", maxSurge=1), True),
        ("DaemonSet", rolling("updateStrategy", maxSurge="10%"), True),
    ],
)
def test_a_rollout_that_takes_no_pod_away_first(kind: str, spec: t.Any, surges: bool) -> None:
    assert only_surges({"kind": kind, "spec": spec}) == surges


def workload(kind: str, spec: t.Any = None, container: t.Any = None, **pod_spec: t.Any) -> t.Any:
    template = {"metadata": {"labels": {"app": "orders"}}, "spec": {"containers": [container or {}], **pod_spec}}
    return {
        "kind": kind,
        "metadata": {"namespace": "shop", "name": "orders"},
        "spec": {"replicas": 2, "template": template, **(spec or {})},
    }


def pods(kind: str, ready: t.Sequence[bool] = (True, True)) -> list[Pod]:
    owner = Owner(kind, "shop", "orders")
    return [
        Pod(f"orders-{number}", "shop", "orders", owner, ("app",), node=f"n{number}", ready=each)
        for number, each in enumerate(ready)
    ]


def node(name: str, **more: t.Any) -> t.Any:
    """One that is ready, unless ``more`` says otherwise."""
    status = {"conditions": [{"type": "Ready", "status": more.pop("ready", "True")}]}
    return {"metadata": {"name": name, "labels": more.pop("labels", {})}, "spec": more, "status": status}


NEVER = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
HOST_PORT = {"ports": [{"containerPort": 80, "hostPort": 8080}]}
PORT = {"ports": [{"containerPort": 80}]}
TAKEN = (node("n0"), node("n1"))


@pytest.mark.parametrize(
    ("found", "ready", "words"),
    [
        (workload("Deployment"), (True, False), ""),
        (
            workload("Deployment", {"paused": True}),
            (True,),
            "kubectl rollout resume deployment/orders -n shop",
        ),
        (workload("DaemonSet"), (True, False), ""),
        (workload("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}), (True,), "only as you delete them"),
        (workload("StatefulSet"), (True, True), ""),
        (
            workload("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}),
            (True,),
            "kubectl delete pod orders-0 -n shop",
        ),
        (workload("StatefulSet"), (True, False), "waits for pod orders-1, which isn't ready"),
        (workload("StatefulSet", {"podManagementPolicy": "Parallel"}), (True, False), ""),
        (
            workload("StatefulSet", {"updateStrategy": {"rollingUpdate": {"partition": 1}}}),
            (True, True),
            "below ordinal 1 as they are (rollingUpdate.partition): kubectl patch statefulset/orders -n shop",
        ),
        (workload("StatefulSet", {"updateStrategy": {"rollingUpdate": {"partition": 0}}}), (True, True), ""),
    ],
)
def test_what_never_rolls_is_said_with_a_command(found: t.Any, ready: t.Any, words: str) -> None:
    said = obstacle(found, pods(found["kind"], ready))
    assert words in said
    assert bool(said) == bool(words)
    assert not said or said.startswith(f"{found['kind']} shop/orders ")


@pytest.mark.parametrize(
    ("found", "nodes", "stuck"),
    [
        (workload("Deployment", {"strategy": NEVER}, HOST_PORT), TAKEN, True),
        (workload("Deployment", {}, HOST_PORT), TAKEN, True),
        (workload("Deployment", {"strategy": NEVER}, HOST_PORT), (*TAKEN, node("n2")), False),
        (workload("Deployment", {"strategy": NEVER}, HOST_PORT), (*TAKEN, node("n2", unschedulable=True)), True),
        (workload("Deployment", {"strategy": NEVER}, HOST_PORT), (*TAKEN, node("n2", ready="False")), True),
        (
            workload("Deployment", {"strategy": NEVER}, HOST_PORT, nodeSelector={"disk": "ssd"}),
            (*TAKEN, node("n2", labels={"disk": "hdd"})),
            True,
        ),
        (workload("Deployment", {"strategy": NEVER}, HOST_PORT), None, False),
        (workload("Deployment", {"strategy": NEVER}, {"ports": [{"containerPort": 80}]}), TAKEN, False),
        (
            workload("Deployment", {"strategy": NEVER}, {"ports": [{"containerPort": 80}]}, hostNetwork=True),
            TAKEN,
            True,
        ),
        (workload("Deployment", {"strategy": {"type": "Recreate"}}, HOST_PORT), TAKEN, False),
        (workload("Deployment", {"replicas": 8}, HOST_PORT), TAKEN, False),
        (workload("StatefulSet", {}, HOST_PORT), TAKEN, False),
        (workload("DaemonSet", {}, HOST_PORT), TAKEN, False),
    ],
)
def test_host_ports_leave_no_node_for_a_surge(found: t.Any, nodes: t.Any, stuck: bool) -> None:
    said = obstacle(found, pods(found["kind"]), Room(nodes=nodes))
    assert ("takes host port 80" in said and "maxUnavailable" in said) == stuck
    assert bool(said) == stuck
    if stuck:
        assert needs_nodes(found)


@pytest.mark.parametrize(
    ("spec", "held"),
    [
        ({}, ""),
        ({"paused": True}, "paused"),
        ({"updateStrategy": {"type": "OnDelete"}}, "OnDelete"),
        (rolling("updateStrategy", partition=1), "partition"),
        (rolling("updateStrategy", partition=0), ""),
        (rolling("updateStrategy", maxUnavailable=1), ""),
    ],
)
def test_a_person_holds_a_rollout_back_in_three_ways(spec: t.Any, held: str) -> None:
    assert held_by({"spec": spec}) == held


def budget(allowed: int, selector: t.Any = None) -> t.Any:
    return {
        "metadata": {"namespace": "shop", "name": "few"},
        "spec": {"selector": selector or {"matchLabels": {"app": "orders"}}},
        "status": {"disruptionsAllowed": allowed},
    }


@pytest.mark.parametrize(
    ("found", "budgets", "words"),
    [
        (workload("StatefulSet"), (budget(0),), "PodDisruptionBudget few allows no disruption of its pods now"),
        (workload("StatefulSet"), (budget(1),), ""),
        (workload("StatefulSet"), (budget(0, {"matchLabels": {"app": "feed"}}),), ""),
        (workload("StatefulSet"), None, ""),
        (workload("Deployment", {"strategy": NEVER}), (budget(0),), ""),
        (workload("Deployment", {"strategy": {"type": "Recreate"}}), (budget(0),), "allows no disruption"),
    ],
)
def test_a_budget_is_noted_where_the_rollout_takes_pods_away_first(found: t.Any, budgets: t.Any, words: str) -> None:
    said = note(found, Room(budgets=budgets))
    assert words in said
    assert bool(said) == bool(words)


def test_a_budget_of_another_namespace_is_another_matter() -> None:
    found = workload("StatefulSet")
    found["metadata"]["namespace"] = "elsewhere"
    assert note(found, Room(budgets=(budget(0),))) == ""
