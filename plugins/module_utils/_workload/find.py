# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the workloads that are asked for, and all others of the namespaces looked at."""

from __future__ import annotations

import typing as t

from .._kubernetes.api import Kubernetes
from .._kubernetes.pods import ALL_KINDS, KINDS, MIRRORED, Object, Owner, Pod, Template, plain_template
from .model import Workload

Templates: t.TypeAlias = "dict[Workload, Template | None]"


def named_template(workload: Workload, cluster: Kubernetes, rendered: t.Mapping[Owner, Template]) -> Template | None:
    """The template that ``workload`` runs by, or will run by when its release has changed."""
    owner = workload.owner
    if workload.by_service_account:
        return plain_template(owner.namespace, owner.name)
    live, coming = _live(owner, cluster), rendered.get(owner)
    if live and coming and live.service_account == coming.service_account:
        return live
    return coming or live


def _live(owner: Owner, cluster: Kubernetes) -> Template | None:
    for item in cluster.objects(f"{owner.kind.lower()}s"):
        meta = item["metadata"]
        if (meta["namespace"], meta["name"]) == (owner.namespace, owner.name):
            return _template(owner, item)
    return None


def _owner(kind: str, item: Object) -> Owner:
    return Owner(kind, item["metadata"]["namespace"], item["metadata"]["name"])


def _template(owner: Owner, item: Object) -> Template:
    whole = {"kind": owner.kind, **item}  # A list's items don't name their kind.
    return Template(owner, item if owner.kind == "Pod" else item["spec"]["template"], workload=whole)


def templates_by_owner(cluster: Kubernetes) -> dict[Owner, Template]:
    """The template of every workload that the caller may list."""
    return {
        owner: _template(owner, item)
        for kind in ALL_KINDS.values()
        if kind != "Pod"
        for item in cluster.allowed_objects(f"{kind.lower()}s") or ()
        for owner in [_owner(kind, item)]
    }


def other_templates(
    cluster: Kubernetes, spaces: t.Collection[str] | None, known: t.Collection[Owner]
) -> dict[Owner, Template]:
    """Every workload of ``spaces`` (None is all) but those ``known``, pods that belong to none of them included."""
    found = {owner: _template(owner, item) for owner, item in living(cluster)}
    for pod in cluster.running():
        if pod.owner not in found and pod.owner.kind != MIRRORED:
            found[pod.owner] = Template(pod.owner, cluster.body_of(pod.owner))
    return {
        owner: template
        for owner, template in found.items()
        if owner not in known and (spaces is None or owner.namespace in spaces)
    }


def living(cluster: Kubernetes) -> t.Iterator[tuple[Owner, Object]]:
    """Every workload that makes pods, or may again."""
    for kind in ALL_KINDS.values():
        if kind != "Pod":
            for item in cluster.objects(f"{kind.lower()}s"):
                if not _has_ended(item):
                    yield _owner(kind, item), item


def _has_ended(item: Object) -> bool:
    """Whether it is a Job that is through: its pods will never ask for credentials again."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return any(each["type"] in ("Complete", "Failed") and each["status"] == "True" for each in conditions)


def names(cluster: Kubernetes, namespace: str) -> list[str]:
    """Workloads of ``namespace``, as "Deployment name"."""
    return [
        f"{kind} {item['metadata']['name']}"
        for kind in KINDS.values()
        for item in cluster.allowed_objects(f"{kind.lower()}s") or ()
        if item["metadata"]["namespace"] == namespace
    ]


class PodsByPlace:
    """Running pods, by what made them and by the service account that they run under."""

    def __init__(self, pods: t.Iterable[Pod]) -> None:
        self._by_owner: dict[Owner, list[Pod]] = {}
        for pod in pods:
            for key in (pod.owner, Owner("ServiceAccount", pod.namespace, pod.service_account)):
                self._by_owner.setdefault(key, []).append(pod)

    def of(self, workload: Workload) -> tuple[Pod, ...]:
        """The workload's pods."""
        return tuple(self._by_owner.get(workload.owner, ()))
