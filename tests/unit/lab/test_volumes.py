# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.lab.volumes import is_waiting, volume_for

CLAIM: dict[str, t.Any] = {
    "metadata": {
        "namespace": "shop",
        "name": "data",
        "uid": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "annotations": {"volume.kubernetes.io/selected-node": "ip-10-0-0-10.ec2.internal"},
    },
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "gp2",
    },
}


def changed(path: str, value: t.Any) -> dict[str, t.Any]:
    claim = copy.deepcopy(CLAIM)
    *folders, last = path.split(".")
    place = claim
    for folder in folders:
        place = place[folder]
    place[last] = value
    return claim


def test_a_claim_whose_pod_has_a_node_is_waiting() -> None:
    assert is_waiting(CLAIM)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.storageClassName", "another"),
        ("spec.storageClassName", None),
        ("spec.volumeName", "pvc-1"),
        ("metadata.annotations", {}),
        ("metadata.deletionTimestamp", "2026-01-01T00:00:00Z"),
    ],
)
def test_any_other_is_not(path: str, value: t.Any) -> None:
    assert not is_waiting(changed(path, value))


def test_the_volume_fits_and_belongs_to_the_claim() -> None:
    volume = volume_for(CLAIM)
    assert volume["spec"]["capacity"] == {"storage": "5Gi"}
    assert volume["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert volume["spec"]["storageClassName"] == "gp2"
    reference = volume["spec"]["claimRef"]
    assert {key: reference[key] for key in ("namespace", "name", "uid")} == {
        key: CLAIM["metadata"][key] for key in ("namespace", "name", "uid")
    }
