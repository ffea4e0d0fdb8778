# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that eksctl begins with, and the stacks in which it keeps the roles of associations."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import POD_IDENTITY_TRUST, Lab
from botocore.exceptions import ClientError

STACK = "eksctl-lab-podidentityrole-shop-orders"
TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {
        "Role1": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": POD_IDENTITY_TRUST,
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
            },
        }
    },
    "Outputs": {"Role1": {"Value": {"Fn::GetAtt": "Role1.Arn"}, "Export": {"Name": f"{STACK}::Role1"}}},
}


def names(eks: t.Any, **given: t.Any) -> list[str]:
    pages = eks.get_paginator("describe_cluster_versions").paginate(**given)
    return [version["clusterVersion"] for page in pages for version in page["clusterVersions"]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["1.36", "1.35", "1.34", "1.33", "1.32", "1.31"]),
        ({"includeAll": True}, ["1.36", "1.35", "1.34", "1.33", "1.32", "1.31", "1.30"]),
        ({"defaultOnly": True}, ["1.35"]),
        ({"clusterVersions": ["1.30", "1.34", "9.9"], "includeAll": True}, ["1.34", "1.30"]),
        ({"versionStatus": "EXTENDED_SUPPORT"}, ["1.33", "1.32", "1.31"]),
        ({"status": "standard-support"}, ["1.36", "1.35", "1.34"]),
        ({"versionStatus": "UNSUPPORTED"}, ["1.30"]),
        ({"PaginationConfig": {"PageSize": 4}}, ["1.36", "1.35", "1.34", "1.33", "1.32", "1.31"]),
    ],
)
def test_the_versions_on_offer(lab: Lab, eks: t.Any, given: dict[str, t.Any], expected: list[str]) -> None:
    assert names(eks, **given) == expected


def test_a_version_in_full(lab: Lab, eks: t.Any) -> None:
    (found,) = eks.describe_cluster_versions(clusterVersions=["1.35"])["clusterVersions"]
    assert (found["clusterType"], found["defaultVersion"], found["status"]) == ("eks", True, "standard-support")
    assert found["releaseDate"] < found["endOfStandardSupportDate"] < found["endOfExtendedSupportDate"]
    assert found["defaultPlatformVersion"] == eks.describe_cluster(name="lab")["cluster"]["platformVersion"]


def test_describing_versions_takes_a_permission_on_everything(lab: Lab) -> None:
    allowed = {"Effect": "Allow", "Action": "eks:DescribeClusterVersions", "Resource": "*"}
    lab.client("eks", lab.user("reader", allowed)).describe_cluster_versions()
    with pytest.raises(ClientError, match="AccessDenied"):
        lab.client("eks", lab.user("nobody")).describe_cluster_versions()


def test_a_stack_makes_the_role_of_an_association(lab: Lab, eks: t.Any) -> None:
    stacks = lab.client("cloudformation")
    assert stacks.list_stacks()["StackSummaries"] == []
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe_stacks(StackName=STACK)
    tags = [{"Key": "alpha.eksctl.io/cluster-name", "Value": "lab"}]
    made = {"TemplateBody": json.dumps(TEMPLATE), "Capabilities": ["CAPABILITY_IAM"], "Tags": tags}
    stacks.create_stack(StackName=STACK, **made)
    (stack,) = stacks.describe_stacks(StackName=STACK)["Stacks"]
    assert (stack["StackStatus"], stack["Tags"]) == ("CREATE_COMPLETE", tags)
    role = stack["Outputs"][0]["OutputValue"]
    eks.create_pod_identity_association(clusterName="lab", namespace="shop", serviceAccount="orders", roleArn=role)
    name = role.rpartition("/")[2]
    attached = lab.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonS3ReadOnlyAccess"]
    stacks.delete_stack(StackName=STACK)
    assert lab.client("iam").list_roles()["Roles"] == []
