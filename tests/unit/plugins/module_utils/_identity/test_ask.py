# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a pod is asked, against an API server and a node that answer from memory."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.ask import LOOKS, Asker
from ansible_collections.enbuild.eks.plugins.module_utils._identity.ephemeral import NAME
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.api import KubernetesError
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._identity.test_ephemeral import IMAGE, pod

POD = Pod("a", "shop", "orders", Owner("Pod", "shop", "a"), container="app", uid="1")
GOOD = "proof.tool=curl\nproof.came=yes\nproof.account=123456789012\n"
NONE = "proof.tool=none\n"
RUNNING = {"running": {"startedAt": "2030-01-01T00:00:00Z"}}
OVER = {"terminated": {"exitCode": 0, "finishedAt": "2030-01-01T00:05:00Z"}}
FORBIDDEN = KubernetesError("Failed to add. Allow it by RBAC.", 403, 'violates PodSecurity "restricted:latest"')


class Cluster:
    """Takes Kubernetes' place; ``states`` are what a container of ours is in, one after another."""

    def __init__(self, states: list[dict[str, t.Any]], said: t.Any = GOOD, refusal: Exception | None = None) -> None:
        self.states, self.said, self.refusal = states, said, refusal
        self.in_image: t.Any = NONE
        self.item = pod()
        self.added: list[dict[str, t.Any]] = []
        self.looks = 0

    def holds(self, image: str) -> Cluster:
        """With a container of our name from before."""
        self.item["spec"]["ephemeralContainers"] = [{"name": NAME, "image": image}]
        return self

    def execute(self, pod: Pod, _command: t.Sequence[str]) -> str:
        said = self.said if pod.container == NAME else self.in_image
        if isinstance(said, Exception):
            raise said
        return str(said)

    def pod(self, _pod: Pod) -> dict[str, t.Any]:
        self.looks += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {**self.item, "status": {"ephemeralContainerStatuses": [{"name": NAME, "state": state}]}}

    def add_container(self, pod: Pod, container: dict[str, t.Any]) -> dict[str, t.Any]:
        if self.refusal:
            raise self.refusal
        self.added.append(container)
        return self.holds(container["image"]).pod(pod)


def asker(cluster: Cluster, **options: t.Any) -> Asker:
    kubernetes: t.Any = cluster
    given = {"image": IMAGE, "pause": lambda _seconds: None, **options}
    return Asker(kubernetes, **given)


def test_where_none_is_asked_for_none_is_added() -> None:
    cluster = Cluster([RUNNING])
    found = asker(cluster, image="").ask(POD)
    assert (found.good, found.message) == (None, "The image of pod a has neither Python, curl, wget nor busybox.")
    assert (cluster.added, cluster.looks) == ([], 0)


def test_a_pod_with_something_to_ask_with_gets_no_container() -> None:
    cluster = Cluster([RUNNING])
    cluster.in_image = GOOD
    found = asker(cluster).ask(POD)
    assert (found.how, found.good, found.added, cluster.added) == ("exec", True, False, [])


def test_a_container_is_added_and_asked_when_it_runs() -> None:
    cluster = Cluster([{}, {}, {"waiting": {"reason": "ContainerCreating"}}, RUNNING])
    found = asker(cluster).ask(POD)
    assert (found.how, found.good, found.added, found.message) == ("ephemeral_container", True, True, "")
    assert found.tool == "curl in an ephemeral container"
    assert [each["image"] for each in cluster.added] == [IMAGE]


def test_one_that_runs_is_asked_again_and_no_other_is_added() -> None:
    for predicts in (False, True):
        cluster = Cluster([RUNNING]).holds(IMAGE)
        found = asker(cluster, predicts=predicts).ask(POD)
        assert (found.good, found.added, cluster.added) == (True, False, [])


def test_a_pod_that_gets_no_credentials_is_told_by_the_container() -> None:
    found = asker(Cluster([RUNNING], "proof.tool=python\nproof.came=no\nproof.sdk=NoCredentialsError\n")).ask(POD)
    assert (found.good, found.sdk_error) == (False, ""), "the SDK is the image's, and not the workload's"
    assert found.message.startswith("Pod a asked the agent by python in an ephemeral container, and got no")


UNKNOWN: dict[str, tuple[Cluster, dict[str, t.Any], str, bool]] = {
    "check mode": (Cluster([RUNNING]), {"predicts": True}, "In check mode, no ephemeral container is added", False),
    "refused": (
        Cluster([{}], refusal=FORBIDDEN),
        {},
        'No ephemeral container could be added: violates PodSecurity "restricted:latest".',
        False,
    ),
    "no image": (Cluster([{}, {"waiting": {"reason": "ErrImagePull"}}]), {}, "doesn't start (ErrImagePull)", True),
    "never starts": (Cluster([{}]), {}, f"Ephemeral container {NAME} has not started in time", True),
    "over": (Cluster([OVER]).holds(IMAGE), {}, "ended with exit code 0 at 2030-01-01T00:05:00Z", False),
    "somebody else's": (Cluster([RUNNING]).holds("evil/x"), {}, "is there already, with image evil/x", False),
    "nothing in it": (Cluster([RUNNING], NONE), {}, f"with image {IMAGE}, has neither Python", True),
    "a flood": (Cluster([RUNNING], KubernetesError("It printed more than is read.")), {}, "more than is read", True),
}


@pytest.mark.parametrize(("cluster", "options", "words", "added"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_can_not_be_asked_is_unknown_with_the_reason(
    cluster: Cluster, options: dict[str, t.Any], words: str, added: bool
) -> None:
    found = asker(cluster, **options).ask(POD)
    assert (found.how, found.good, found.added) == ("", None, added)
    assert found.message.startswith("The image of pod a has neither Python, curl, wget nor busybox. ")
    assert words in found.message
    assert "Allow it" not in found.message, "RBAC is no remedy for a refusal"
    assert cluster.looks == (LOOKS + 2 if "has not started" in words else min(cluster.looks, 3)), "it waits for nothing"


def test_who_may_not_exec_is_told_so_for_the_whole_namespace() -> None:
    cluster = Cluster([RUNNING])
    cluster.in_image = KubernetesError("Failed to exec.", 403)
    asking = asker(cluster)
    assert [asking.ask(POD).message for _unused in range(2)] == [
        "Failed to exec.",
        "The caller may not exec in pods of namespace shop.",
    ]
    assert cluster.looks == 0
