# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._workload.rollout import surge


def rolling(key: str, **rolling_update: t.Any) -> t.Any:
    return {key: {"type": "RollingUpdate", "rollingUpdate": rolling_update}}


@pytest.mark.parametrize(
    ("kind", "spec", "pods"),
    [
        ("Deployment", {}, 1),
        ("Deployment", {"replicas": 5}, 2),
        ("Deployment", {"replicas": 5, **rolling("strategy", maxSurge=3)}, 3),
        ("Deployment", {"replicas": 5, **rolling("strategy", maxSurge="0%")}, 0),
        ("Deployment", {"replicas": 5, **rolling("strategy", maxSurge=0, maxUnavailable=1)}, 0),
        ("Deployment", {"strategy": {"type": "Recreate"}}, 0),
        ("StatefulSet", {"replicas": 3}, 0),
        ("DaemonSet", {}, 0),
        ("DaemonSet", rolling("updateStrategy", maxSurge=1), 1),
        ("DaemonSet", rolling("updateStrategy", maxSurge="10%"), 1),
    ],
)
def test_surge(kind: str, spec: t.Any, pods: int) -> None:
    assert surge({"kind": kind, "spec": spec}) == pods
