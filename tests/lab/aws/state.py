# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of one emulator share beside moto's own backends."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .calls import Calls
from .config import Config
from .faults import Faults
from .kubernetes_api import KubernetesApi
from .throttles import Throttles
from .weather import Weather


@dataclass(frozen=True)
class AccessEntry:
    """An IAM principal that a cluster knows, and as whom. ``{{SessionName}}`` is filled in, as by EKS."""

    principal_arn: str
    username: str
    groups: tuple[str, ...]
    cluster_arn: str = ""
    """The cluster that knows it; empty for all of them."""

    @classmethod
    def from_dict(cls, raw: dict[str, t.Any]) -> AccessEntry:
        """Read a control request's entry; KeyError or TypeError if it is none."""
        groups = tuple(map(str, raw["groups"]))
        return cls(str(raw["principal_arn"]), str(raw["username"]), groups, str(raw.get("cluster_arn", "")))

    def show(self) -> dict[str, t.Any]:
        """Return what ``from_dict`` would read."""
        known = {"principal_arn": self.principal_arn, "username": self.username, "groups": list(self.groups)}
        return {**known, "cluster_arn": self.cluster_arn} if self.cluster_arn else known


@dataclass
class Lab:
    """The emulated accounts with their clusters."""

    config: Config
    kubernetes: KubernetesApi
    control_token: str = field(default="", repr=False)
    weather: Weather = field(default_factory=Weather)
    faults: Faults = field(default_factory=Faults)
    throttles: Throttles = field(default_factory=Throttles)
    calls: Calls = field(default_factory=Calls)
    creators: dict[str, AccessEntry] = field(default_factory=dict)
    """Who made each cluster, by its ARN, and is its administrator for that."""
    access_entries: list[AccessEntry] = field(default_factory=list)
    """What a test has given beside them."""
