# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the Kubernetes API what the ladder of proof needs to know. No decisions."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import typing as t

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from .._core.plan import Refused
from .containers import reduced
from .lazily import seldom_used_later
from .pods import MAKERS, Metadata, Object, Owner, Pod, lives, metadata_of, pod_of

with seldom_used_later():
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.exceptions import CoreException

with contextlib.suppress(ImportError):  # kubernetes.core names the missing library.
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

PAGE = 1000
"""Objects in one answer."""
MOST_SPACES = 2
"""Namespaces that are listed one by one; more are read with the whole cluster."""
TOKEN_SECONDS = 600
"""Life of a token; Kubernetes makes none for less."""
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
"""Merges lists by the names in them."""
AUDIENCE = "pods.eks.amazonaws.com"
_ONE_AT_A_TIME = threading.Lock()
"""For a first import by one of several threads."""
GROUPS = {
    "pods": "/api/v1",
    "serviceaccounts": "/api/v1",
    "nodes": "/api/v1",
    "events": "/api/v1",
    "replicasets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "cronjobs": "/apis/batch/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
}
"""Where the API has each kind of object."""
MANAGED = "serviceaccounts"
"""Of these alone it matters who manages which field."""
WORKLOADS = {kind: f"{kind.lower()}s" for kind in (*MAKERS, "Deployment")}
"""What may own pods, by kind."""


class KubernetesError(Refused):
    """A failed request; the message says what for, why and what to do."""

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        """With the HTTP ``status`` (0 for none), and the API server's own words as ``reason``."""
        super().__init__(message)
        self.status = status
        self.reason = reason


def connect(params: t.Mapping[str, t.Any], spaces: t.Collection[str] | None = None) -> Kubernetes:
    """Return the API that a module's Kubernetes options lead to, for some namespaces or for all (None)."""
    try:
        return Kubernetes(get_api_client(**{name: params[name] for name in AUTH_ARG_SPEC}).client, spaces)
    except (CoreException, ApiException, HTTPError, OSError) as error:
        raise KubernetesError(_sentence("connect to the Kubernetes API", error), _status(error)) from error


