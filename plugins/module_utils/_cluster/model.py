# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An EKS cluster in the user's words. No boto3, no AnsibleModule."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._core.plan import Refused
from .._core.suggest import nearest

CLUSTER_ARN = re.compile(r"arn:(aws[a-z-]*):eks:([a-z0-9-]+):(\d{12}):cluster/([0-9A-Za-z][0-9A-Za-z_-]{0,99})")


@dataclass(frozen=True)
class ClusterArn:
    """The parts of an EKS cluster's ARN."""

    partition: str
    region: str
    account_id: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:eks:{self.region}:{self.account_id}:cluster/{self.name}"


def parse_arn(arn: str) -> ClusterArn:
    """Split the ARN of a cluster; ``Refused`` for anything else."""
    match = CLUSTER_ARN.fullmatch(arn)
    if match is None:
        raise Refused(f"'{arn}' is not the ARN of an EKS cluster (arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME)")
    return ClusterArn(*match.groups())


def arn_of(cluster: t.Mapping[str, t.Any] | str) -> ClusterArn:
    """Return the ARN of ``cluster``: what eks_cluster_info returned, or the ARN itself."""
    return parse_arn(cluster if isinstance(cluster, str) else str(cluster.get("arn") or ""))


def view(raw: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what a user asks of ``raw``, the ``cluster`` of a DescribeCluster answer.

    What AWS doesn't know yet, like the endpoint of a cluster that is being created, is None.
    """
    arn = parse_arn(raw["arn"])
    return {
        "name": raw["name"],
        "arn": raw["arn"],
        "partition": arn.partition,
        "region": arn.region,
        "account_id": arn.account_id,
        "status": raw["status"],
        "version": raw.get("version"),
        "platform_version": raw.get("platformVersion"),
        "endpoint": raw.get("endpoint"),
        **_settings(raw),
        "tags": raw.get("tags", {}),
    }


def _settings(raw: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the nested parts of the answer say."""
    return {
        "certificate_authority": raw.get("certificateAuthority", {}).get("data"),
        "auto_mode": bool(raw.get("computeConfig", {}).get("enabled")),
        "ip_family": raw.get("kubernetesNetworkConfig", {}).get("ipFamily"),
        "oidc_issuer": raw.get("identity", {}).get("oidc", {}).get("issuer"),
        "authentication_mode": raw.get("accessConfig", {}).get("authenticationMode"),
    }


def missing(name: str, region: str, account_id: str, names: t.Iterable[str] | None) -> str:
    """Say that there is no cluster ``name``; ``names`` are those that exist, None where that isn't known."""
    place = f"region {region}" + (f" of account {account_id}" if account_id else "")
    text = f"No EKS cluster named '{name}' in {place}. "
    if names is not None:
        near = ", ".join(nearest(name, names))
        text += f"Clusters there: {near}. " if near else "There is no cluster at all. "
    return text + "Check cluster_name, region and the account of the credentials."
