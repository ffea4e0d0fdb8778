# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task of pod_identity_workload_info asks for. No client, no AnsibleModule."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from .._cluster.token import PREFIX
from .._core.plan import Refused
from .._workload.checks import Check, parse_checks
from .._workload.model import Workload, parse_workload
from .wait import Wait

WHOLE = "*"
"""In place of a namespace: all of them."""
PROVING = ("issued", "allowed")
"""Rungs that need more than EKS's associations and Kubernetes' lists."""
HEIGHTS = {"": "allowed", "none": "declared"}
"""How high to climb for a required rung; for the others, as high as they are."""
TOKEN_SECONDS = 840
"""How long a wait may use one EKS token, which lives for 15 minutes."""


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
    required_rung: str = ""
    wait: Wait = field(default_factory=Wait)
    rollouts: bool = False
    """Whether nodes and budgets are read, which decide how a restart goes."""
    described: t.Mapping[str, t.Any] = field(default_factory=dict)
    """The cluster as eks_cluster_info returned it; empty where it is to be described."""
    associations: tuple[t.Mapping[str, t.Any], ...] = ()
    """Those that the caller has read."""
    ask_pods: bool = True
    """Whether a pod itself is asked for its credentials, too."""
    ephemeral_container_image: str = ""
    """Image of a container to add to a pod whose own has no program to ask with; "" for none."""

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
    workloads, checks = _named(params)
    return Asked(
        params["cluster_name"] or "",
        workloads,
        _spaces(params, workloads),
        params["rung"] or HEIGHTS.get(params["required_rung"], params["required_rung"]),
        params["probes"],
        params["proofs"],
        params["manifests"] or text_of(params["manifests_file"]),
        params["manifests_namespace"],
        params["before_restart"],
        checks,
        params["required_rung"],
        _wait(params),
        params["rollouts"],
        *_read(params),
        *_asking(params),
    )


def _named(params: t.Mapping[str, t.Any]) -> tuple[tuple[Workload, ...], tuple[Check, ...]]:
    """The workloads, and the checks for those that name none."""
    checks = parse_checks(params["checks"], "checks")
    return tuple(parse_workload(item, checks) for item in params["workloads"]), checks


def _read(params: t.Mapping[str, t.Any]) -> tuple[t.Mapping[str, t.Any], tuple[t.Mapping[str, t.Any], ...]]:
    """What the caller has read: the cluster, and its associations."""
    return _described(params), _associations(params)


def _described(params: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """The cluster that the caller has read; refused where it is another one."""
    given = params["cluster"] or {}
    if given and given.get("name") != params["cluster_name"]:
        raise Refused(f"cluster is {given.get('name')}, and cluster_name is {params['cluster_name']}")
    return given


def _associations(params: t.Mapping[str, t.Any]) -> tuple[t.Mapping[str, t.Any], ...]:
    """The associations that the caller has read; refused for a proof and for a wait, which read them afresh."""
    given = tuple(params["associations"])
    if given and (params["rung"] not in ("declared", "injected") or params["wait_for"]):
        raise Refused(
            "associations goes with rung declared or injected, and not with wait_for: a proof reads them anew"
        )
    return given


def _asking(params: t.Mapping[str, t.Any]) -> tuple[bool, str]:
    """How pods are asked; refused for a wait with ephemeral containers, which would look at pods again and again."""
    image = str(params["ephemeral_container_image"] or "")
    if image and params["wait_for"]:
        raise Refused("ephemeral_container_image doesn't go with wait_for: prove the pods when the wait is over")
    return params["ask_pods"], image


def _spaces(params: t.Mapping[str, t.Any], workloads: t.Collection[Workload]) -> frozenset[str] | None:
    named = params["namespaces"]
    if not (workloads or named):
        raise Refused("Nothing to look at: name workloads, or namespaces ('*' for all of them)")
    return None if WHOLE in named else frozenset(named)


def _wait(params: t.Mapping[str, t.Any]) -> Wait:
    """What to wait for; refused where the caller's token would lapse before the end."""
    timeout = params["wait_timeout"]
    if params["wait_for"] and timeout > TOKEN_SECONDS and _has_eks_token(params):
        raise Refused(
            f"wait_timeout is {timeout} s, and an EKS token lives for 15 minutes: wait {TOKEN_SECONDS} s at most, or "
            "reach the cluster by a kubeconfig of yours"
        )
    return Wait(params["wait_for"] or "", timeout)


def _has_eks_token(params: t.Mapping[str, t.Any]) -> bool:
    """Whether the caller's token is one that EKS accepts for 15 minutes only."""
    given = params["api_key"] or params["kubeconfig"]
    if isinstance(given, str) and os.path.isfile(given):
        given = text_of(given)
    return PREFIX in str(given or "")


def text_of(path: str) -> str:
    """The content of the file; "" for no path."""
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeError) as error:
        raise Refused(f"File {path} can't be read: {error}") from None
