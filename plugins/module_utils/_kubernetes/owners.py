# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a pod is, by what the API server says of its owner. Pure.

An ownerReference is free text to whoever may create pods. It counts where an object of that kind and name is there, and
has the identity that the reference names.
"""

from __future__ import annotations

import typing as t

from .pods import ALL_KINDS, Object, Owner

Objects = t.Callable[[str], t.Sequence[Object]]
"""Every object of a plural, such as ``deployments``."""
PLURALS = {kind: f"{kind.lower()}s" for kind in (*ALL_KINDS.values(), "ReplicaSet", "CronJob") if kind != "Pod"}
DEEPEST = 3
"""References to follow: a pod's ReplicaSet, its Deployment, and one to spare."""


def owner_of(pod: Object, objects: Objects) -> tuple[Owner, Object]:
    """The workload that ``pod`` belongs to, and that object; the pod itself where nothing known owns it."""
    item, kind = pod, "Pod"
    for _step in range(DEEPEST):
        found = _controller(item, objects)
        if found is None:
            break
        kind, item = found
    meta = item["metadata"]
    return Owner(kind, meta["namespace"], meta["name"]), item


def _controller(item: Object, objects: Objects) -> tuple[str, Object] | None:
    meta = item["metadata"]
    for reference in meta.get("ownerReferences") or ():
        plural = PLURALS.get(reference.get("kind", ""))
        for each in objects(plural) if plural and reference.get("controller") else ():
            other = each["metadata"]
            named = (meta["namespace"], reference.get("name"), reference.get("uid"))
            if reference.get("uid") and (other["namespace"], other["name"], other.get("uid")) == named:
                return str(reference["kind"]), each
    return None
