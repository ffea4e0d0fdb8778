# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the supervisor tells the emulator: the JSON file given as ``--config``."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

ACCESS_KEY_ID = re.compile(r"[A-Z0-9]{20}")


@dataclass(frozen=True)
class Operator:
    """The IAM user with AdministratorAccess that owns the account."""

    user_name: str
    access_key_id: str
    secret_access_key: str

    def __post_init__(self) -> None:
        """Refuse a key that moto would not recognize in an Authorization header (ValueError)."""
        if not ACCESS_KEY_ID.fullmatch(self.access_key_id):
            raise ValueError("operator.access_key_id must be 20 upper case letters and digits")


@dataclass(frozen=True)
class Node:
    """The session of the nodes' role that every node has, as if from its instance profile."""

    role_name: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


@dataclass(frozen=True)
class ClusterConfig:
    """An EKS cluster that exists from the start."""

    name: str
    version: str
    region: str
    auto_mode: bool = False


@dataclass(frozen=True)
class KubernetesAccess:
    """Where the API server answers, and the emulator's own cluster-admin token for it."""

    host: str
    ca_file: str
    token_file: str


@dataclass(frozen=True)
class Config:
    """Everything that one emulator process needs."""

    http_port: int
    https_port: int
    tls_cert: str
    tls_key: str
    account_id: str
    region: str
    operator: Operator
    clusters: tuple[ClusterConfig, ...]
    kubernetes: KubernetesAccess
    control_token_file: str
    """What a caller of the control endpoints has to know."""
    node: Node | None = None
    issuer: str = ""
    """Of the cluster's service account tokens; empty where IRSA is no matter."""

    @classmethod
    def from_dict(cls, raw: dict[str, t.Any]) -> Config:
        """Read the supervisor's dictionary; KeyError names what is missing."""
        plain = {
            name: raw[name]
            for name in ("http_port", "https_port", "tls_cert", "tls_key", "control_token_file", "account_id", "region")
        }
        return cls(
            **plain,
            operator=Operator(**raw["operator"]),
            clusters=tuple(ClusterConfig(**cluster) for cluster in raw["clusters"]),
            kubernetes=KubernetesAccess(**raw["kubernetes"]),
            node=Node(**raw["node"]) if "node" in raw else None,
            issuer=raw.get("issuer", ""),
        )

    @classmethod
    def from_file(cls, path: str) -> Config:
        """Read ``path``; OSError, ValueError or KeyError if it is no such configuration."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
