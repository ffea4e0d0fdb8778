# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the AWS identity from pods and workloads. No client, no AnsibleModule, no clock.

EKS's webhook, its variables and its token volume: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from __future__ import annotations

import csv
import typing as t
from dataclasses import dataclass, field, replace

Object = t.Mapping[str, t.Any]
"""A Kubernetes object as the API gives it."""
Contents: t.TypeAlias = "t.Mapping[tuple[str, str], t.Mapping[str, str] | None]"
"""What ConfigMaps and Secrets of a namespace hold, by kind and name; None for one that may not be read.

Of a Secret's values, only what ``containers.reduced`` leaves of them."""

CREDENTIALS_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 (a variable's name)
TOKEN_VOLUME = "eks-pod-identity-token"  # noqa: S105 (a volume's name)
SKIP_CONTAINERS = "eks.amazonaws.com/skip-containers"
SKIP_LABEL = "eks.amazonaws.com/skip-pod-identity-webhook"
Metadata: t.TypeAlias = "t.Mapping[str, t.Mapping[tuple[str, str], Object]]"
"""Metadata by kind, namespace and name; kinds that weren't listed are left out."""

MAKERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")
"""Kinds of Kubernetes' own that make pods."""
MIRROR = "kubernetes.io/config.mirror"
"""On a pod that a kubelet runs by itself; the API server lets none with it have a service account."""
MIRRORED = "Node"
"""The owner's kind of such a pod."""
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
"""Options that name a workload that can be restarted, and the kind that each stands for."""
ALL_KINDS = {**KINDS, "job": "Job", "pod": "Pod"}
"""The same with those whose pods nothing makes anew."""


@dataclass(frozen=True)
class Owner:
    """The object whose template makes a pod; ``kind`` is Pod for a pod without an owner."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Pod:
    """A running pod, as far as its identity is concerned."""

    name: str
    namespace: str
    service_account: str
    owner: Owner
    bare_containers: tuple[str, ...] = ()
    """Containers that lack the injection."""
    node: str = ""
    uid: str = ""
    created: str = ""
    """When it was created, in ISO 8601 to the second."""
    ready: bool = False
    container: str = ""
    """Its first container that carries the injection; "" for none."""
    added_containers: tuple[str, ...] = ()
    """Those without the injection that its template doesn't have: another webhook added them."""

    def made_by(self, template: Template) -> Pod:
        """The pod, judged by the containers of its template alone."""
        own = {container["name"] for container in containers(template.pod)}
        added = tuple(name for name in self.bare_containers if name not in own)
        bare = tuple(name for name in self.bare_containers if name in own)
        return replace(self, bare_containers=bare, added_containers=added)

    @property
    def injected(self) -> bool:
        """Whether every container carries the variables and the token."""
        return not self.bare_containers


@dataclass(frozen=True)
class Template:
    """A workload's pod template, and where it was found: ``live`` or ``rendered``."""

    owner: Owner
    pod: Object = field(hash=False)
    source: str = "live"
    """``named`` for one that was made up for a service account."""
    workload: Object = field(default_factory=dict, hash=False)
    """The object that it is the template of."""

    @property
    def service_account(self) -> str:
        """Service account that the template's pods run under."""
        return service_account_of(self.pod)


def place_of(template: Template) -> tuple[str, str]:
    """Namespace and name of the service account that the template's pods run under."""
    return template.owner.namespace, template.service_account


def service_account_of(pod: Object) -> str:
    """Service account of a pod or a pod template; Kubernetes' own default where none is named."""
    spec = pod.get("spec") or {}
    return str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")


def bare_containers(pod: Object, own: t.Collection[str] | None = None) -> tuple[str, ...]:
    """Names of the containers and init containers of ``pod`` that lack the injection.

    Those that the annotation ``eks.amazonaws.com/skip-containers`` names are left out: they want none. So are, where it
    is given, those that aren't among the template's ``own``: another webhook added them after EKS's.
    """
    skipped = skipped_containers(pod)
    volumes = _volumes(pod)
    return tuple(
        container["name"]
        for container in containers(pod)
        if container["name"] not in skipped
        and (own is None or container["name"] in own)
        and not (TOKEN_VOLUME in volumes and _carries(container))
    )


def containers(pod: Object) -> list[Object]:
    """Containers of a pod or a pod template, and its init containers after them."""
    spec = pod.get("spec") or {}
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def skipped_containers(pod: Object) -> tuple[str, ...]:
    """Containers that the annotation ``eks.amazonaws.com/skip-containers`` keeps credentials from."""
    named = ((pod.get("metadata") or {}).get("annotations") or {}).get(SKIP_CONTAINERS, "")
    wanted = _values(named)
    return tuple(container["name"] for container in containers(pod) if container["name"] in wanted)


def _values(text: str) -> set[str]:
    """Comma-separated values as EKS's webhook reads them: the first line, nothing trimmed, none if it is malformed."""
    first = next(filter(None, text.splitlines()), "")
    try:
        values = next(csv.reader([first], strict=True), [])
    except csv.Error:
        return set()
    return set() if any('"' in value for value in values) and '""' not in first else set(values)


def skip_label(pod: Object) -> bool:
    """Whether the pod's label keeps EKS's webhook away, whatever its value."""
    return SKIP_LABEL in ((pod.get("metadata") or {}).get("labels") or {})


def _volumes(pod: Object) -> set[str]:
    return {volume["name"] for volume in (pod.get("spec") or {}).get("volumes") or ()}


def _carrier(pod: Object) -> str:
    spec = pod.get("spec") or {}
    carrying = [each["name"] for each in spec.get("containers") or () if _carries(each)]
    return carrying[0] if carrying and TOKEN_VOLUME in _volumes(pod) else ""


def _carries(container: Object) -> bool:
    names = {variable.get("name") for variable in container.get("env") or ()}
    mounts = {mount.get("name") for mount in container.get("volumeMounts") or ()}
    return {CREDENTIALS_URI, TOKEN_FILE} <= names and TOKEN_VOLUME in mounts


def metadata_of(listed: t.Mapping[str, t.Iterable[Object]]) -> Metadata:
    """What of the objects of each kind is needed to know whose a pod is."""
    return {
        kind: {_place(item["metadata"]): _identity(item["metadata"]) for item in items}
        for kind, items in listed.items()
    }


def _place(meta: Object) -> tuple[str, str]:
    return meta["namespace"], meta["name"]


def _identity(meta: Object) -> Object:
    return {key: meta[key] for key in ("namespace", "uid", "ownerReferences") if key in meta}


def lives(pod: Object) -> bool:
    """Whether the pod neither ended nor is leaving."""
    phase = (pod.get("status") or {}).get("phase")
    return "deletionTimestamp" not in pod["metadata"] and phase not in ("Succeeded", "Failed")


def pod_of(item: Object, there: Metadata) -> Pod:
    """A pod with the workload that made it.

    An ownerReference is free text to whoever may create pods. It counts for the kinds that make pods, and, where all
    objects of its kind are in ``there``, for one that is there and has the identity that the reference names.
    """
    meta = item["metadata"]
    return Pod(
        name=meta["name"],
        namespace=meta["namespace"],
        service_account=service_account_of(item),
        owner=_owner(item, there),
        bare_containers=bare_containers(item),
        node=(item.get("spec") or {}).get("nodeName", ""),
        uid=meta.get("uid", ""),
        created=meta.get("creationTimestamp") or "",
        ready=is_ready(item),
        container=_carrier(item),
    )


def is_ready(pod: Object) -> bool:
    """Whether the pod's own condition says so."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _owner(pod: Object, there: Metadata) -> Owner:
    meta = pod["metadata"]
    if MIRROR in (meta.get("annotations") or {}):
        return Owner(MIRRORED, meta["namespace"], (pod.get("spec") or {}).get("nodeName", ""))
    itself = Owner("Pod", meta["namespace"], meta["name"])
    made_by = _controller(meta, there, MAKERS)
    if made_by and made_by.kind == "ReplicaSet":
        replica_set = there.get("ReplicaSet", {}).get((made_by.namespace, made_by.name), {})
        return _controller(replica_set, there, ("Deployment",)) or made_by
    return made_by or itself


def _controller(meta: Object, there: Metadata, kinds: t.Collection[str]) -> Owner | None:
    """The controller that an object names, if it is of one of these kinds, and not known to be another or none."""
    for reference in meta.get("ownerReferences") or ():
        owner = Owner(str(reference["kind"]), meta["namespace"], str(reference["name"]))
        if reference.get("controller") and owner.kind in kinds and _is_there(owner, reference.get("uid"), there):
            return owner
    return None


def controlled_by(meta: Object, kind: str) -> bool:
    """Whether the object names a controller of that kind."""
    return _controller(meta, {}, (kind,)) is not None


def _is_there(owner: Owner, uid: t.Any, there: Metadata) -> bool:
    """Whether an object of that identity exists, or its kind wasn't listed."""
    if owner.kind not in there:
        return True
    found = there[owner.kind].get((owner.namespace, owner.name))
    return found is not None and found.get("uid") == uid


def rendered_templates(documents: t.Iterable[t.Any], namespace: str) -> list[Template]:
    """Pod templates of the workloads among rendered manifests; ``namespace`` is that of those that name none."""
    found = []
    for document in documents:
        if isinstance(document, dict) and document.get("kind") in KINDS.values():
            meta = document["metadata"]
            owner = Owner(document["kind"], meta.get("namespace") or namespace, meta["name"])
            found.append(Template(owner, document["spec"]["template"], "rendered"))
    return found


def created_by(template: Template) -> dict[str, t.Any]:
    """A Pod as the workload's controller would create it now."""
    meta = template.pod.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{template.owner.name}-",
            "namespace": template.owner.namespace,
            "labels": dict(meta.get("labels") or {}),
            "annotations": dict(meta.get("annotations") or {}),
        },
        "spec": dict(template.pod["spec"]),
    }


def plain_template(namespace: str, service_account: str) -> Template:
    """A template for a service account that no workload was named for; its pod is only ever a dry run.

    It meets the pod security standard ``restricted``.
    """
    safe = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    spec = {
        "serviceAccountName": service_account,
        "containers": [{"name": "probe", "image": "probe", "securityContext": safe}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return Template(Owner("ServiceAccount", namespace, service_account), {"spec": spec}, "named")
