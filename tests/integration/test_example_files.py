# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files in examples/ do on the lab what they say: run, proven where pods are, and run again without a change."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

FOLDER = CHECKOUT / "examples"
TESTED = {
    "addons.yml",
    "cross_account.yml",
    "deployment_with_bucket.yml",
    "external_secrets.yml",
    "fleet.yml",
    "govcloud_and_china.yml",
}
SITE = ("enbuild.eks.site",)
BINDING = ("enbuild.eks.site", "--tags", "pod_identity_iam,pod_identity_associations")
"""For clusters that only exist in AWS's eyes: what is made there, without their pods."""


def test_every_example_is_tested() -> None:
    assert {path.name for path in FOLDER.glob("*.yml")} == TESTED


class Place:
    """What the examples find when they come."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.spaces: list[str] = []

    def deploy(self, namespace: str, name: str) -> None:
        """A Deployment under a service account of its own name."""
        namespaces.renew(self.lab, namespace)
        self.spaces.append(namespace)
        for words in (
            ("create", "serviceaccount", name),
            ("create", "deployment", name, f"--image=registry.example.com/{name}"),
            ("set", "serviceaccount", f"deployment/{name}", name),
            ("rollout", "status", f"deployment/{name}", "--timeout=60s"),
        ):
            self.lab.kubectl(*words, "-n", namespace)

    def clusters(self, *names: str, region: str) -> None:
        for name in names:
            self.lab.aws("eks", region_name=region).create_cluster(
                name=name, roleArn=f"arn:aws:iam::{self.lab.account_id}:role/cluster", resourcesVpcConfig={}
            )

    def clear(self) -> None:
        if self.spaces:
            namespaces.leave(self.lab, *self.spaces)
        self.spaces.clear()
        agent.remove(self.lab)
        self.lab.reset()

    def run(self, *words: str, environment: t.Mapping[str, str] | None = None, **variables: t.Any) -> PlaybookRun:
        return run_playbook(
            [*words, "-e", json.dumps(variables)], {**self.lab.environment(), **(environment or {})}, cwd=str(CHECKOUT)
        )

    def twice(self, *words: str, environment: t.Mapping[str, str] | None = None, **variables: t.Any) -> PlaybookRun:
        """Run it; run again, where nothing may change."""
        first = self.run(*words, environment=environment, **variables)
        assert first.returncode == 0, first.output
        assert first.changed, first.output
        again = self.run(*words, environment=environment, **variables)
        assert (again.returncode, again.changed) == (0, []), again.output
        return first

    def here(self) -> dict[str, t.Any]:
        """Variables that lead an example to the lab's cluster."""
        return {"eks_cluster_name": self.lab.cluster_name, "eks_region": self.lab.region}

    def profiles(self, folder: Path, *names: str) -> dict[str, str]:
        """An environment whose credentials, the operator's, are in profiles alone: these and the default one."""
        keys = f"aws_access_key_id={self.lab.access_key_id}\naws_secret_access_key={self.lab.secret_access_key}\n"
        config = folder / "config"
        config.write_text("".join(f"[{name}]\n{keys}" for name in ("default", *(f"profile {each}" for each in names))))
        return {"AWS_CONFIG_FILE": str(config), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    def bound(self, region: str = "", cluster: str = "") -> dict[str, str]:
        """Role ARN of each service account's association."""
        eks = self.lab.aws("eks", region_name=region) if region else self.lab.aws("eks")
        where = {"clusterName": cluster or self.lab.cluster_name}
        listed = eks.list_pod_identity_associations(**where)["associations"]
        found = [
            eks.describe_pod_identity_association(**where, associationId=each["associationId"])["association"]
            for each in listed
        ]
        return {f"{each['namespace']}/{each['serviceAccount']}": each["roleArn"] for each in found}


@pytest.fixture
def place(lab: Lab) -> t.Iterator[Place]:
    made = Place(lab)
    made.clear()
    yield made
    made.clear()


def test_a_deployment_with_a_bucket(place: Place) -> None:
    place.deploy("shop", "orders")
    place.lab.aws("s3").create_bucket(Bucket="acme-shop-orders")
    first = place.twice(*SITE, "-i", "examples/deployment_with_bucket.yml", **place.here())
    assert "1 workload (1 allowed); no finding" in first.output


def test_a_controller_by_namespace(place: Place) -> None:
    place.deploy("external-secrets", "external-secrets")
    place.lab.aws("secretsmanager").create_secret(Name="shop/database", SecretString="x")
    first = place.twice(*SITE, "-i", "examples/external_secrets.yml", **place.here())
    assert "1 workload (1 allowed); no finding" in first.output


def test_add_ons_with_their_recommended_policies(place: Place) -> None:
    place.twice("examples/addons.yml", **place.here())
    account = place.lab.account_id
    assert place.bound() == {
        "kube-system/ebs-csi-controller-sa": f"arn:aws:iam::{account}:role/lab-ebs-csi-controller-sa",
        "kube-system/aws-node": f"arn:aws:iam::{account}:role/lab-aws-node",
    }
    attached = place.lab.aws("iam").list_attached_role_policies(RoleName="lab-ebs-csi-controller-sa")
    assert [each["PolicyName"] for each in attached["AttachedPolicies"]] == ["AmazonEBSCSIDriverPolicy"]


def test_partitions_are_taken_from_the_caller(place: Place, tmp_path: Path) -> None:
    environment = place.profiles(tmp_path, "gov", "china")
    place.deploy("shop", "orders")
    regions = {"us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn"}
    for region in regions:
        place.clusters("production", region=region)
    place.twice(*BINDING, "-i", "examples/govcloud_and_china.yml", environment=environment)
    for region, partition in regions.items():
        arn = f"arn:{partition}:iam::{place.lab.account_id}:role/shop-orders"
        assert place.bound(region, "production") == {"shop/orders": arn}
        iam = place.lab.aws("iam", region_name=region)
        resources = iam.get_role_policy(RoleName="shop-orders", PolicyName="shop-orders")["PolicyDocument"]["Statement"]
        assert {each.split(":")[1] for one in resources for each in one["Resource"]} == {partition}
        (managed,) = iam.list_attached_role_policies(RoleName="shop-orders")["AttachedPolicies"]
        assert managed["PolicyArn"] == f"arn:{partition}:iam::aws:policy/AmazonSQSReadOnlyAccess"


def test_a_small_fleet(place: Place) -> None:
    place.deploy("shop", "orders")
    place.clusters("staging", "production", region="us-east-1")
    place.clusters("production", region="us-west-2")
    first = place.twice(*BINDING, "-i", "examples/fleet.yml")
    role = f"arn:aws:iam::{place.lab.account_id}:role/shop-orders-acme-shop-orders"
    assert place.bound("us-east-1", "staging") == {"shop/orders": f"{role}-staging"}
    assert place.bound("us-east-1", "production") == place.bound("us-west-2", "production") == {"shop/orders": role}
    assert first.recap("failed") == 0


def test_pods_of_one_account_use_a_bucket_of_another(place: Place, tmp_path: Path) -> None:
    lab = place.lab
    place.deploy("shop", "reports")
    lab.aws("s3").create_bucket(Bucket="acme-data")
    first = place.twice(
        "examples/cross_account.yml",
        environment=place.profiles(tmp_path, "data"),
        **place.here(),
        data_profile="data",
        data_account=lab.account_id,
        data_bucket="acme-data",
    )
    assert "1 workload (1 allowed); no finding" in first.output
