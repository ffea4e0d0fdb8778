# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet on the lab: clusters in several accounts and regions, each with a Deployment in a namespace of its own."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.enbuild.eks.tests.integration import namespaces
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

REGIONS = ("us-east-1", "eu-west-1")
ROLE = "shop-orders"
EXTERNAL_ID = "acme"
LISTING = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


@dataclass(frozen=True)
class Member:
    """A cluster of the fleet. ``host`` is what the inventory is to call it; ``account`` the caller's own if empty."""

    host: str
    name: str
    region: str
    account: str = ""
    auto_mode: bool = False
    known: bool = True
    """Whether its creator, the operator, is let into it."""
    tags: tuple[tuple[str, str], ...] = (("Fleet", "yes"),)

    @property
    def namespace(self) -> str:
        """Where its Deployment is: one API server is behind all clusters of a lab."""
        return f"shop-{self.host.replace('.', '-')}"


UNASKED = {"pod_identity_verify_ask_pods": False, "pod_identity_diagnose_ask_pods": False}
"""All clusters have the lab's one agent, which asks EKS for pods of the lab's own cluster."""


class FleetOnLab:
    """Clusters that are there until the lab's next reset, and an inventory file that finds them."""

    def __init__(self, lab: Lab, folder: Path, members: t.Sequence[Member]) -> None:
        self.lab, self.members = lab, members
        self.inventory = folder / "fleet.eks_clusters.yml"
        self.accounts = sorted({member.account for member in members if member.account})
        self.roles = {account: lab.open_account(account, EXTERNAL_ID) for account in self.accounts}
        self.arns = {member.host: self._create(member) for member in members}
        (folder / "group_vars").mkdir()
        variables = {"pod_identity_workloads": [_workload()], **UNASKED}
        (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables))
        self.configure()

    def configure(self, **more: t.Any) -> None:
        """Write the inventory's file."""
        entered = [{"assume_role_arn": arn, "assume_role_external_id": EXTERNAL_ID} for arn in self.roles.values()]
        given = {"plugin": "enbuild.eks.eks_clusters", "regions": list(REGIONS), "include_tags": {"Fleet": None}}
        self.inventory.write_text(yaml.safe_dump({**given, "accounts": [{"profile": ""}, *entered], **more}))

    def client(self, member: Member, service: str) -> t.Any:
        """Return a boto3 client of the operator in a cluster's account and region."""
        if not member.account:
            return self.lab.aws(service, region_name=member.region)
        return self.lab.aws_as(self.roles[member.account], service, EXTERNAL_ID, region_name=member.region)

    def member(self, host: str) -> Member:
        """Return the cluster whose host is ``host``."""
        return next(member for member in self.members if member.host == host)

    def _create(self, member: Member) -> str:
        made = self.client(member, "eks").create_cluster(
            name=member.name,
            roleArn=f"arn:aws:iam::{member.account or self.lab.account_id}:role/eks-cluster",
            resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
            tags=dict(member.tags),
            computeConfig={"enabled": member.auto_mode},
            accessConfig={"bootstrapClusterCreatorAdminPermissions": member.known},
        )
        return str(made["cluster"]["arn"])

    def deploy(self) -> None:
        """Give each cluster its Deployment."""
        objects = [each for member in self.members for each in _objects(member.namespace)]
        self.lab.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def clear(self) -> None:
        """Take away what a reset of the lab leaves."""
        namespaces.leave(self.lab, *(member.namespace for member in self.members))

    def associated(self, host: str) -> dict[str, str]:
        """Return the roles' ARNs in a cluster, by service account."""
        member = self.member(host)
        eks = self.client(member, "eks")
        listed = eks.list_pod_identity_associations(clusterName=member.name)["associations"]
        return {
            f"{each['namespace']}/{each['serviceAccount']}": eks.describe_pod_identity_association(
                clusterName=member.name, associationId=each["associationId"]
            )["association"]["roleArn"]
            for each in listed
        }

    def run(self, playbook: str, *arguments: str, environment: t.Any = None, **more: t.Any) -> PlaybookRun:
        """Run a playbook over the fleet as a user does."""
        given = ["-i", str(self.inventory), f"enbuild.eks.{playbook}", "--forks", "10", *arguments]
        return run_playbook(given, {**self.lab.environment(), **(environment or {})}, **more)


def _workload() -> dict[str, t.Any]:
    return {
        "name": "orders",
        "namespace": "shop-{{ inventory_hostname | replace('.', '-') }}",
        "deployment": "orders",
        "role_name": ROLE,
        "policy": {"Version": "2012-10-17", "Statement": [LISTING]},
        "allowed": ["s3:ListBuckets"],
    }


def _objects(namespace: str) -> list[dict[str, t.Any]]:
    labels = {"app": "orders"}
    pod = {
        "serviceAccountName": "orders",
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "registry.example.com/orders"}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "orders", "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "orders", "namespace": namespace}}
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, account, deployment]
