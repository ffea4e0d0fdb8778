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
from .weather import Weather


@dataclass(frozen=True)
class AccessEntry:
    """An IAM principal that the clusters know, and as whom. ``{{SessionName}}`` is filled in, as by EKS."""

    principal_arn: str
    username: str
    groups: tuple[str, ...]

    @classmethod
    def from_dict(cls, raw: dict[str, t.Any]) -> AccessEntry:
        """Read a control request's entry; KeyError or TypeError if it is none."""
        return cls(str(raw["principal_arn"]), str(raw["username"]), tuple(map(str, raw["groups"])))


@dataclass
class Lab:
    """One emulated account with its clusters."""

    config: Config
    kubernetes: KubernetesApi
    weather: Weather = field(default_factory=Weather)
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)
    access_entries: list[AccessEntry] = field(default_factory=list)
