# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings: what keeps a workload from its role. Every code that there is, with its severity. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A sort of finding. An error keeps the workload below ``rung``; "" stops at none."""

    severity: t.Literal["error", "warning", "info"]
    rung: str
    title: str


CODES = {
    "workload_missing": Kind("error", "declared", "The workload doesn't exist"),
    "default_service_account": Kind("error", "", "The workload runs under the service account default"),
    "service_account_missing": Kind("error", "declared", "The service account doesn't exist"),
    "association_missing": Kind("error", "declared", "No association binds the service account"),
    "service_account_mismatch": Kind("error", "declared", "The association is for a name nearly like this one"),
    "wrong_role": Kind("error", "declared", "The association gives another role"),
    "irsa_annotation": Kind("info", "", "IRSA's annotation is left over"),
    "misspelt_annotation": Kind("warning", "", "An annotation that EKS doesn't know"),
    "skip_label": Kind("error", "injected", "A label keeps EKS's webhook away"),
    "skip_containers": Kind("warning", "", "An annotation keeps credentials from containers"),
    "container_variables": Kind("error", "injected", "The pod template sets Pod Identity's own variables"),
    "webhook_cold": Kind("warning", "injected", "EKS's webhook doesn't know the association yet"),
    "webhook_missing": Kind("error", "injected", "EKS's webhook is missing, altered or doesn't answer"),
    "pod_refused": Kind("warning", "", "A new pod would be refused"),
    "pod_untried": Kind("info", "", "No new pod could be tried"),
    "added_containers": Kind("info", "", "Another webhook adds containers without credentials"),
    "stale_pods": Kind("error", "injected", "Pods are older than the association"),
    "former_role": Kind("warning", "", "Pods are older than the association's last change"),
    "no_running_pods": Kind("warning", "injected", "No pod runs"),
    "static_keys": Kind("error", "issued", "Static AWS keys win over Pod Identity"),
    "irsa_variables": Kind("error", "issued", "IRSA's variables win over Pod Identity"),
    "other_source": Kind("error", "issued", "Credentials from elsewhere win over Pod Identity"),
    "profile_missing": Kind("error", "issued", "An AWS profile is named that isn't there"),
    "no_proxy": Kind("error", "issued", "A proxy stands between the pod and the agent"),
    "host_network": Kind("warning", "", "The pod is in its node's network"),
    "node_unsupported": Kind("error", "issued", "The pod's node can't run the agent"),
    "agent_not_on_node": Kind("error", "issued", "No ready agent on the pod's node"),
    "agent_missing": Kind("error", "issued", "The Pod Identity agent isn't installed"),
    "agent_unhealthy": Kind("error", "issued", "The Pod Identity agent is unhealthy"),
    "auto_mode": Kind("info", "", "Auto Mode brings the agent along"),
    "agent_unreachable": Kind("error", "issued", "The pod gets no credentials from its agent"),
    "sdk_without_credentials": Kind("warning", "", "The SDK in the pod finds no credentials"),
    "role_missing": Kind("error", "issued", "The role doesn't exist"),
    "trust_excludes": Kind("error", "issued", "The role's trust policy keeps Pod Identity out"),
    "session_tags_disabled": Kind("error", "issued", "The trust policy needs session tags, and they are disabled"),
    "role_of_other_cluster": Kind("error", "issued", "The role's trust policy names another cluster only"),
    "target_role_excludes": Kind("error", "issued", "The target role doesn't trust the association's role"),
    "credentials_refused": Kind("error", "issued", "EKS refuses credentials"),
    "other_identity": Kind("error", "issued", "The pod acts as another role"),
    "no_policy": Kind("error", "allowed", "The role has no policy"),
    "check_denied": Kind("error", "allowed", "A check is denied"),
    "check_failed": Kind("warning", "allowed", "A check fails, but not for want of permission"),
    "association_orphan": Kind("warning", "", "The association's service account or namespace is gone"),
}
"""What each means, and what to do, is in docs/findings.md."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, in one sentence, and a remedy that can be pasted."""

    code: str
    object: str
    message: str
    remedy: str

    @property
    def severity(self) -> str:
        """``error``, ``warning`` or ``info``."""
        return CODES[self.code].severity

    @property
    def rung(self) -> str:
        """The rung that isn't reached while this is so; "" for none."""
        return CODES[self.code].rung

    def result(self) -> dict[str, str]:
        """The finding as modules return it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "object": self.object,
            "message": self.message,
            "remedy": self.remedy,
        }
