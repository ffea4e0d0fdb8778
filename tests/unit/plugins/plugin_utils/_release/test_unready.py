# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods of a release that aren't ready, and why, in one sentence."""

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.plugin_utils._release.model import Target
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.unready import Seen, unready

RELEASE = Target("enbuild", "shop")
INSTALLED = {"meta.helm.sh/release-name": "enbuild", "meta.helm.sh/release-namespace": "shop"}


def thing(name: str, owner: tuple[str, str] | None = None, **more: t.Any) -> dict[str, t.Any]:
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": references}, **more}


def pod(name: str, status: t.Any, owner: tuple[str, str] = ("ReplicaSet", "ai-1")) -> dict[str, t.Any]:
    return thing(name, owner, status={"phase": "Pending", **status})


def workload(name: str, *conditions: t.Any) -> dict[str, t.Any]:
    made = thing(name, kind="Deployment", status={"conditions": list(conditions)})
    made["metadata"]["annotations"] = INSTALLED
    return made


def said(*pods: t.Any, events: t.Any = (), workloads: t.Any = None) -> str:
    sets = [thing("ai-1", ("Deployment", "ai")), thing("other-1", ("Deployment", "other"))]
    return unready(RELEASE, Seen(pods, sets, workloads or [workload("ai")], events))


def waiting(reason: str, message: str = "") -> dict[str, t.Any]:
    return {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}]}


def test_ready_ended_and_foreign_pods_are_left_out() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert said(pod("a", ready), pod("b", {"phase": "Failed"}), pod("c", {}, ("ReplicaSet", "other-1"))) == ""


def test_a_container_that_waits_says_why() -> None:
    assert said(pod("a", waiting("ImagePullBackOff", "Back-off pulling image."))) == (
        "Not ready: pod a: container main ImagePullBackOff: Back-off pulling image."
    )


def test_a_container_that_crashes_says_how_it_ended() -> None:
    status = waiting("CrashLoopBackOff")
    status["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 3}}
    assert said(pod("a", status)) == "Not ready: pod a: container main CrashLoopBackOff (last exit code 3)."


def test_a_pod_that_no_node_takes_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes."}
    assert said(pod("a", {"conditions": [condition]})) == "Not ready: pod a: Unschedulable: 0/2 nodes."


def test_a_pod_without_a_reason_of_its_own_has_its_last_warning() -> None:
    events = [
        {"type": "Warning", "involvedObject": {"uid": "uid-a"}, "reason": "Failed", "lastTimestamp": "2026-01-01"},
        {
            "type": "Warning",
            "involvedObject": {"uid": "uid-a"},
            "lastTimestamp": "2026-01-02",
            "reason": "Unhealthy",
            "message": "Readiness probe failed",
        },
        {"type": "Normal", "involvedObject": {"uid": "uid-a"}, "reason": "Pulled", "lastTimestamp": "2026-01-03"},
        {"type": "Warning", "involvedObject": {"uid": "uid-b"}, "reason": "Other", "lastTimestamp": "2026-01-03"},
    ]
    running = {"phase": "Running", "containerStatuses": [{"name": "main", "state": {"running": {}}}]}
    assert said(pod("a", running), events=events) == "Not ready: pod a: Unhealthy: Readiness probe failed."
    assert said(pod("a", running)) == "Not ready: pod a: Running, and not ready."


def test_a_workload_that_gets_no_pods_says_why() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    assert said(workloads=[workload("ai", refused)]) == "Not ready: Deployment ai: FailedCreate: exceeded quota."


def test_pods_of_other_owners_count_by_the_label_and_many_are_counted() -> None:
    pods = [pod(f"p{n}", waiting("ErrImagePull"), ("Rollout", "x")) for n in range(7)]
    for each in pods:
        each["metadata"]["labels"] = {"app.kubernetes.io/instance": "enbuild"}
    text = said(*pods)
    assert text.count("ErrImagePull") == 5
    assert text.endswith("; and 2 more.")
