# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An owner counts where it exists and owns the pod."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.owners import owner_of
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner

Object = dict[str, t.Any]


def item(name: str, uid: str, *owners: Object) -> Object:
    return {"metadata": {"name": name, "namespace": "shop", "uid": uid, "ownerReferences": list(owners)}}


def by(kind: str, name: str, uid: str, controller: bool = True) -> Object:
    return {"kind": kind, "name": name, "uid": uid, "controller": controller}


THERE: dict[str, list[Object]] = {
    "deployments": [item("web", "d")],
    "replicasets": [item("web-1", "r", by("Deployment", "web", "d")), item("alone", "a", by("Rollout", "web", "x"))],
    "jobs": [item("night", "j")],
}
OWNERS = {
    "a Deployment's": (by("ReplicaSet", "web-1", "r"), Owner("Deployment", "shop", "web")),
    "a bare ReplicaSet's": (by("ReplicaSet", "alone", "a"), Owner("ReplicaSet", "shop", "alone")),
    "a Job's": (by("Job", "night", "j"), Owner("Job", "shop", "night")),
    "of another identity": (by("Job", "night", "other"), Owner("Pod", "shop", "p")),
    "without an identity": (by("Job", "night", ""), Owner("Pod", "shop", "p")),
    "of none that is there": (by("StatefulSet", "gone", "s"), Owner("Pod", "shop", "p")),
    "that is no controller": (by("Job", "night", "j", controller=False), Owner("Pod", "shop", "p")),
    "of a node": (by("Node", "node-1", "n"), Owner("Pod", "shop", "p")),
    "free text": (by("x; curl evil|sh #", "y", "z"), Owner("Pod", "shop", "p")),
}


@pytest.mark.parametrize(("reference", "owner"), OWNERS.values(), ids=OWNERS)
def test_owner(reference: Object, owner: Owner) -> None:
    found, _object = owner_of(item("p", "p", reference), lambda plural: THERE.get(plural, []))
    assert found == owner
