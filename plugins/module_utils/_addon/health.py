# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health of an add-on in words, and what to do about it. No boto3, no AnsibleModule."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

CONFLICT = "ConfigurationConflict"

ADVICE = {
    CONFLICT: (
        "Objects of the add-on are in the cluster already, installed or changed by something else than EKS, for example"
        " Helm or kubectl. Set resolve_conflicts to overwrite to let EKS take them over: they get the add-on's values,"
        " and what was set in them otherwise is lost. Or remove them first"
    ),
    "InsufficientNumberOfReplicas": "Look at the add-on's pods: nodes may be missing, full or unable to pull images",
    "AdmissionRequestDenied": "An admission webhook of the cluster refuses the add-on's objects; exempt them there",
    "AccessDenied": "Something took EKS its permissions in the cluster; restore its cluster roles eks:addon-manager",
    "AddonPermissionFailure": "Give the role of the add-on's service account the permissions that the add-on needs",
    "AddonSubscriptionNeeded": "Subscribe to the add-on in the AWS Marketplace",
    "ClusterUnreachable": "EKS can't reach the cluster's API server; look at its subnets and security groups",
    "UnsupportedAddonModification": "Undo what was changed in its objects, or set resolve_conflicts to overwrite",
}


@dataclass(frozen=True)
class Issue:
    """What EKS says is wrong, of an add-on or of an update."""

    code: str
    message: str
    resources: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f" ({', '.join(self.resources)})" if self.resources else ""
        return f"{self.code}: {self.message.rstrip('.')}{named}"


def told(issues: t.Sequence[Issue]) -> str:
    """All issues in one line."""
    return "; ".join(map(str, issues)) or "EKS gives no reason"


def advice(issues: t.Sequence[Issue]) -> str:
    """What to do about them; "" where nothing is known."""
    return " ".join(f"{ADVICE[code]}." for code in dict.fromkeys(i.code for i in issues) if code in ADVICE)


def view(issues: t.Sequence[Issue]) -> list[dict[str, t.Any]]:
    """As modules return them."""
    return [{**asdict(issue), "resources": list(issue.resources)} for issue in issues]
