# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the cluster from the start: nodes, a storage class, and the webhook of Pod Identity."""

from __future__ import annotations

import base64
import typing as t

from .kubernetes_api import Document, KubernetesApi, KubernetesError

NODES = 2
MANAGED = "kwok.x-k8s.io/node"
STORAGE_CLASS = "gp2"
PROVISIONER = "ebs.csi.aws.com"
WEBHOOK = "pod-identity-webhook"
SKIP_LABEL = "eks.amazonaws.com/skip-pod-identity-webhook"
WEBHOOK_TIMEOUT = 10
"""Seconds that the API server waits for the webhook before it lets a pod pass unchanged."""


def furnish(api: KubernetesApi, region: str, webhook_url: str, ca: bytes) -> None:
    """Create it all; KubernetesError if the API server refuses."""
    for index in range(NODES):
        manifest = node(index, region)
        api.apply(f"/api/v1/nodes/{manifest['metadata']['name']}", manifest)
    api.apply(f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}", storage_class())
    configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    webhook = webhook_configuration(webhook_url, ca)
    api.apply(f"{configurations}/{webhook['metadata']['name']}", webhook)


def is_settled(api: KubernetesApi) -> bool:
    """Whether pods can be created and will run: nodes are ready and service accounts are being made."""
    nodes = api.call("GET", "/api/v1/nodes")["items"]
    try:
        api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except KubernetesError as error:
        if error.status != 404:
            raise
        return False
    return sum(map(is_ready, nodes)) >= NODES


def is_ready(node: Document) -> bool:
    """Whether a node is ready and takes pods."""
    conditions = {one["type"]: one["status"] for one in node.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def node(index: int, region: str) -> Document:
    """Return a node of a managed node group; the annotation hands it to kwok."""
    name = f"ip-10-0-{index}-10.{'ec2' if region == 'us-east-1' else f'{region}.compute'}.internal"
    zone = f"{region}{'abc'[index % 3]}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {MANAGED: "fake"}, "labels": _node_labels(name, region, zone)},
        "spec": {"providerID": f"aws:///{zone}/i-{index:017x}"},
    }


def _node_labels(name: str, region: str, zone: str) -> dict[str, str]:
    return {
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
        "eks.amazonaws.com/nodegroup": "lab",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m5.large",
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
    }


def storage_class() -> Document:
    """Return the default class; the lab's own provisioner answers to the name of the EBS driver."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def webhook_configuration(url: str, ca: bytes) -> Document:
    """Return the registration that every EKS cluster has, pointing at the emulator."""
    webhook: dict[str, t.Any] = {
        "name": "iam-for-pods.amazonaws.com",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": url, "caBundle": base64.b64encode(ca).decode()},
        "failurePolicy": "Ignore",
        "objectSelector": {"matchExpressions": [{"key": SKIP_LABEL, "operator": "DoesNotExist"}]},
        "reinvocationPolicy": "IfNeeded",
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "sideEffects": "None",
        "timeoutSeconds": WEBHOOK_TIMEOUT,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK},
        "webhooks": [webhook],
    }
