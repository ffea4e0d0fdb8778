# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found of a service account that gets its AWS permissions by IRSA or from its node. Values alone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .._core.text import clean
from .._core.validate import is_role_arn
from .._iam.model import Role
from .._iam.trust_edit import AUDIENCE, Provider, irsa_parts
from .._iam.trust_policy import DEFAULT_SIZE, Document, read_document
from .._identity.findings.declared import IRSA_ANNOTATION
from .._kubernetes.pods import KINDS, Object, Owner, Pod
from .._workload.rollout import ON_DELETE, PARTITION, PAUSED, held_by
from .memory import remembered_role

REMEMBERED_ROLE = "enbuild.eks/irsa-role-arn"
"""Annotation of a service account: what IRSA's said, before it was taken away."""
AUDIENCE_ANNOTATION = "eks.amazonaws.com/audience"
REMEMBERED_NETWORK = "enbuild.eks/host-network"
"""Annotation of a workload whose pods were in their node's network."""
ANNOTATION_PATH = ("metadata", "annotations", IRSA_ANNOTATION)
NETWORK_PATH = ("spec", "template", "spec", "hostNetwork")
BY_HAND = ("kubectl-annotate", "kubectl-edit", "kubectl-patch", "OpenAPI-Generator")
"""Field managers that nobody follows up with: the last one is a Python client, such as Ansible's."""
MANAGERS = {"kubectl-client-side-apply": "kubectl apply"}
"""Field managers that are better known by another name."""
ADDON_MANAGER = "eks"
"""Field manager of the add-ons that EKS runs."""
HELD = {
    PAUSED: "is paused",
    ON_DELETE: "replaces its pods as you delete them",
    PARTITION: "keeps pods as they are (rollingUpdate.partition)",
}
"""What keeps a workload's pods as they are, in words."""


