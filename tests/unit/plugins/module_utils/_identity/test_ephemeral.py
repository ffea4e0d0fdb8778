# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.ephemeral import (
    LONGEST,
    NAME,
    Observed,
    desired,
    observed,
)

IMAGE = "registry.example.com/busybox"
INJECTED = {
    "AWS_STS_REGIONAL_ENDPOINTS": "regional",
    "AWS_REGION": "us-east-1",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/token",
}
MOUNT = {"name": "eks-pod-identity-token", "mountPath": "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"}
OWN = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SAFE = {**OWN, "seccompProfile": {"type": "RuntimeDefault"}}


def pod(
    security: dict[str, t.Any] | None = None, of_pod: dict[str, t.Any] | None = None, **more: t.Any
) -> dict[str, t.Any]:
    """A pod whose second container carries the injection, beside variables of its own."""
    given = {"DATABASE_PASSWORD": "secret", **INJECTED}
    app = {
        "name": "app",
        "env": [{"name": name, "value": value} for name, value in given.items()],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, MOUNT],
        "securityContext": security,
        **more,
    }
    return {"spec": {"containers": [{"name": "side"}, app], "securityContext": of_pod}}


def test_it_has_the_token_and_the_webhooks_variables_and_nothing_else_of_the_pod() -> None:
    made = desired(pod(), "app", IMAGE)
    assert made
    assert (made["name"], made["image"], made["volumeMounts"]) == (NAME, IMAGE, [{**MOUNT, "readOnly": True}])
    values = {each["name"]: each["value"] for each in made["env"]}
    assert values == {**INJECTED, "AWS_EC2_METADATA_DISABLED": "true"}
    assert "targetContainerName" not in made, "it needn't see the other's processes"


@pytest.mark.parametrize(
    "more",
    [
        {"env": [{"name": name, "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}} for name in INJECTED]},
        {"env": []},
        {"volumeMounts": []},
    ],
    ids=["references", "no variables", "no token"],
)
def test_where_the_injection_is_not_the_webhooks_none_is_added(more: dict[str, t.Any]) -> None:
    assert desired(pod(**more), "app", IMAGE) is None


@pytest.mark.parametrize(
    ("of_target", "of_pod", "user"),
    [
        ({}, {}, {}),
        ({"runAsUser": 1000, "runAsGroup": 7, "runAsNonRoot": True}, {}, "of_target"),
        ({"runAsNonRoot": True}, {}, {"runAsNonRoot": True, "runAsUser": 65534}),
        ({}, {"runAsNonRoot": True}, {"runAsUser": 65534}),
        ({}, {"runAsNonRoot": True, "runAsUser": 1000}, {}),
        ({"runAsNonRoot": False}, {"runAsNonRoot": True}, {"runAsNonRoot": False}),
        ({"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}, "runAsUser": 0}, {}, {"runAsUser": 0}),
    ],
)
def test_it_runs_as_the_targets_user_and_never_with_its_privileges(
    of_target: dict[str, t.Any], of_pod: dict[str, t.Any], user: t.Any
) -> None:
    made = desired(pod(of_target, of_pod), "app", IMAGE)
    assert made
    assert made["securityContext"] == {**(of_target if user == "of_target" else user), **SAFE}


def with_state(state: dict[str, t.Any], name: str = NAME) -> dict[str, t.Any]:
    spec = {"ephemeralContainers": [{"name": "debugger-x", "image": "x"}, {"name": name, "image": IMAGE}]}
    states = [{"name": "debugger-x", "state": {"running": {}}}, *([{"name": name, "state": state}] if state else [])]
    return {"spec": spec, "status": {"ephemeralContainerStatuses": states}}


AGAIN = "and Kubernetes starts none twice. Replace the pod to ask again"
STATES: dict[str, tuple[dict[str, t.Any], bool, str]] = {
    "not seen by the node": ({}, False, ""),
    "creating": ({"waiting": {"reason": "ContainerCreating"}}, False, ""),
    "running": ({"running": {"startedAt": "2030-01-01T00:00:00Z"}}, True, ""),
    "no image": (
        {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling\u202e image"}},
        False,
        "doesn't start (ImagePullBackOff: Back-off pulling image)",
    ),
    "over": (
        {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2030-01-01T00:05:00Z"}},
        False,
        f"ended with exit code 0 at 2030-01-01T00:05:00Z (Completed), {AGAIN}",
    ),
}


@pytest.mark.parametrize(("state", "running", "obstacle"), STATES.values(), ids=STATES)
def test_its_state_is_the_nodes(state: dict[str, t.Any], running: bool, obstacle: str) -> None:
    assert observed(with_state(state)) == Observed(IMAGE, running, obstacle)


def test_other_ephemeral_containers_are_somebody_elses() -> None:
    assert observed(with_state({"running": {}}, "debugger-y")) == observed({"spec": {}}) == Observed()


def test_very_long_words_of_a_registry_are_cut() -> None:
    seen = observed(with_state({"waiting": {"reason": "ErrImagePull", "message": "x" * 9000}}))
    assert len(seen.obstacle) < LONGEST + 50
