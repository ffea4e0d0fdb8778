# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role pod_identity_rollout and rotate.yml on the lab, with every kind of workload."""

from __future__ import annotations

import json
import threading
import time
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.lab.cluster import NODES
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

SPACE = "rollout"
STARTED = ("statefulset/parted", "deployment/port")
LEFT = {"held", "slow", "bare", "night", "parted", "broken", "port"}
RESTARTED = {"Deployment api", "StatefulSet queue", "DaemonSet log"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
Object = dict[str, t.Any]


def workload(kind: str, name: str, **spec: t.Any) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": pod(labels), **spec},
    }


def pod(labels: Object, **annotations: str) -> Object:
    containers = [{"name": "main", "image": "registry.example.com/app"}]
    spec = {"serviceAccountName": "app", "terminationGracePeriodSeconds": 0, "containers": containers}
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}


PARTITION = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
NEVER_LESS = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
STUCK_POD = pod({"app": "broken"}, **{"lab.enbuild.eks/stuck": "true"})
PORT_POD = pod({"app": "port"})
PORT_POD["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
JOB_POD = pod({"app": "night"}, **{"lab.enbuild.eks/stuck": "true"})  # Another pod of a Job ends at once.
OBJECTS: list[Object] = [
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}},
    workload("Deployment", "api", replicas=4, strategy={"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}),
    workload("Deployment", "held", paused=False),
    workload("StatefulSet", "queue", replicas=2, serviceName="queue"),
    workload("StatefulSet", "slow", replicas=1, serviceName="slow", updateStrategy={"type": "OnDelete"}),
    workload("DaemonSet", "log"),
    workload("StatefulSet", "parted", replicas=2, serviceName="parted", updateStrategy=PARTITION),
    workload("StatefulSet", "broken", replicas=1, serviceName="broken", template=STUCK_POD),
    workload("Deployment", "port", replicas=NODES, template=PORT_POD, strategy=NEVER_LESS),
    {"apiVersion": "v1", "kind": "Pod", **pod({"app": "bare"}), "metadata": {"name": "bare"}},
    {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "night"},
        "spec": {"template": {**JOB_POD, "spec": {**JOB_POD["spec"], "restartPolicy": "Never"}}},
    },
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "queue"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "queue"}}},
    },
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "api"},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "api"}}},
    },
]


class Cluster:
    """The namespace of these tests."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.role_arn = f"arn:aws:iam::{lab.account_id}:role/app"

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self.lab.kubectl(*words, "-n", SPACE, input=given)

    def pods(self) -> dict[str, tuple[str, bool]]:
        """Name, and whether it is injected, of each pod that stays, with its app."""
        items = json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]
        return {
            item["metadata"]["uid"]: (item["metadata"]["labels"].get("app", item["metadata"]["name"]), _injected(item))
            for item in items
            if "deletionTimestamp" not in item["metadata"]
        }

    def available(self) -> int:
        found = json.loads(self.kubectl("get", "deployment", "api", "-o", "json"))
        return int(found["status"].get("availableReplicas", 0))

    def run(self, playbook: str, *workloads: Object, **variables: t.Any) -> PlaybookRun:
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "pod_identity_workloads": [
                {"namespace": SPACE, "role_arn": self.role_arn, **item}
                for item in workloads or ({"name": "all", "service_account": "app"},)
            ],
            **variables,
        }
        return run_playbook([playbook, "-e", json.dumps(given)], self.lab.environment())


def _injected(item: Object) -> bool:
    names = {variable["name"] for variable in item["spec"]["containers"][0].get("env", [])}
    return "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A playbook of the role, and of the report that has its notes."""
    file = tmp_path_factory.mktemp("playbooks") / "rollout.yml"
    play = {
        "name": "Restart what is stale",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "roles": ["enbuild.eks.pod_identity_rollout"],
        "post_tasks": [{"name": "Report", "enbuild.eks.pod_identity_report": {"about": "run", "changes": True}}],
    }
    file.write_text(json.dumps([play]))
    return str(file)


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> t.Iterator[Cluster]:
    """Pods of every kind, older than their association."""
    lab.reset()
    made = Cluster(lab)
    namespaces.renew(lab, SPACE)
    made.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}))
    for name in ("deployment/api", "deployment/held", "statefulset/queue", "daemonset/log", *STARTED):
        made.kubectl("rollout", "status", name, "--timeout=60s")
    made.kubectl("rollout", "pause", "deployment/held")
    lab.aws("eks").create_addon(clusterName=lab.cluster_name, addonName=agent.AGENT)
    lab.aws("iam").create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST))
    lab.aws("eks").create_pod_identity_association(
        clusterName=lab.cluster_name, namespace=SPACE, serviceAccount="app", roleArn=made.role_arn
    )
    lab.aws("iam").attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    yield made
    namespaces.leave(lab, SPACE)
    lab.reset()


