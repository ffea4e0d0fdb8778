# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task of pod_identity_workload_info asks for. No client, no AnsibleModule."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.plan import Refused
from .._workload.checks import Check, parse_checks
from .._workload.model import Workload, parse_workload

WHOLE = "*"
"""In place of a namespace: all of them."""
PROVING = ("issued", "allowed")
"""Rungs that need more than EKS's associations and Kubernetes' lists."""


@dataclass(frozen=True)
class Asked:
    """The options, read."""

    cluster: str
    workloads: tuple[Workload, ...]
    spaces: frozenset[str] | None
    """Namespaces whose every workload is looked at; None is all, and none is an empty set."""
    rung: str
    probes: int
    proofs: int
    manifests: str
    manifests_namespace: str
    before_restart: bool = False
    """Whether pods are proven that don't carry the injection yet."""
    checks: tuple[Check, ...] = ()
    """For workloads that name none."""

    @property
    def scans(self) -> bool:
        """Whether workloads are looked for that nobody named."""
        return self.spaces is None or bool(self.spaces)

    @property
    def reading(self) -> frozenset[str] | None:
        """Namespaces to read; None is all."""
        if self.spaces is None:
            return None
        return self.spaces | {workload.owner.namespace for workload in self.workloads}

    @property
    def proves(self) -> bool:
        """Whether anything above the injection is asked for."""
        return bool(self.cluster) and self.rung in PROVING


def parse(params: t.Mapping[str, t.Any]) -> Asked:
    """Read the options, or refuse them before anything is called."""
    checks = parse_checks(params["checks"], "checks")
    workloads = tuple(parse_workload(item, checks) for item in params["workloads"])
    spaces = params["namespaces"]
    if not (workloads or spaces):
        raise Refused("Nothing to look at: name workloads, or namespaces ('*' for all of them)")
    return Asked(
        params["cluster_name"] or "",
        workloads,
        None if WHOLE in spaces else frozenset(spaces),
        params["rung"],
        params["probes"],
        params["proofs"],
        params["manifests"],
        params["manifests_namespace"],
        params["before_restart"],
        checks,
    )
