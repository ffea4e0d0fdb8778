# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workloads that should have an identity, as a user names them. No client, no AnsibleModule."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.plan import Refused
from .._kubernetes.pods import ALL_KINDS, Owner
from .checks import Check, parse_checks


@dataclass(frozen=True)
class Workload:
    """A workload that should have an identity.

    ``owner`` is what a user named: a Deployment, StatefulSet, DaemonSet, Job, Pod, or a ServiceAccount by itself.
    """

    name: str
    owner: Owner
    role_arn: str | None = None
    """Role that its pods should have; None accepts whichever the association names."""
    checks: tuple[Check, ...] = ()
    asked: bool = True
    """Whether a user named it; one that was merely found needs no identity, and lacks nothing without one."""
    optional: bool = False
    """Whether one that doesn't exist is left out."""

    @property
    def by_service_account(self) -> bool:
        """Whether a service account was named instead of a workload."""
        return self.owner.kind == "ServiceAccount"


def parse_workload(item: t.Mapping[str, t.Any], checks: tuple[Check, ...] = ()) -> Workload:
    """Read one entry of the option ``workloads``; ``checks`` are for one that names none."""
    named = [key for key in (*ALL_KINDS, "service_account") if item.get(key)]
    label = item.get("name") or "an entry of workloads"
    if not item.get("namespace"):
        raise Refused(f"{label}: namespace is missing; name the namespace that the workload runs in")
    if len(named) != 1:
        choices = ", ".join((*ALL_KINDS, "service_account"))
        raise Refused(f"{label}: name exactly one of {choices}; found {', '.join(named) or 'none'}")
    owner = Owner(ALL_KINDS.get(named[0], "ServiceAccount"), item["namespace"], item[named[0]])
    own = parse_checks(item.get("allowed"), item.get("name") or owner.name)
    return Workload(
        item.get("name") or owner.name,
        owner,
        item.get("role_arn") or None,
        own or checks,
        optional=bool(item.get("optional")),
    )
