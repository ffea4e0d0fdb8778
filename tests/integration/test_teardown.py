# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""teardown.yml on the lab: what goes and what stays, refused, predicted, done, done again; alone and in a fleet."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration import hostile
from ansible_collections.enbuild.eks.tests.integration.guide import associations
from ansible_collections.enbuild.eks.tests.integration.shop import LISTING, TRUST, Shop, policy
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

OURS = {"enbuild.eks/managed-by": "enbuild.eks"}
S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
ALL_THE_SAME = "pod_identity_teardown_altered_roles true deletes it anyway"
STAGE, STAGE_REGION = "stage", "us-west-2"


class Account:
    """Roles and associations as this collection and others make them."""

    def __init__(self, lab: Lab, shop: Shop) -> None:
        self.lab, self.shop = lab, shop
        self.iam = lab.aws("iam")

    def role(self, name: str, *policies: str, ours: bool = True) -> str:
        """A role with an inline policy of its own name, and ``policies``, and one that is attached."""
        marks = [{"Key": key, "Value": value} for key, value in OURS.items() if ours]
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=marks)
        for each in (name, *policies):
            self.iam.put_role_policy(RoleName=name, PolicyName=each, PolicyDocument=policy(LISTING))
        self.iam.attach_role_policy(RoleName=name, PolicyArn=S3)
        return str(made["Role"]["Arn"])

    def bind(self, account: str, role_arn: str, ours: bool = True, **where: str) -> None:
        place = {"clusterName": self.lab.cluster_name, "namespace": self.shop.namespace, **where}
        region = STAGE_REGION if place["clusterName"] == STAGE else self.lab.region
        eks = self.lab.aws("eks", region_name=region) if region != self.lab.region else self.lab.aws("eks")
        eks.create_pod_identity_association(
            **place, serviceAccount=account, roleArn=role_arn, tags=OURS if ours else {}
        )

    def cluster(self, name: str, **region: str) -> None:
        self.lab.aws("eks", **region).create_cluster(
            name=name, roleArn=f"arn:aws:iam::{self.lab.account_id}:role/cluster", resourcesVpcConfig={}
        )

    def roles(self) -> set[str]:
        return {role["RoleName"] for role in self.iam.list_roles()["Roles"] if role["RoleName"].startswith("td-")}

    def bound(self) -> set[str]:
        """Service accounts with an association, of the namespaces that are the test's own."""
        places = [place.split("/") for place in associations(self.lab)]
        return {name for space, name in places if space in (self.shop.namespace, "elsewhere")}


@pytest.fixture
def account(shop: Shop) -> t.Iterator[Account]:
    yield Account(shop.lab, shop)
    shop.lab.reset()