@dataclass(frozen=True)
class Running:
    """A workload that runs under the service account."""

    owner: Owner
    object: Object = field(hash=False)

    @property
    def template(self) -> Object:
        """Its pod template; a pod is its own."""
        if self.owner.kind == "Pod":
            return self.object
        spec = self.object["spec"]
        return t.cast("Object", spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"])

    @property
    def on_host_network(self) -> bool:
        """Whether its pods are in their node's network, where the node's role is in reach."""
        return bool((self.template.get("spec") or {}).get("hostNetwork"))

    @property
    def was_on_host_network(self) -> bool:
        """Whether they were, before this collection took them out of it."""
        return REMEMBERED_NETWORK in annotations_of(self.object)

    @property
    def held(self) -> str:
        """Why a change of its template makes no pod anew, though it is of a kind that does; "" where it does."""
        return HELD.get(held_by(self.object), "")

    @property
    def can_restart(self) -> bool:
        """Whether a change of its template makes its pods anew."""
        return self.owner.kind in KINDS.values() and not self.held


@dataclass(frozen=True)
class Account:
    """A service account, with all that decides how its pods get from one way to the other."""

    namespace: str
    name: str
    object: Object = field(default_factory=dict, hash=False)
    """The service account itself; empty where it isn't there."""
    association: t.Mapping[str, t.Any] | None = None
    declared: tuple[t.Mapping[str, t.Any], ...] = ()
    """The workloads under it that a user declared, completed."""
    workloads: tuple[Running, ...] = ()
    pods: tuple[Pod, ...] = ()
    raw_pods: tuple[Object, ...] = field(default=(), hash=False)
    """All pods that haven't ended, as the API gives them: whatever owns them, also those on their way out."""
    readers: tuple[str, ...] = ()
    """Other objects whose controllers read its annotation."""
    documents: t.Mapping[str, t.Any] | None = field(default_factory=dict, hash=False)
    """Permission policies of its role by name; None where they can't be read."""
    further: t.Mapping[str, t.Any] = field(default_factory=dict, hash=False)
    """Trust policies of the roles that its role may assume, by ARN; None for one that can't be read."""
    role: Role | None = None
    """The role that its pods have by Pod Identity, or are to have; None where none was read."""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def bound(self) -> t.Mapping[str, t.Any]:
        """Its association; empty for none."""
        return self.association or {}

    @property
    def annotated(self) -> str:
        """What IRSA's annotation says, whatever that is."""
        return str(annotations_of(self.object).get(IRSA_ANNOTATION, ""))

    @property
    def annotation(self) -> str:
        """The role that IRSA's annotation names; "" where it names none."""
        return self.annotated if is_role_arn(self.annotated) else ""

    @property
    def audience(self) -> str:
        """Whom the tokens are made for that IRSA gives its pods."""
        return str(annotations_of(self.object).get(AUDIENCE_ANNOTATION) or AUDIENCE)

    @property
    def remembered(self) -> str:
        """The role that it named before this collection took it away: what its association says, and nobody else."""
        return remembered_role(self.bound)

    @property
    def claimed(self) -> str:
        """The role that the service account itself says it had; anybody may have written that."""
        return str(annotations_of(self.object).get(REMEMBERED_ROLE, ""))

    @property
    def by_irsa(self) -> str:
        """The role that IRSA gives it, or gave."""
        return self.annotation or self.remembered

    @property
    def stale(self) -> tuple[Pod, ...]:
        """Running pods without the injection of Pod Identity."""
        return tuple(pod for pod in self.pods if not pod.injected)

    @property
    def provable(self) -> tuple[Pod, ...]:
        """Pods that can prove that Pod Identity works for it."""
        return tuple(pod for pod in self.pods if pod.ready)

    @property
    def restarted(self) -> list[Owner]:
        """Workloads whose pods are to be restarted."""
        stale = {pod.owner for pod in self.stale}
        return [each.owner for each in self.workloads if each.can_restart and each.owner in stale]

    @property
    def on_host_network(self) -> list[Running]:
        """Declared workloads in their nodes' network; others may be there for another reason than credentials."""
        named = {(kind, item.get(key)) for item in self.declared for key, kind in KINDS.items()}
        return [each for each in self.workloads if (each.owner.kind, each.owner.name) in named and each.on_host_network]

    @property
    def irsa_role(self) -> str:
        """The role that IRSA gives, or gave, where its trust policy was read; "" for none."""
        named = self.by_irsa
        return named if self.role is not None and self.role.arn == named and self.role.trust else ""

    def irsa_parts(self, provider: Provider) -> list[t.Mapping[str, t.Any]]:
        """IRSA's statements for it alone, as they can be taken away and put back."""
        return irsa_parts(self.trust, provider, self.place) if self.irsa_role else []

    @property
    def is_made(self) -> bool:
        """Whether its role is one that the declaration has made, as in site.yml."""
        return not self.by_irsa and any(item.get("role_name") for item in self.declared)

    @property
    def trust(self) -> Document:
        """The trust policy of its role; empty where that wasn't read."""
        return read_document(self.role.trust) if self.role is not None and self.role.trust else {}


@dataclass(frozen=True)
class Target:
    """By which role of the cluster's account one of another account is reached, and by whom."""

    role_arn: str
    service_accounts: tuple[str, ...] = ()
    """Each as ``namespace/name``: that account's trust policy can't be read from here, so the user answers for them."""


@dataclass(frozen=True)
class Desired:
    """What the user wants of a migration."""

    cluster: t.Mapping[str, t.Any]
    scope: str = "service_account"
    targets: t.Mapping[str, Target] = field(default_factory=dict)
    """For a role of another account, how it is reached."""
    trust_size: int = DEFAULT_SIZE
    """Characters that IAM takes of a role's trust policy."""
    host_network: bool = True
    """Whether declared workloads are taken out of their nodes' network in the end."""
    session_tags: bool = True
    """Whether EKS sends session tags; a role that is assumed in turn has to allow them."""
    unproven: tuple[str, ...] = ()
    """Service accounts (``namespace/name``) whose old way goes although nothing was seen that proves the new one."""


@dataclass(frozen=True)
class Scope:
    """Which service accounts are asked about."""

    namespaces: frozenset[str] | None = None
    """None is all."""
    include: tuple[str, ...] = ()
    """Patterns of ``namespace/name``; none is all."""
    exclude: tuple[str, ...] = ()

    def has(self, place: tuple[str, str]) -> bool:
        """Whether the service account is asked about."""
        named = "/".join(place)
        within = self.namespaces is None or place[0] in self.namespaces
        return within and (not self.include or _any(named, self.include)) and not _any(named, self.exclude)


def _any(name: str, patterns: t.Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def annotations_of(item: Object) -> t.Mapping[str, str]:
    """Annotations of a Kubernetes object."""
    return (item.get("metadata") or {}).get("annotations") or {}


def is_concerned(item: Object) -> bool:
    """Whether a service account has, or had, its role by IRSA."""
    known = annotations_of(item)
    return bool(known.get(IRSA_ANNOTATION) or known.get(REMEMBERED_ROLE))


def holder(item: Object, path: t.Sequence[str]) -> str:
    """Who keeps a field of ``item`` as it is, and would bring it back; "" for nobody.

    ``path`` leads to it: ``("metadata", "annotations", "eks.amazonaws.com/role-arn")``.
    """
    known, labels = annotations_of(item), (item.get("metadata") or {}).get("labels") or {}
    release = known.get("meta.helm.sh/release-name")
    if release:
        return f"Helm release {clean(known.get('meta.helm.sh/release-namespace', ''))}/{clean(release)}"
    if "argocd.argoproj.io/tracking-id" in known or "argocd.argoproj.io/instance" in labels:
        return "Argo CD"
    if flux := [key for key in labels if key.endswith("toolkit.fluxcd.io/name")]:
        return f"Flux {clean(labels[flux[0]])}"
    if labels.get("app.kubernetes.io/managed-by") == "eksctl":
        return "eksctl"
    names = [name for name in managers(item, path) if name not in BY_HAND]
    return MANAGERS.get(names[0], f"field manager {clean(names[0])}") if names else ""


def managers(item: Object, path: t.Sequence[str]) -> list[str]:
    """The field managers that own a field of ``item``."""
    entries = (item.get("metadata") or {}).get("managedFields") or ()
    return [entry.get("manager", "") for entry in entries if _owns(entry.get("fieldsV1") or {}, path)]


def _owns(fields: t.Mapping[str, t.Any], path: t.Sequence[str]) -> bool:
    for part in path:
        if f"f:{part}" not in fields:
            return False
        fields = fields[f"f:{part}"]
    return True
