# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a workload replaces its pods. Pure."""

from __future__ import annotations

import math
import typing as t

from .._kubernetes.pods import Object


def surge(workload: Object) -> int:
    """How many pods more than there are a rollout of the workload makes before it takes old ones away."""
    spec = workload.get("spec") or {}
    if workload.get("kind") == "Deployment" or "strategy" in spec:
        strategy = spec.get("strategy") or {}
        if strategy.get("type") == "Recreate":
            return 0
        return _number((strategy.get("rollingUpdate") or {}).get("maxSurge", "25%"), spec.get("replicas", 1))
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return _number(rolling.get("maxSurge", 0), 1)


def _number(given: t.Any, replicas: int) -> int:
    """A number of pods, or a percentage of ``replicas``, rounded up."""
    text = str(given)
    return math.ceil(int(text.removesuffix("%")) * replicas / 100) if text.endswith("%") else int(text)