def teardown(lab: Lab, *arguments: str, **variables: t.Any) -> PlaybookRun:
    environment = {**lab.environment(), "ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    return run_playbook(["enbuild.eks.teardown", "-e", json.dumps(variables), *arguments], environment)


def told(run: PlaybookRun) -> list[str]:
    """What the summary says, without the cluster and without the prediction."""
    said = re.findall(r"^[\w-]+: ((?:would be |would )?(?:removed|stays?): .*)$", run.output, re.MULTILINE)
    return [re.sub("^would (be )?", "", line).replace("stay:", "stays:") for line in said]


def test_what_was_made_here_goes_and_nothing_else(account: Account, shop: Shop) -> None:
    lab = account.lab
    account.cluster(STAGE, region_name=STAGE_REGION)
    arns = {name: account.role(f"td-{name}") for name in ("orders", "shared")}
    arns["altered"] = account.role("td-altered", "more")
    arns["adopted"] = account.role("td-adopted", ours=False)
    for name, arn in arns.items():
        account.bind(name, arn)
    account.bind("hand", arns["adopted"], ours=False)
    account.bind("elsewhere", arns["adopted"], namespace="elsewhere")
    account.bind("orders", arns["shared"], clusterName=STAGE)
    shop.account()
    shop.deploy()
    shop.settle()
    given = {
        "eks_cluster_name": lab.cluster_name,
        "eks_region": lab.region,
        "pod_identity_teardown_regions": f"[{STAGE_REGION}]",
        "pod_identity_teardown_agent": True,
        "pod_identity_workloads": [
            {
                "name": name,
                "namespace": shop.namespace,
                "service_account": name,
                "role_name": f"td-{name}",
                "managed_policies": ["AmazonS3ReadOnlyAccess"],
            }
            for name in arns
        ],
    }

    # What a namespace's owner writes: half a release, and an owner that is a command.
    shop.kubectl("annotate", "deployment/orders", "meta.helm.sh/release-name=enbuild")
    shop.kubectl("apply", "-f", "-", given=json.dumps(hostile.hiding_pod("hiding", "orders")))
    shop.kubectl("wait", "--for=condition=Ready", "pod/hiding", "--timeout=60s")
    refused = teardown(lab, **given)
    assert refused.changed == []
    assert f"Deployment {shop.namespace}/orders" in refused.failure
    assert f"kubectl scale deployment/orders --replicas=0 -n {shop.namespace}" in refused.failure

    assert f"kubectl delete pod hiding -n {shop.namespace}" in refused.failure
    assert "evil" not in refused.output

    predicted = teardown(lab, "--check", "--diff", **given)
    assert predicted.returncode == 0, predicted.output
    assert "would stop, with nothing removed: Running pods hold credentials" in predicted.output
    assert f"--- before: association {shop.namespace}/orders" in predicted.output
    assert "--- before: role td-orders" in predicted.output
    assert "DEPRECATION" not in predicted.output
    assert re.findall(r"^skipping: ", predicted.output, re.MULTILINE) == []
    assert re.findall(r"^-.*: null", predicted.output, re.MULTILINE) == []
    shop.kubectl("delete", "pod/hiding")
    assert account.bound() == {*arns, "hand", "elsewhere"}
    shop.kubectl("scale", "deployment/orders", "--replicas=0")
    shop.kubectl("wait", "--for=delete", "pod", "-l", "app=orders", "--timeout=60s")
    run = teardown(lab, **given)
    assert run.returncode == 0, run.output
    assert (told(predicted), predicted.changed) == (told(run), run.changed)
    assert told(run) == [
        *(f"removed: association {shop.namespace}/{name}" for name in sorted(arns)),
        "removed: role td-orders",
        f"stays: association {shop.namespace}/hand: it was not made by enbuild.eks (no tag enbuild.eks/managed-by)",
        f"stays: role td-shared: the association of {shop.namespace}/orders in cluster stage in us-west-2 uses it",
        f"stays: role td-altered: somebody else gave it more; {ALL_THE_SAME}",
        "stays: role td-adopted: it was not made by enbuild.eks (no tag enbuild.eks/managed-by)",
        f"stays: add-on eks-pod-identity-agent: it serves elsewhere/elsewhere, {shop.namespace}/hand",
    ]
    assert account.bound() == {"hand", "elsewhere"}
    assert account.roles() == {"td-shared", "td-altered", "td-adopted"}
    handed_on = run.stats["pod_identity_teardown"][lab.cluster_name]
    assert [f"removed: {name}" for name in handed_on["removed"]] == told(run)[: len(arns) + 1]
    assert [each["kind"] for each in handed_on["kept"]] == ["association", "role", "role", "role", "add-on"]

    again = teardown(lab, **given)
    assert (again.returncode, again.changed) == (0, []), again.output

    lab.aws("eks", region_name=STAGE_REGION).delete_cluster(name=STAGE)
    last = teardown(lab, **given, pod_identity_teardown_altered_roles=True)
    assert told(last)[:2] == ["removed: role td-shared", "removed: role td-altered"], last.output
    assert account.roles() == {"td-adopted"}


def test_clusters_of_a_fleet_share_a_role_that_goes_with_the_last(account: Account, tmp_path: Path) -> None:
    lab = account.lab
    account.cluster("second")
    arn = account.role("td-shared")
    for cluster in (lab.cluster_name, "second"):
        account.bind("orders", arn, clusterName=cluster)
    names = {"first": lab.cluster_name, "second": "second", "third": "nowhere"}
    workload = {"name": "orders", "namespace": account.shop.namespace, "service_account": "orders"}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {
                        host: {"eks_cluster_name": name, "eks_region": lab.region} for host, name in names.items()
                    },
                    "vars": {
                        "pod_identity_workloads": [{**workload, "role_name": "td-shared", "managed_policies": [S3]}]
                    },
                }
            }
        )
    )
    predicted = teardown(lab, "-i", str(inventory), "--check")
    run = teardown(lab, "-i", str(inventory))
    assert run.returncode == 2
    assert "third stopped at \"Read the cluster\": No EKS cluster named 'nowhere'" in run.failure.replace('\\"', '"')
    removed = [*[f"removed: association {account.shop.namespace}/orders"] * 2, "removed: role td-shared"]
    assert sorted(told(predicted)) == sorted(told(run)) == removed, run.output
    assert account.roles() == set()
    assert account.bound() == set()