class Kubernetes:
    """The Kubernetes API, as the ladder of proof sees it; lists are read once and kept."""

    def __init__(self, dynamic_client: t.Any, spaces: t.Collection[str] | None = None) -> None:
        self._client = dynamic_client
        self._spaces = None if spaces is None else tuple(sorted(spaces))
        self._wide = spaces is None or len(spaces) > MOST_SPACES
        self._lists: dict[str, list[Object]] = {}
        self._pods: list[Pod] | None = None
        self._bodies: dict[Owner, Object] = {}

    def afresh(self) -> Kubernetes:
        """The same API with nothing read yet."""
        return Kubernetes(self._client, self._spaces)

    def running(self) -> list[Pod]:
        """Running pods, each with its workload, checked against the kinds of workloads that were read before.

        They are read page by page, so that memory holds no more than that.
        """
        if self._pods is None:
            read = {kind: self._lists[plural] for kind, plural in WORKLOADS.items() if plural in self._lists}
            there = metadata_of({**read, "ReplicaSet": self._known("replicasets")})
            self._pods = [self._alive(item, there) for item in self._known("pods") if lives(item)]
        return self._pods

    def _alive(self, item: Object, there: Metadata) -> Pod:
        pod = pod_of(item, there)
        self._bodies.setdefault(pod.owner, item)
        return pod

    def body_of(self, owner: Owner) -> Object:
        """The first of its running pods, as the API gives it."""
        return self._bodies[owner]

    def _known(self, plural: str) -> t.Iterable[Object]:
        """What was read already, or else page by page, and not kept."""
        return self._lists[plural] if plural in self._lists else map(_slim, self._each(plural))

    def objects(self, plural: str) -> list[Object]:
        """Every object of a kind (``deployments``) in the namespaces looked at."""
        if plural not in self._lists:
            items = self._each(plural)
            self._lists[plural] = list(items if plural == MANAGED else map(_slim, items))
        return self._lists[plural]

    def custom_objects(self, group: str, plural: str) -> list[Object] | None:
        """Objects of a kind that the cluster may not have: none then; None where the caller may not list them."""
        try:
            served = self._request(f"look for API group {group}", f"/apis/{group}")
            version = served["preferredVersion"]["groupVersion"]
            return self._unless_forbidden(lambda: list(self._each(plural, f"/apis/{version}")))
        except KubernetesError as error:
            if error.status != 404:
                raise
            return []

    def _each(self, plural: str, group: str = "") -> t.Iterator[Object]:
        group = group or GROUPS[plural]
        everywhere = self._everywhere(f"{group}/{plural}") if self._wide else None
        if everywhere is not None:
            yield from self._within(everywhere)
            return
        for space in self._spaces or ():
            yield from self._pages(f"{group}/namespaces/{space}/{plural}")

    def _everywhere(self, path: str) -> t.Iterator[Object] | None:
        """Of all namespaces; None where the caller may list some only, and they are known."""
        items = self._pages(path)
        try:
            first = next(items, None)
        except KubernetesError as error:
            if error.status != 403 or self._spaces is None:
                raise
            return None
        return itertools.chain(() if first is None else (first,), items)

    def allowed_objects(self, plural: str) -> list[Object] | None:
        """The same, or None where the caller may not list them."""
        return self._unless_forbidden(lambda: self.objects(plural))

    def mutating_webhooks(self) -> list[Object] | None:
        """Every MutatingWebhookConfiguration; None where the caller may not list them."""
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        return self._unless_forbidden(lambda: list(self._pages(path)))

    def namespace_labels(self, namespace: str) -> dict[str, str]:
        """The labels of a namespace; the one that every namespace has where the caller may not read it."""
        known = {"kubernetes.io/metadata.name": namespace}
        try:
            found = self._request(f"read namespace {namespace}", f"/api/v1/namespaces/{namespace}")
        except KubernetesError as error:
            if error.status in (403, 404):
                return known
            raise
        return known | (found["metadata"].get("labels") or {})

    def nodes(self) -> list[Object] | None:
        """Every node; None where the caller may not list them."""
        return self._unless_forbidden(lambda: list(self._pages("/api/v1/nodes")))

    def labelled_pods(self, label: str) -> list[Object] | None:
        """Pods of the whole cluster, or else of kube-system, with a label (``name=value``); None where forbidden."""
        selector = ("labelSelector", label)
        everywhere = self._unless_forbidden(lambda: list(self._pages("/api/v1/pods", selector)))
        if everywhere is not None:
            return everywhere
        return self._unless_forbidden(lambda: list(self._pages("/api/v1/namespaces/kube-system/pods", selector)))

    def contents(self, kind: str, namespace: str, name: str) -> dict[str, str] | None:
        """What a ConfigMap holds, or the keys of a Secret with what matters of their values.

        Empty where it isn't there, None where the caller may not read it.
        """
        try:
            found = self._request(f"read {kind} {name}", f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{name}")
        except KubernetesError as error:
            if error.status in (403, 404):
                return {} if error.status == 404 else None
            raise
        data = found.get("data") or {}
        return {key: value if kind == "ConfigMap" else reduced(value) for key, value in data.items()}

    def created_now(self, pod: Object) -> Object:
        """The pod that the cluster's admission chain would make of ``pod``; nothing is created."""
        namespace = pod["metadata"]["namespace"]
        return self._request(
            f"dry-run a pod in namespace {namespace}",
            f"/api/v1/namespaces/{namespace}/pods",
            method="POST",
            query=[("dryRun", "All")],
            body=pod,
        )

    def token(self, pod: Pod) -> str:
        """A token of ``pod`` for EKS: the very one that the agent would send. It is a credential."""
        bound = {"kind": "Pod", "apiVersion": "v1", "name": pod.name, "uid": pod.uid}
        spec = {"audiences": [AUDIENCE], "expirationSeconds": TOKEN_SECONDS, "boundObjectRef": bound}
        answer = self._request(
            f"make a token of pod {pod.namespace}/{pod.name}",
            f"/api/v1/namespaces/{pod.namespace}/serviceaccounts/{pod.service_account}/token",
            method="POST",
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
        )
        return str(answer["status"]["token"])

    def pod(self, pod: Pod) -> Object:
        """``pod`` as the API gives it now; KubernetesError where it is gone, though another has its name."""
        path = f"/api/v1/namespaces/{pod.namespace}/pods"
        found = self._pages(path, ("fieldSelector", f"metadata.name={pod.name}"))
        same = next((item for item in found if item["metadata"]["uid"] == pod.uid), None)
        if same is None:
            raise KubernetesError(f"Pod {pod.namespace}/{pod.name} is gone.", 404)
        return same

    def add_container(self, pod: Pod, container: Object) -> Object:
        """``pod`` after an ephemeral container was added to it, which nobody can remove."""
        return self._request(
            f"add an ephemeral container to pod {pod.namespace}/{pod.name}",
            f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/ephemeralcontainers",
            method="PATCH",
            body={"metadata": {"uid": pod.uid}, "spec": {"ephemeralContainers": [container]}},
            content_type=STRATEGIC_MERGE,
        )

    def execute(self, pod: Pod, command: t.Sequence[str]) -> str:
        """What ``command`` prints in a container of ``pod`` that carries the injection."""
        from websocket import WebSocketException  # Few execute anything.

        from . import exec_output

        try:
            with contextlib.closing(self._shell(pod, command)) as shell:
                return exec_output.read(shell.sock)
        except exec_output.Unread as error:
            raise KubernetesError(f"{error}: what pod {pod.namespace}/{pod.name} says is not known.") from None
        except (ApiException, HTTPError, WebSocketException, OSError) as error:
            raise KubernetesError(
                _sentence(f"exec in pod {pod.namespace}/{pod.name}", error), _status(error)
            ) from error

    def _shell(self, pod: Pod, command: t.Sequence[str]) -> t.Any:
        """The open connection. The library's class for the core API takes longer to import than this takes."""
        with _ONE_AT_A_TIME:  # Few execute anything.
            from kubernetes.stream.ws_client import websocket_call

        client = self._client.client
        configuration = client.configuration
        tokens = {
            each["key"]: each["value"] for each in configuration.auth_settings().values() if each["in"] == "header"
        }
        headers = {name.lower(): value for name, value in {**client.default_headers, **tokens}.items()}
        options = {"container": pod.container, "stdin": "false", "stdout": "true", "stderr": "true", "tty": "false"}
        query = [*options.items(), *(("command", word) for word in command)]
        url = f"{configuration.host}{GROUPS['pods']}/namespaces/{pod.namespace}/pods/{pod.name}/exec"
        return websocket_call(configuration, "GET", url, query_params=query, headers=headers, _preload_content=False)

    def _within(self, items: t.Iterable[Object]) -> t.Iterator[Object]:
        spaces = self._spaces
        return (item for item in items if spaces is None or item["metadata"]["namespace"] in spaces)

    @staticmethod
    def _unless_forbidden(read: t.Callable[[], list[Object]]) -> list[Object] | None:
        try:
            return read()
        except KubernetesError as error:
            if error.status != 403:
                raise
            return None

    def _pages(self, path: str, *filters: tuple[str, str]) -> t.Iterator[Object]:
        query = [("limit", str(PAGE)), *filters]
        while True:
            page = self._request(f"list {path.rsplit('/', 1)[1]}", path, query=query)
            yield from page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return
            query = [("limit", str(PAGE)), *filters, ("continue", token)]

    def _request(
        self, purpose: str, path: str, method: str = "GET", query: t.Any = (), body: Object | None = None, **more: str
    ) -> dict[str, t.Any]:
        """The answer; ``more`` may have the body's ``content_type``."""
        try:
            answer = self._client.request(method, path, body=body, query_params=list(query), serialize=False, **more)
        except (ApiException, HTTPError, OSError) as error:
            raise KubernetesError(_sentence(purpose, error), _status(error), _reason(error)) from error
        return t.cast("dict[str, t.Any]", json.loads(answer.data))


def _slim(item: Object) -> Object:
    """``item`` without who manages which field, which is half of it."""
    item["metadata"].pop("managedFields", None)
    return item


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
