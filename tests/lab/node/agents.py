# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents of all nodes: each there for as long as the add-on's pod on its node is ready."""

from __future__ import annotations

import threading
import typing as t

from ..kubernetes_api import Document, KubernetesApi, KubernetesError
from .agent import Agent, Server
from .variables import LOOPBACK

NOBODY = f"{LOOPBACK}:9"
"""The port of the discard service: nothing answers there."""
SELECTOR = "app.kubernetes.io/name=eks-pod-identity-agent"


class Agents:
    """Starts and ends agents, when somebody asks for one."""

    def __init__(self, api: KubernetesApi, make: t.Callable[[], Agent]) -> None:
        self._api, self._make = api, make
        self._servers: dict[str, tuple[str, Server]] = {}
        self._lock = threading.Lock()

    def address(self, node: str) -> str:
        """Return HOST:PORT of the agent on ``node``, or of nobody; KubernetesError."""
        with self._lock:
            pod = self._ready_pod(node)
            known, server = self._servers.get(node, ("", None))
            if server and known != pod:
                del self._servers[node]
                server.shutdown()
                server.server_close()
            if pod and known != pod:
                self._servers[node] = (pod, self._serve(node, pod))
            return self._servers[node][1].address if pod else NOBODY

    def _serve(self, node: str, pod: str) -> Server:
        server = Server(self._make(), lambda: self._runs(node, pod))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def _runs(self, node: str, pod: str) -> bool:
        try:
            return self._ready_pod(node) == pod
        except KubernetesError:
            return False

    def _ready_pod(self, node: str) -> str:
        """Return the uid of the agent's pod on ``node``, empty if there is none that is ready."""
        pods = self._api.call("GET", f"/api/v1/pods?labelSelector={SELECTOR}&fieldSelector=spec.nodeName={node}")
        return next((str(pod["metadata"]["uid"]) for pod in pods["items"] if is_ready(pod)), "")


def is_ready(pod: Document) -> bool:
    """Whether a pod is ready, and isn't on its way out."""
    conditions = {one["type"]: one["status"] for one in pod.get("status", {}).get("conditions") or []}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]
