# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen of workloads, their cluster and their roles: the evidence that findings are made from.

Values alone: no client, no AnsibleModule, no clock.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._iam.model import Role
from .._kubernetes.pods import Contents, Object, Owner, Pod, Template
from .._workload.model import Workload
from .._workload.rollout import Room


@dataclass(frozen=True)
class Cluster:
    """The cluster that is looked at; ``arn`` is empty where the caller may not describe it."""

    name: str
    region: str = ""
    arn: str = ""
    auto_mode: bool = False
    ipv6: bool = False


@dataclass(frozen=True)
class Node:
    """A node, as far as Pod Identity is concerned."""

    name: str
    compute: str = ""
    """``fargate``, ``auto``, ``hybrid`` or "" for an EC2 instance of a node group."""
    windows: bool = False
    created: str = ""
    """When it joined the cluster, in ISO 8601 to the second."""

    @property
    def unfit(self) -> str:
        """Why no agent can run there; "" for a node that can."""
        return "Fargate" if self.compute == "fargate" else "Windows" if self.windows else ""

    @property
    def built_in(self) -> bool:
        """Whether EKS runs the agent there by itself."""
        return self.compute == "auto"


@dataclass(frozen=True)
class Agent:
    """The Pod Identity agent: the add-on, and the pods that play it."""

    addon_status: str = ""
    """EKS's word for the add-on's state; "" where it isn't installed."""
    version: str = ""
    issues: tuple[str, ...] = ()
    pods: t.Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    """For each node the agent's pod there, and whether it is ready."""

    @property
    def present(self) -> bool:
        """Whether it is installed at all, by EKS or by hand."""
        return bool(self.addon_status or self.pods)

    @property
    def unhealthy(self) -> bool:
        """Whether EKS says that something is wrong with it; while it is installed or updated, nothing is."""
        bad = ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "DEGRADED")
        return self.addon_status in bad or bool(self.issues)

    def ready_on(self, node: str) -> bool:
        """Whether a pod of ``node`` finds it."""
        return self.pods.get(node, ("", False))[1]


@dataclass(frozen=True)
class Issued:
    """Whether EKS issues credentials to a pod, and how that is known."""

    how: str = ""
    """``eks_auth``: exchanged for this very pod; ``exec``: the pod asked; ``agent``: only likely; "" unknown.

    ``ephemeral_container``: a container that was added to the pod asked.
    """
    good: bool | None = None
    assumed_role_arn: str = ""
    tool: str = ""
    """What the pod asked with."""
    pod: str = ""
    message: str = ""
    """Why there are none, or why it isn't known."""

    sdk_error: str = ""
    """Why the SDK in the pod, where it has one, finds no credentials, by the exception's name."""
    added: bool = False
    """Whether an ephemeral container was added to the pod for that."""

    def result(self) -> dict[str, t.Any]:
        """As modules return it."""
        return {name: getattr(self, name) for name in ("how", "assumed_role_arn", "tool", "pod", "message")}


ALL_BUCKETS = "s3:ListBuckets"
UNDECLARED = (
    "It may not list all buckets of the account, which says nothing about those that it needs. Name them to check them:"
    " enbuild_ctf_buckets"
)


@dataclass(frozen=True)
class Answer:
    """What came of a check: allowed, denied, or None where that can't be said."""

    check: str
    allowed: bool | None
    code: str = ""
    message: str = ""
    how: str = ""
    reason: str = ""
    """Which policy denies it, as far as that was found out."""
    explicit: bool = False
    """Whether a Deny does, which no Allow outweighs."""
    actions: tuple[str, ...] = ()
    bucket: str = ""
    resources: tuple[str, ...] = ()
    """What a simulated check is about."""

    def result(self) -> dict[str, t.Any]:
        """As modules return it."""
        return {name: getattr(self, name) for name in ("check", "allowed", "code", "message", "how")}


MISSPELT = "eks.amazonaws.com/pod-identity-association"
"""Beginning of an annotation that is widely copied and does nothing."""


def undeclared(answer: Answer, optional: bool) -> Answer | None:
    """What a denial of all buckets says of a workload that is looked at undeclared, as ``optional`` ones are: nothing.

    It may need some buckets only, and a remedy must not advise more. None for other answers.
    """
    if not optional or answer.allowed is not False or answer.check != ALL_BUCKETS:
        return None
    return Answer(answer.check, None, message=UNDECLARED)


@dataclass(frozen=True)
class Surroundings:
    """What all workloads of a cluster share."""

    cluster: Cluster = field(default_factory=lambda: Cluster(""))
    nodes: t.Mapping[str, Node] = field(default_factory=dict)
    agent: Agent | None = None
    """None where it wasn't looked at, or may not be."""


@dataclass(frozen=True)
class Evidence:
    """What was seen of one workload."""

    workload: Workload
    template: Template | None
    association: t.Mapping[str, t.Any] | None
    pods: tuple[Pod, ...] = ()
    tried: tuple[bool, ...] = ()
    """Whether each dry-run pod came out injected; empty when none was asked for."""
    replaced: bool = False
    """Whether the pods of now will be gone before anybody asks again (a release is about to change)."""
    neighbours: tuple[str, ...] = ()
    """Names that were meant, perhaps: other workloads, or associated service accounts, of the namespace."""
    around: Surroundings = field(default_factory=Surroundings)
    account: Object | None = field(default=None, hash=False)
    """The service account itself; None where it wasn't looked for."""
    account_missing: bool = False
    mistaken: t.Mapping[str, t.Any] | None = None
    """An association for a service account that nothing runs under, which was meant for this workload perhaps."""
    contents: Contents = field(default_factory=dict, hash=False)
    owners: t.Mapping[Owner, Template] = field(default_factory=dict, hash=False)
    """The templates of the live workloads that make its pods, as far as they were read."""
    room: Room = field(default_factory=Room, hash=False)
    role: Role | None = None
    target: Role | None = None
    issued: Issued | None = None
    asked: Issued | None = None
    """What the pod itself says of its credentials, where they were issued to the caller; None where it wasn't asked."""
    answers: tuple[Answer, ...] = ()
    refusal: str = ""
    """Why the API server refuses a pod that is tried as a dry run, in its own words."""
    untried: str = ""
    """The same of a pod that was made up, which says nothing about the workload's own."""
    denied: str = ""
    """Why the caller may not try one."""
    tried_at: str = ""
    """The API server's time, in ISO 8601, when a pod was tried last."""
    webhook: str = ""
    """Why the API server doesn't ask EKS's webhook about these pods, where one came out without the injection."""

    @property
    def stale(self) -> tuple[Pod, ...]:
        """Running pods that lack the injection."""
        return tuple(pod for pod in self.pods if not pod.injected)

    @property
    def service_account(self) -> str | None:
        """Service account that the workload's pods run under; None for a workload that isn't there."""
        return self.template.service_account if self.template else None

    @property
    def place(self) -> str:
        """The service account as messages name it."""
        return f"{self.workload.owner.namespace}/{self.service_account}"

    @property
    def concerned(self) -> bool:
        """Whether an identity is expected here at all."""
        known = self.association is not None or self.mistaken is not None
        return self.workload.asked or known or bool(self.misspelt)

    @property
    def misspelt(self) -> tuple[str, ...]:
        """Annotations of the service account that look as if they made an association; EKS knows none such."""
        metadata = (self.account or {}).get("metadata") or {}
        return tuple(sorted(key for key in metadata.get("annotations") or {} if key.startswith(MISSPELT)))