def restarts(run: PlaybookRun) -> list[str]:
    """Kinds and names of what was restarted, in order."""
    return [
        change.partition("Restart ")[2].replace(f" {SPACE}/", " ") for change in run.changed if ": Restart " in change
    ]


def test_only_what_is_stale_and_can_be_restarted_is_and_the_rest_is_named(cluster: Cluster, rollout: str) -> None:
    before = cluster.pods()
    lowest, done = [cluster.available()], threading.Event()

    def watch() -> None:
        while not done.is_set():
            lowest.append(cluster.available())
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run = cluster.run(rollout)
    finally:
        done.set()
        watcher.join()
    assert run.returncode == 0, run.output
    assert set(restarts(run)) == RESTARTED
    assert min(lowest) >= 3, "more pods at once were away than maxUnavailable and the disruption budget allow"
    after = cluster.pods()
    assert {app for app, good in after.values() if not good} == LEFT
    assert {before[uid][0] for uid in set(before) & set(after)} == LEFT
    for words in (
        f"Recreate pod {SPACE}/bare, which has no owner",
        f"Job {SPACE}/night is left alone",
        f"Deployment {SPACE}/held is paused: kubectl rollout resume deployment/held -n {SPACE}",
        f"StatefulSet {SPACE}/slow replaces its pods only as you delete them",
        f"StatefulSet {SPACE}/parted keeps its pods below ordinal 1 as they are (rollingUpdate.partition)",
        f"StatefulSet {SPACE}/broken waits for pod broken-0, which isn't ready",
        f"Deployment {SPACE}/port can't surge: each of its pods takes host port 8080 of a node",
        f"StatefulSet {SPACE}/queue: PodDisruptionBudget queue allows no disruption of its pods now",
    ):
        assert words in run.output


def test_nothing_is_restarted_before_a_new_pod_would_be_injected(cluster: Cluster, rollout: str) -> None:
    """A webhook that doesn't know the association yet would make pods that are as stale as the old."""
    cluster.kubectl("create", "serviceaccount", "late")
    cluster.kubectl("create", "deployment", "late", "--image=registry.example.com/late")
    cluster.kubectl("set", "serviceaccount", "deployment/late", "late")
    cluster.kubectl("rollout", "status", "deployment/late", "--timeout=60s")
    cluster.lab.weather(webhook_cold_seconds=3600)
    try:
        cluster.lab.aws("eks").create_pod_identity_association(
            clusterName=cluster.lab.cluster_name, namespace=SPACE, serviceAccount="late", roleArn=cluster.role_arn
        )
        run = cluster.run(rollout, {"deployment": "late"}, pod_identity_rollout_injection_timeout=3)
    finally:
        cluster.lab.weather(webhook_cold_seconds=0)
    assert run.returncode != 0
    assert restarts(run) == []
    assert (
        "Waited 3 s without success for pods created now to get credentials. Last seen: Deployment rollout/late: "
        in run.output
    )
    assert "Of 3 pods that were tried as a dry run just now, 0 would get credentials" in run.output
    assert "Unknown error" not in run.output


def test_rotate_restarts_all_in_turn_and_proves_them(cluster: Cluster) -> None:
    before = set(cluster.pods())
    named = [{"deployment": "api"}, {"statefulset": "queue"}, {"daemonset": "log"}]
    run = cluster.run("enbuild.eks.rotate", *named)
    assert run.returncode == 0, run.output
    assert restarts(run) == ["Deployment api", "StatefulSet queue", "DaemonSet log"]
    assert not {uid for uid, (app, _good) in cluster.pods().items() if app in ("api", "queue", "log")} & before
    assert "3 workloads (3 issued); no finding" in run.output
