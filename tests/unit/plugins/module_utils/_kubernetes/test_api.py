# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the API server is asked, against one that answers from memory, in pages of two."""

from __future__ import annotations

import json
import types
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.api import Kubernetes, KubernetesError
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod
from kubernetes.client.exceptions import ApiException

PODS, SETS = "/api/v1/pods", "/apis/apps/v1/replicasets"
AT_ONCE = 2


def item(name: str, owner: tuple[str, str] | None = None, namespace: str = "shop") -> dict[str, t.Any]:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    metadata = {"namespace": namespace, "name": name, "ownerReferences": owners, "managedFields": [{"manager": "m"}]}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Running"}}


class Server:
    """Takes a dynamic client's place; lists of other namespaces than ``allowed`` (None: all) are forbidden."""

    def __init__(self, lists: dict[str, list[dict[str, t.Any]]], allowed: t.Collection[str] | None = None) -> None:
        self._lists, self._allowed = lists, allowed
        self.asked: list[str] = []
        self.sent: list[dict[str, t.Any]] = []

    def request(self, method: str, path: str, query_params: list[tuple[str, str]], **more: t.Any) -> t.Any:
        self.asked.append(path)
        if method != "GET":
            self.sent.append(more)
            return types.SimpleNamespace(data=json.dumps(more["body"]))
        space = path.partition("/namespaces/")[2].partition("/")[0]
        if self._allowed is not None and space not in self._allowed:
            raise ApiException(status=403, reason="Forbidden")
        whole = path.replace(f"/namespaces/{space}", "") if space else path
        items = [each for each in self._lists[whole] if space in ("", each["metadata"]["namespace"])]
        first = int(dict(query_params).get("continue", 0))
        more = {"continue": str(first + AT_ONCE)} if items[first + AT_ONCE :] else {}
        answer = {"items": items[first : first + AT_ONCE], "metadata": more}
        return types.SimpleNamespace(data=json.dumps(answer))


def cluster() -> Server:
    pods = [item(f"orders-{number}", ("ReplicaSet", "orders-1")) for number in range(5)]
    return Server(
        {PODS: [*pods, item("bare"), item("far", namespace="far")], SETS: [item("orders-1", ("Deployment", "orders"))]}
    )


def test_of_running_pods_one_body_is_kept_for_each_of_their_owners() -> None:
    server = cluster()
    kubernetes = Kubernetes(server)
    owner = Owner("Deployment", "shop", "orders")
    assert [pod.owner for pod in kubernetes.running()].count(owner) == 5
    assert kubernetes.running() is kubernetes.running()
    assert server.asked == [SETS, *[PODS] * 4]
    assert kubernetes.body_of(owner)["metadata"]["name"] == "orders-0"
    assert kubernetes.body_of(Owner("Pod", "far", "far"))["metadata"]["name"] == "far"
    assert "managedFields" not in kubernetes.body_of(owner)["metadata"]
    kept = [each for each in vars(kubernetes).values() if isinstance(each, dict)]
    assert sum(map(len, kept)) == 3


def test_pods_that_were_read_whole_are_not_read_again() -> None:
    server = cluster()
    kubernetes = Kubernetes(server)
    assert len(kubernetes.objects("pods")) == len(kubernetes.running()) == 7
    assert server.asked.count(PODS) == 4


@pytest.mark.parametrize(("spaces", "count"), [({"shop", "far", "else"}, 7), ({"shop"}, 6)])
def test_where_not_all_namespaces_may_be_listed_those_that_matter_are(spaces: set[str], count: int) -> None:
    server = cluster()
    server._allowed = {"shop", "far", "else"}
    assert len(Kubernetes(server, spaces).running()) == count
    assert len(Kubernetes(cluster(), spaces).running()) == count


def test_a_list_of_all_that_is_forbidden_is_an_error() -> None:
    server = cluster()
    server._allowed = {"shop"}
    with pytest.raises(KubernetesError):
        Kubernetes(server).running()
    assert Kubernetes(server).allowed_objects("pods") is None


def test_a_container_is_added_to_that_very_pod() -> None:
    """Not to another of its name: the API server compares the uid."""
    server = Server({PODS: [item("orders-1")]})
    server._lists[PODS][0]["metadata"]["uid"] = "1"
    pod = Pod("orders-1", "shop", "orders", Owner("Pod", "shop", "orders-1"), uid="1")
    kubernetes = Kubernetes(server)
    kubernetes.add_container(pod, {"name": "x"})
    assert server.asked == ["/api/v1/namespaces/shop/pods/orders-1/ephemeralcontainers"]
    (sent,) = server.sent
    assert sent["content_type"] == "application/strategic-merge-patch+json"
    assert sent["body"] == {"metadata": {"uid": "1"}, "spec": {"ephemeralContainers": [{"name": "x"}]}}
    assert kubernetes.pod(pod)["metadata"]["name"] == "orders-1"
    with pytest.raises(KubernetesError, match="Pod shop/orders-1 is gone"):
        kubernetes.pod(replace(pod, uid="2"))
