# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles of a declared name that somebody else created: adopted where they are for pods, or where told to."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.enbuild.eks.tests.integration import guide
from ansible_collections.enbuild.eks.tests.integration.shop import LISTING, TRUST, policy, trust
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun

pytestmark = pytest.mark.lab

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READING = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
INSTANCES = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
GUIDE = TRUST["Statement"][0]


@pytest.fixture(autouse=True)
def clean(aws_clean: Lab) -> None:
    """Each test begins with an account without roles."""


def workload(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "namespace": "shop", "service_account": name, "role_name": name, **more}


def run(lab: Lab, *arguments: str, workloads: t.Any, **variables: t.Any) -> PlaybookRun:
    steps = ("--tags", "pod_identity_iam")
    return guide.run_guide(lab, "site", *steps, *arguments, pod_identity_workloads=workloads, **variables)


def role(lab: Lab, name: str, document: str, **policies: str) -> None:
    """Make a role as somebody else would: with AdministratorAccess, and inline policies."""
    iam = lab.aws("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName=name, PolicyArn=ADMIN)
    for policy_name, text in policies.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=text)
    lab.forget_calls()


def writes(lab: Lab) -> list[str]:
    """The IAM calls since the last count that do more than read."""
    return sorted(name for name in lab.calls()["calls"].get("iam", {}) if not name.startswith(("Get", "List")))


def statements(lab: Lab, name: str) -> list[dict[str, t.Any]]:
    document = lab.aws("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return list(document["Statement"])


def attached(lab: Lab, name: str) -> list[str]:
    listed = lab.aws("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return sorted(each["PolicyArn"] for each in listed)


def test_a_role_of_instances_stops_the_run_and_gains_only_when_told_to(lab: Lab) -> None:
    role(lab, "orders", policy(INSTANCES))
    workloads = [workload("fresh"), workload("orders", managed_policies=["AmazonS3ReadOnlyAccess"])]
    refused = run(lab, workloads=workloads)
    assert (
        "Role orders was not created by enbuild.eks, and its trust policy lets in ec2.amazonaws.com" in refused.failure
    )
    assert "pod_identity_iam_adopt" in refused.failure
    assert writes(lab) == []
    predicted = run(lab, "--check", "--diff", workloads=workloads, pod_identity_iam_adopt=True)
    assert predicted.returncode == 0, predicted.output
    assert writes(lab) == []
    added = [line for line in predicted.output.splitlines() if line.startswith("+")]
    assert any("pods.eks.amazonaws.com" in line for line in added), predicted.output
    assert not [line for line in predicted.output.splitlines() if line.startswith("-") and "ec2" in line]
    lab.faults(
        [{"service": "iam", "operation": "UpdateAssumeRolePolicy", "code": "ConcurrentModification", "status": 409}]
    )
    made = run(lab, workloads=workloads, pod_identity_iam_adopt=True)
    assert (made.returncode, made.changed) == (0, predicted.changed), made.output
    first, second = statements(lab, "orders")
    assert (first, second["Principal"]) == (INSTANCES, GUIDE["Principal"])
    assert second["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == "orders"
    assert attached(lab, "orders") == [ADMIN, READING]
    lab.forget_calls()
    again = run(lab, workloads=workloads)
    assert (again.returncode, again.changed, writes(lab)) == (0, [], []), again.output


def test_a_role_for_pods_is_adopted_and_loses_nothing(lab: Lab) -> None:
    role(lab, "orders", trust(), orders=policy({**LISTING, "Action": "ec2:Describe*"}), theirs=policy(LISTING))
    made = run(lab, workloads=[workload("orders", policy=policy(LISTING))])
    assert made.returncode == 0, made.output
    assert statements(lab, "orders") == [GUIDE], "it lets the service account in already"
    iam = lab.aws("iam")
    document = iam.get_role_policy(RoleName="orders", PolicyName="orders")["PolicyDocument"]
    assert [each["Action"] for each in document["Statement"]] == ["ec2:Describe*", LISTING["Action"]]
    assert iam.list_role_policies(RoleName="orders")["PolicyNames"] == ["orders", "theirs"]
    assert attached(lab, "orders") == [ADMIN]
    assert iam.list_role_tags(RoleName="orders")["Tags"] == []


def test_two_runs_at_once_end_with_both_statements(lab: Lab) -> None:
    theirs = {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "theirs"}}
    role(lab, "shared", trust(Condition=theirs))
    both = [workload(name, role_name="shared", trust="service_account") for name in ("a", "b")]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda each: run(lab, workloads=[each]), both))
    assert [each.returncode for each in runs] == [0, 0], runs[0].output + runs[1].output
    accounts = [each.get("Condition", {}).get("StringEquals", {}) for each in statements(lab, "shared")]
    assert sorted(each.get("aws:RequestTag/kubernetes-service-account", "") for each in accounts) == ["", "a", "b"]


def test_a_trust_policy_that_is_too_long_is_refused_with_both_numbers(lab: Lab) -> None:
    long = [workload(f"account-{n}", role_name="shared", trust="service_account") for n in range(6)]
    refused = run(lab, workloads=[workload("fresh"), *long])
    assert "The trust policy of role shared would have 3," in refused.failure or "would have 2," in refused.failure
    assert "and IAM allows 2,048 (ACLSizePerRole)" in refused.failure
    assert "Take the trust account or cluster" in refused.failure
    assert writes(lab) == []
