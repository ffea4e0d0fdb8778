# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-ons that the emulated EKS offers: a small selection, shaped like the real catalogue."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Schema = dict[str, t.Any]

KUBERNETES_VERSIONS = ("1.33", "1.34", "1.35", "1.36")
ALL_COMPUTE = ("ec2", "fargate", "hybrid", "auto")

_QUANTITIES: Schema = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
_COMMON: dict[str, Schema] = {
    "affinity": {"type": ["object", "null"]},
    "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
    "podAnnotations": {"type": "object", "additionalProperties": {"type": "string"}},
    "podLabels": {"type": "object", "additionalProperties": {"type": "string"}},
    "priorityClassName": {"type": "string"},
    "resources": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"limits": _QUANTITIES, "requests": _QUANTITIES},
    },
    "tolerations": {"type": "array", "items": {"type": "object"}},
}


def _schema(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_COMMON, **properties},
        **({"required": list(required)} if required else {}),
    }


@dataclass(frozen=True)
class AddonVersion:
    """One version: the Kubernetes versions that it runs on, and those of them whose default it is."""

    name: str
    kubernetes: tuple[str, ...] = KUBERNETES_VERSIONS
    default_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogAddon:
    """An add-on on offer, newest version first."""

    name: str
    type: str
    versions: tuple[AddonVersion, ...]
    schema: Schema
    namespace: str = "kube-system"
    publisher: str = "eks"
    owner: str = "aws"
    pod_identity: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Service accounts that take a role, with the names of the managed policies recommended for it."""
    compute_types: tuple[str, ...] = ("ec2", "hybrid")
    requires_configuration: bool = False

    def version(self, name: str, kubernetes: str) -> AddonVersion | None:
        """Return a version that runs on that Kubernetes version, or None."""
        return next((v for v in self.versions if v.name == name and kubernetes in v.kubernetes), None)

    def default_version(self, kubernetes: str) -> AddonVersion | None:
        """Return the default of that Kubernetes version, or None."""
        return next((v for v in self.versions if kubernetes in v.default_for), None)

    def view(self, kubernetes: str | None = None) -> dict[str, t.Any]:
        """As DescribeAddonVersions shows it, all or what runs on one Kubernetes version."""
        versions = [v for v in self.versions if kubernetes in (None, *v.kubernetes)]
        return {
            "addonName": self.name,
            "type": self.type,
            "publisher": self.publisher,
            "owner": self.owner,
            "defaultNamespace": self.namespace,
            "addonVersions": [self._version_view(version, kubernetes) for version in versions],
        }

    def _version_view(self, version: AddonVersion, kubernetes: str | None) -> dict[str, t.Any]:
        return {
            "addonVersion": version.name,
            "architecture": ["amd64", "arm64"],
            "computeTypes": list(self.compute_types),
            "requiresConfiguration": self.requires_configuration,
            "requiresIamPermissions": bool(self.pod_identity),
            "compatibilities": [
                {"clusterVersion": found, "platformVersions": ["*"], "defaultVersion": found in version.default_for}
                for found in version.kubernetes
                if kubernetes in (None, found)
            ],
        }


AGENT = "eks-pod-identity-agent"

_ARGUMENTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_REPLICAS: Schema = {"type": "integer", "minimum": 1}

CATALOG = {
    addon.name: addon
    for addon in (
        CatalogAddon(
            AGENT,
            "security",
            (
                AddonVersion("v1.3.10-eksbuild.3", default_for=("1.35", "1.36")),
                AddonVersion("v1.3.10-eksbuild.2", default_for=("1.34",)),
                AddonVersion("v1.3.8-eksbuild.2", ("1.33", "1.34", "1.35"), default_for=("1.33",)),
            ),
            _schema(
                agent={
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"additionalArgs": _ARGUMENTS, "priorityClassName": {"type": "string"}},
                },
                daemonsets={"type": "object"},
                updateStrategy={"type": "object"},
            ),
        ),
        CatalogAddon(
            "vpc-cni",
            "networking",
            (
                AddonVersion("v1.21.1-eksbuild.3", default_for=("1.35", "1.36")),
                AddonVersion("v1.20.4-eksbuild.2", ("1.33", "1.34", "1.35"), default_for=("1.33", "1.34")),
            ),
            _schema(env={"type": "object", "additionalProperties": {"type": "string"}}),
            pod_identity={"aws-node": ("AmazonEKS_CNI_Policy",)},
        ),
        CatalogAddon(
            "kube-proxy",
            "networking",
            tuple(AddonVersion(f"v{v}.3-eksbuild.2", (v,), default_for=(v,)) for v in reversed(KUBERNETES_VERSIONS)),
            _schema(mode={"type": "string", "enum": ["iptables", "ipvs", "nftables"]}),
        ),
        CatalogAddon(
            "coredns",
            "networking",
            (
                AddonVersion("v1.13.2-eksbuild.1", default_for=("1.35", "1.36")),
                AddonVersion("v1.12.4-eksbuild.1", ("1.33", "1.34", "1.35"), default_for=("1.33", "1.34")),
            ),
            _schema(replicaCount=_REPLICAS, corefile={"type": "string"}),
            compute_types=ALL_COMPUTE,
        ),
        CatalogAddon(
            "aws-ebs-csi-driver",
            "storage",
            (
                AddonVersion("v1.55.0-eksbuild.1", default_for=("1.34", "1.35", "1.36")),
                AddonVersion("v1.54.0-eksbuild.1", ("1.33", "1.34"), default_for=("1.33",)),
            ),
            _schema(controller={"type": "object"}, node={"type": "object"}),
            pod_identity={"ebs-csi-controller-sa": ("service-role/AmazonEBSCSIDriverPolicy",)},
            compute_types=("ec2",),
        ),
        CatalogAddon(
            "metrics-server",
            "observability",
            (
                AddonVersion("v0.8.1-eksbuild.1", default_for=KUBERNETES_VERSIONS),
                AddonVersion("v0.8.0-eksbuild.6"),
            ),
            _schema(replicas=_REPLICAS),
            compute_types=ALL_COMPUTE,
        ),
        CatalogAddon(
            "external-dns",
            "networking",
            (AddonVersion("v0.20.0-eksbuild.1", default_for=KUBERNETES_VERSIONS),),
            _schema(("txtOwnerId",), txtOwnerId={"type": "string", "minLength": 1}, policy={"type": "string"}),
            namespace="external-dns",
            pod_identity={"external-dns": ("AmazonRoute53FullAccess",)},
            requires_configuration=True,
        ),
    )
}
