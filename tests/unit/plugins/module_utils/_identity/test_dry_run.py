# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.dry_run import Tried, try_pods
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.api import KubernetesError
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import (
    CREDENTIALS_URI,
    TOKEN_FILE,
    TOKEN_VOLUME,
    Owner,
    Template,
    plain_template,
)

PLACE = ("shop", "orders")
OWN = Template(
    Owner("Deployment", "shop", "orders"),
    {"spec": {"serviceAccountName": "orders", "containers": [{"name": "app", "image": "app"}]}},
)
MADE_UP = plain_template(*PLACE)
PODSECURITY = 'pods "orders-" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
QUOTA = 'pods "orders-" is forbidden: exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4'
WEBHOOK = 'Internal error occurred: failed calling webhook "policy.example.com": connection refused'
RBAC = 'pods is forbidden: User "a" cannot create resource "pods" in API group "" in the namespace "shop"'


class Cluster:
    """Admits pods as told: with the injection and ``added`` containers, or with an error."""

    def __init__(self, status: int = 0, words: str = "", added: t.Sequence[str] = ()) -> None:
        self.status, self.words, self.added = status, words, added

    def created_now(self, pod: t.Any) -> t.Any:
        if self.status:
            raise KubernetesError(f"Failed: {self.words}. Allow it to the caller by RBAC.", self.status, self.words)
        made = copy.deepcopy(pod)
        for container in made["spec"]["containers"]:
            container["env"] = [{"name": CREDENTIALS_URI}, {"name": TOKEN_FILE}]
            container["volumeMounts"] = [{"name": TOKEN_VOLUME}]
        made["spec"]["volumes"] = [{"name": TOKEN_VOLUME}]
        made["spec"]["containers"] += [{"name": name} for name in self.added]
        return made


def attempt(cluster: Cluster, template: Template = OWN, times: int = 2) -> Tried:
    return try_pods(t.cast("t.Any", cluster), {PLACE: [template]}, {PLACE: times})[PLACE]


def test_each_attempt_counts() -> None:
    assert attempt(Cluster()).injected == (True, True)


def test_containers_that_another_webhook_adds_want_no_injection() -> None:
    assert attempt(Cluster(added=["istio-proxy"])).injected == (True, True)


@pytest.mark.parametrize(("status", "words"), [(403, PODSECURITY), (403, QUOTA), (422, "no"), (500, WEBHOOK)])
def test_a_refusal_is_what_the_api_server_said_and_no_more(status: int, words: str) -> None:
    assert attempt(Cluster(status, words)) == Tried(refusal=words)
    assert attempt(Cluster(status, words), MADE_UP) == Tried(untried=words)


def test_a_caller_who_may_not_try() -> None:
    found = attempt(Cluster(403, RBAC))
    assert (found.injected, found.refusal, found.untried) == ((), "", "")
    assert RBAC in found.denied
    assert "RBAC" in found.denied.removeprefix(RBAC)


@pytest.mark.parametrize(("status", "words"), [(500, "etcd is slow"), (401, "Unauthorized"), (503, "later")])
def test_a_failure_that_is_not_about_pods_is_one(status: int, words: str) -> None:
    with pytest.raises(KubernetesError):
        attempt(Cluster(status, words))


def test_a_made_up_pod_meets_the_restricted_standard() -> None:
    spec = MADE_UP.pod["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
