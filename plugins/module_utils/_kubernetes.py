# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the Kubernetes API what the ladder of proof needs to know. No decisions."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.exceptions import CoreException

from ._plan import Refused
from ._pods import KINDS, Object, Owner, Pod, Template, running_pods

with contextlib.suppress(ImportError):  # kubernetes.core names the missing library.
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

PAGE = 500
"""Objects in one answer, as kubectl asks for them."""


class KubernetesError(Refused):
    """A failed request; the message says what for, why and what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def connect(params: t.Mapping[str, t.Any]) -> Kubernetes:
    """Return the API that a module's Kubernetes options lead to."""
    try:
        return Kubernetes(get_api_client(**{name: params[name] for name in AUTH_ARG_SPEC}).client)
    except (CoreException, ApiException, HTTPError, OSError) as error:
        raise KubernetesError(_sentence("connect to the Kubernetes API", error), _status(error)) from error


class Kubernetes:
    """The Kubernetes API, as the ladder of proof sees it; lists are read once and kept."""

    def __init__(self, dynamic_client: t.Any) -> None:
        self._client = dynamic_client
        self._lists: dict[str, list[Object]] = {}
        self._pods: dict[str, list[Pod]] = {}

    def pods(self, namespace: str) -> list[Pod]:
        """Running pods of ``namespace``, each with its workload."""
        if namespace not in self._pods:
            replica_sets = self._list(f"/apis/apps/v1/namespaces/{namespace}/replicasets")
            found = self._list(f"/api/v1/namespaces/{namespace}/pods")
            self._pods[namespace] = running_pods(found, replica_sets)
        return self._pods[namespace]

    def template(self, owner: Owner) -> Template | None:
        """Pod template of a Deployment, StatefulSet or DaemonSet; None where it doesn't exist."""
        for item in self._list(f"/apis/apps/v1/namespaces/{owner.namespace}/{owner.kind.lower()}s"):
            if item["metadata"]["name"] == owner.name:
                return Template(owner, item["spec"]["template"])
        return None

    def workload_names(self, namespace: str) -> list[str]:
        """Every workload of ``namespace``, as "Deployment name"."""
        return [
            f"{kind} {item['metadata']['name']}"
            for kind in KINDS.values()
            for item in self._list(f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s")
        ]

    def born_now(self, pod: Object) -> Object:
        """The pod that the cluster's admission chain would make of ``pod``; nothing is created."""
        namespace = pod["metadata"]["namespace"]
        return self._request(
            f"dry-run a pod in namespace {namespace}",
            f"/api/v1/namespaces/{namespace}/pods",
            method="POST",
            query=[("dryRun", "All")],
            body=pod,
        )

    def _list(self, path: str) -> list[Object]:
        if path not in self._lists:
            self._lists[path] = list(self._pages(path))
        return self._lists[path]

    def _pages(self, path: str) -> t.Iterator[Object]:
        query = [("limit", str(PAGE))]
        while True:
            page = self._request(f"list {path.rsplit('/', 1)[1]}", path, query=query)
            yield from page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return
            query = [("limit", str(PAGE)), ("continue", token)]

    def _request(
        self, purpose: str, path: str, method: str = "GET", query: t.Any = (), body: Object | None = None
    ) -> dict[str, t.Any]:
        try:
            answer = self._client.request(method, path, body=body, query_params=list(query), serialize=False)
        except (ApiException, HTTPError, OSError) as error:
            raise KubernetesError(_sentence(purpose, error), _status(error)) from error
        return t.cast("dict[str, t.Any]", json.loads(answer.data))


def _status(error: BaseException) -> int:
    return int(getattr(error, "status", 0) or 0)


def _sentence(purpose: str, error: BaseException) -> str:
    """One message for a failed request: what, why, what to do."""
    return f"Failed to {purpose}: {_reason(error)}. {_advice(_status(error))}"


def _reason(error: BaseException) -> str:
    try:
        return str(json.loads(getattr(error, "body", "") or "{}")["message"]).rstrip(".")
    except (KeyError, TypeError, ValueError):
        return str(getattr(error, "reason", "") or error).rstrip(".")


def _advice(status: int) -> str:
    if status == 401:
        return "Give the caller an access entry for the cluster, or credentials that have one."
    if status == 403:
        return "Allow it to the caller by Kubernetes RBAC or an access policy."
    if status:
        return "See the API server's answer above."
    return "Check the cluster's endpoint, its public access and the network from here to it."
