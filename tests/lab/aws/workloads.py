# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an add-on runs in the cluster: the agent's DaemonSet, and nothing for the others."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .addon_catalog import AGENT
from .kubernetes_api import FIELD_MANAGER, KubernetesApi, KubernetesConflict, KubernetesRefused, KubernetesUnreachable


@dataclass(frozen=True)
class Issue:
    """A reason for an add-on's state, in the words of the EKS API."""

    code: str
    message: str
    resource_ids: tuple[str, ...] = ()

    def view(self) -> dict[str, t.Any]:
        """As an add-on's health shows it."""
        return {"code": self.code, "message": self.message, "resourceIds": list(self.resource_ids)}

    def error(self) -> dict[str, t.Any]:
        """As an update shows it."""
        return {"errorCode": self.code, "errorMessage": self.message, "resourceIds": list(self.resource_ids)}


@dataclass(frozen=True)
class Release:
    """What is to run: which version, where, how configured."""

    version: str
    namespace: str
    configuration: dict[str, t.Any]


class Workload(t.Protocol):
    """An add-on's software. Each method returns what is wrong, or None."""

    def install(self, release: Release, resolve_conflicts: str) -> Issue | None:
        """Bring it to ``release``."""

    def remove(self, namespace: str) -> Issue | None:
        """Take it away."""

    def unhealthy(self, namespace: str) -> Issue | None:
        """Look how it does."""


class NoWorkload:
    """Of the add-ons whose software the lab doesn't run: always well."""

    def install(self, release: Release, resolve_conflicts: str) -> Issue | None:
        """Run nothing."""
        return None

    def remove(self, namespace: str) -> Issue | None:
        """Remove nothing."""
        return None

    def unhealthy(self, namespace: str) -> Issue | None:
        """Say that nothing is wrong."""
        return None


class AgentWorkload:
    """The DaemonSet of the Pod Identity agent, made, watched and removed through the API server."""

    def __init__(self, kubernetes: KubernetesApi) -> None:
        self._kubernetes = kubernetes

    def install(self, release: Release, resolve_conflicts: str) -> Issue | None:
        """Apply the DaemonSet; without OVERWRITE, one that somebody else made stays as it is."""
        try:
            existing = self._kubernetes.daemon_set(release.namespace, AGENT)
            overwrite = resolve_conflicts == "OVERWRITE"
            if existing and not overwrite and not _made_by_eks(existing):
                return _conflict("DaemonSet.apps " + AGENT + " - not managed by EKS")
            self._kubernetes.apply_daemon_set(daemon_set(release), force=overwrite)
        except KubernetesConflict as error:
            return None if resolve_conflicts == "PRESERVE" else _conflict(str(error))
        except KubernetesRefused as error:
            return Issue("AdmissionRequestDenied", str(error), (AGENT,))
        except KubernetesUnreachable as error:
            return Issue("ClusterUnreachable", str(error))
        return None

    def remove(self, namespace: str) -> Issue | None:
        """Delete the DaemonSet, unless it is somebody else's."""
        try:
            found = self._kubernetes.daemon_set(namespace, AGENT)
            if found and _made_by_eks(found):
                self._kubernetes.delete_daemon_set(namespace, AGENT)
        except KubernetesUnreachable as error:
            return Issue("ClusterUnreachable", str(error))
        return None

    def unhealthy(self, namespace: str) -> Issue | None:
        """Compare the pods that should be ready with those that are."""
        try:
            found = self._kubernetes.daemon_set(namespace, AGENT)
        except KubernetesUnreachable as error:
            return Issue("ClusterUnreachable", str(error))
        if found is None:
            return Issue("K8sResourceNotFound", "The add-on's DaemonSet was deleted", (AGENT,))
        if _all_ready(found):
            return None
        message = "The add-on is unhealthy because it doesn't have the desired number of replicas."
        return Issue("InsufficientNumberOfReplicas", message, (AGENT,))


def workload_of(addon: str, kubernetes: KubernetesApi) -> Workload:
    """Return what ``addon`` runs."""
    return AgentWorkload(kubernetes) if addon == AGENT else NoWorkload()


def daemon_set(release: Release) -> dict[str, t.Any]:
    """Return the agent's DaemonSet."""
    labels = {"app.kubernetes.io/name": AGENT, "app.kubernetes.io/instance": AGENT}
    configuration = release.configuration
    pod_labels = {**labels, **configuration.get("podLabels", {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": AGENT,
            "namespace": release.namespace,
            "labels": {**labels, "app.kubernetes.io/version": release.version.partition("-")[0]},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": pod_labels, "annotations": configuration.get("podAnnotations", {})},
                "spec": _pod_spec(release),
            },
        },
    }


def _pod_spec(release: Release) -> dict[str, t.Any]:
    configuration = release.configuration
    arguments = configuration.get("agent", {}).get("additionalArgs", {})
    container = {
        "name": AGENT,
        "image": f"eks/{AGENT}:{release.version}",
        "args": ["--port", "80", "--probe-port", "2703", *(part for item in arguments.items() for part in item)],
        "ports": [_port("proxy", 80), _port("probes-port", 2703)],
        "resources": configuration.get("resources", {}),
    }
    optional = {name: configuration[name] for name in ("affinity", "nodeSelector") if configuration.get(name)}
    return {
        "hostNetwork": True,
        "priorityClassName": configuration.get("priorityClassName", "system-node-critical"),
        "tolerations": configuration.get("tolerations", [{"operator": "Exists"}]),
        "containers": [container],
        **optional,
    }


def _port(name: str, number: int) -> dict[str, t.Any]:
    """Return a port of the node: pods that want it too can't be beside the agent."""
    return {"name": name, "containerPort": number, "hostPort": number, "protocol": "TCP"}


def _made_by_eks(found: dict[str, t.Any]) -> bool:
    return any(entry.get("manager") == FIELD_MANAGER for entry in found["metadata"].get("managedFields", []))


def _all_ready(found: dict[str, t.Any]) -> bool:
    status = found.get("status", {})
    seen = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 1)
    wanted = status.get("desiredNumberScheduled", 0)
    return bool(seen and wanted == status.get("numberReady", 0) == status.get("updatedNumberScheduled", 0))


def _conflict(what: str) -> Issue:
    message = (
        f"Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts: {what}"
    )
    return Issue("ConfigurationConflict", message, (AGENT,))
