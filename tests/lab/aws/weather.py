# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The delays that AWS has and a test wants to choose."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, fields


@dataclass
class Weather:
    """Seconds, all of them; zero is what a demo wants."""

    role_unseen_seconds: float = 0
    """How long EKS doesn't see a role that IAM has just created."""
    webhook_cold_seconds: float = 0
    """How long the admission webhook keeps working with the associations of before a change."""
    addon_seconds: float = 0
    """How long an add-on stays CREATING, UPDATING or DELETING at least."""
    association_delete_seconds: float = 0
    """How long creating an association answers 409 after the last one was deleted."""
    health_grace_seconds: float = 10
    """How long an add-on's workload may be unready before the add-on is DEGRADED."""

    cluster_token_seconds: float = 900
    """How long a bearer token for a cluster is good; the API server believes one for 5 seconds more."""

    def update(self, values: t.Any) -> None:
        """Take the given values, keep the others. ValueError for anything but known names and numbers >= 0."""
        if not isinstance(values, dict):
            raise ValueError("weather is an object of seconds")
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown weather: {name}")
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ValueError(f"{name} is a number of seconds, not {value!r}")
        for name, value in values.items():
            setattr(self, name, value)

    def show(self) -> dict[str, float]:
        """Return what ``update`` would take."""
        return asdict(self)
