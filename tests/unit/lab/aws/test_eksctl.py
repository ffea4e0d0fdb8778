# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that eksctl begins with, and the stacks in which it keeps the roles of associations."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import POD_IDENTITY_TRUST, Lab
from botocore.exceptions import ClientError

STACK = "eksctl-lab-podidentityrole-shop-orders"
MANAGED = "arn:aws:iam::aws:policy/"
TAGS = [{"Key": "alpha.eksctl.io/cluster-name", "Value": "lab"}]
LISTS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
CHANGES = {"Fn::Sub": "arn:${AWS::Partition}:route53:::hostedzone/*"}
TEMPLATE: dict[str, t.Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "IAM role for pod identity association [created and managed by eksctl]",
    "Resources": {
        "PolicyExternalDNSChangeSet": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": {"Fn::Sub": "${AWS::StackName}-PolicyExternalDNSChangeSet"},
                "Roles": [{"Ref": "Role1"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": ["route53:ChangeResourceRecordSets"], "Resource": CHANGES}
                    ],
                },
            },
        },
        "Role1": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": POD_IDENTITY_TRUST,
                "ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"}],
            },
        },
    },
    "Outputs": {"Role1": {"Value": {"Fn::GetAtt": "Role1.Arn"}}},
}
READS = json.dumps(TEMPLATE)


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


@pytest.fixture
def iam(lab: Lab) -> t.Any:
    return lab.client("iam")


@pytest.fixture
def stacks(lab: Lab) -> t.Any:
    return lab.client("cloudformation")


def template(*managed: str, **properties: t.Any) -> str:
    """What eksctl writes: the managed policies of its well-known ones by the name of the partition."""
    role = {"AssumeRolePolicyDocument": POD_IDENTITY_TRUST, "ManagedPolicyArns": [MANAGED + name for name in managed]}
    resources = {**TEMPLATE["Resources"], "Role1": {"Type": "AWS::IAM::Role", "Properties": {**role, **properties}}}
    return json.dumps({**TEMPLATE, "Resources": resources})


def create(stacks: t.Any, body: str = READS, **given: t.Any) -> t.Any:
    """Create the stack as eksctl does, and return it."""
    made = {"TemplateBody": body, "Capabilities": ["CAPABILITY_IAM"], "Tags": TAGS, "DisableRollback": False}
    stacks.create_stack(StackName=STACK, **{**made, **given})
    return stacks.describe_stacks(StackName=STACK)["Stacks"][0]


def update(stacks: t.Any, body: str, **given: t.Any) -> t.Any:
    """Update it by a change set, as eksctl does, and return what that says; what has no changes is not carried out."""
    made = {"TemplateBody": body, "Capabilities": ["CAPABILITY_IAM"], "Tags": TAGS, "ChangeSetType": "UPDATE"}
    stacks.create_change_set(StackName=STACK, ChangeSetName="update", **{**made, **given})
    change_set = stacks.describe_change_set(StackName=STACK, ChangeSetName="update")
    if change_set["Status"] == "CREATE_COMPLETE":
        stacks.execute_change_set(StackName=STACK, ChangeSetName="update")
    return change_set


def role_of(stacks: t.Any) -> str:
    """The name of the stack's role, from its output."""
    outputs = stacks.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return str(outputs[0]["OutputValue"].rpartition("/")[2])


def managed(iam: t.Any, role: str) -> set[str]:
    return {each["PolicyName"] for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]}


def test_a_stack_makes_the_role_of_an_association(lab: Lab, eks: t.Any, iam: t.Any, stacks: t.Any) -> None:
    assert stacks.list_stacks()["StackSummaries"] == []
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe_stacks(StackName=STACK)
    stack = create(stacks)
    assert (stack["StackStatus"], stack["Tags"], stack["Capabilities"]) == ("CREATE_COMPLETE", TAGS, ["CAPABILITY_IAM"])
    assert stacks.get_template(StackName=STACK)["TemplateBody"] == json.loads(READS)
    eks.create_pod_identity_association(
        clusterName="lab", namespace="shop", serviceAccount="orders", roleArn=stack["Outputs"][0]["OutputValue"]
    )
    role = iam.get_role(RoleName=role_of(stacks))["Role"]
    assert role["AssumeRolePolicyDocument"] == POD_IDENTITY_TRUST
    own = {"logical-id": "Role1", "stack-id": stack["StackId"], "stack-name": STACK}
    tags = {"alpha.eksctl.io/cluster-name": "lab", **{f"aws:cloudformation:{key}": own[key] for key in own}}
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == tags
    assert managed(iam, role["RoleName"]) == {"AmazonS3ReadOnlyAccess"}
    (inline,) = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
    assert inline == f"{STACK}-PolicyExternalDNSChangeSet"
    document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=inline)["PolicyDocument"]
    assert document["Statement"][0]["Resource"] == "arn:aws:route53:::hostedzone/*"
    stacks.delete_stack(StackName=STACK)
    assert iam.list_roles()["Roles"] == []
    assert stacks.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_a_long_name_of_a_stack_is_cut_to_fit_its_role(iam: t.Any, stacks: t.Any) -> None:
    name = f"{STACK}-{'x' * 40}"
    stacks.create_stack(StackName=name, TemplateBody=READS, Capabilities=["CAPABILITY_IAM"])
    (role,) = iam.list_roles()["Roles"]
    assert len(role["RoleName"]) == 64
    assert re.fullmatch(f"{STACK}-x+-Role1-[0-9A-Z]+", role["RoleName"])


@pytest.mark.parametrize(
    ("properties", "given", "needed"),
    [
        ({}, [], "CAPABILITY_IAM"),
        ({"RoleName": "orders"}, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
        ({}, ["CAPABILITY_NAMED_IAM"], None),
        ({"RoleName": "orders"}, ["CAPABILITY_NAMED_IAM"], None),
    ],
)
def test_a_stack_that_changes_iam_takes_a_capability(
    iam: t.Any, stacks: t.Any, properties: dict[str, str], given: list[str], needed: str | None
) -> None:
    body = template(**properties)
    if needed is None:
        assert create(stacks, body, Capabilities=given)["Capabilities"] == given
        return
    with pytest.raises(ClientError, match="InsufficientCapabilities") as refused:
        create(stacks, body, Capabilities=given)
    assert f"Requires capabilities : [{needed}]" in str(refused.value)
    assert iam.list_roles()["Roles"] == []


def test_a_stack_whose_role_can_not_be_made_is_rolled_back(iam: t.Any, stacks: t.Any) -> None:
    stack = create(stacks, template("AmazonS3ReadOnlyAccess", "NoSuchPolicy"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (
        stack["StackStatusReason"] == "The following resource(s) failed to create: [Role1]. Rollback requested by user."
    )
    assert "Outputs" not in stack
    assert iam.list_roles()["Roles"] == []
    failed = [
        each["ResourceStatusReason"]
        for each in stacks.describe_stack_events(StackName=STACK)["StackEvents"]
        if (each["LogicalResourceId"], each["ResourceStatus"]) == ("Role1", "CREATE_FAILED")
    ]
    assert [f"Policy {MANAGED}NoSuchPolicy does not exist" in reason for reason in failed] == [True]
    with pytest.raises(ClientError, match="AlreadyExists"):
        create(stacks)
    stacks.delete_stack(StackName=STACK)
    assert create(stacks)["StackStatus"] == "CREATE_COMPLETE"


def test_a_change_set_changes_the_role(iam: t.Any, stacks: t.Any) -> None:
    create(stacks, template("AmazonS3ReadOnlyAccess", Policies=[{"PolicyName": "old", "PolicyDocument": LISTS}]))
    name = role_of(stacks)
    iam.attach_role_policy(RoleName=name, PolicyArn=f"{MANAGED}AmazonEC2ReadOnlyAccess")
    irsa = {"Version": "2012-10-17", "Statement": [*POD_IDENTITY_TRUST["Statement"], *POD_IDENTITY_TRUST["Statement"]]}
    inline = [{"PolicyName": "new", "PolicyDocument": LISTS}]
    changed = template("AmazonSQSReadOnlyAccess", AssumeRolePolicyDocument=irsa, Description="new", Policies=inline)
    change_set = update(stacks, changed, Tags=[*TAGS, {"Key": "team", "Value": "shop"}])
    assert [each["ResourceChange"]["LogicalResourceId"] for each in change_set["Changes"]] == ["Role1"]
    role = iam.get_role(RoleName=name)["Role"]
    assert (role["AssumeRolePolicyDocument"], role["Description"]) == (irsa, "new")
    assert {"Key": "team", "Value": "shop"} in role["Tags"]
    assert managed(iam, name) == {"AmazonSQSReadOnlyAccess", "AmazonEC2ReadOnlyAccess"}
    assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == {"new", f"{STACK}-PolicyExternalDNSChangeSet"}
    stack = stacks.describe_stacks(StackName=STACK)["Stacks"][0]
    assert (stack["StackStatus"], stack["Outputs"][0]["OutputValue"]) == ("UPDATE_COMPLETE", role["Arn"])
    assert stack["LastUpdatedTime"] > stack["CreationTime"]


def test_a_change_set_that_changes_nothing_fails(stacks: t.Any) -> None:
    create(stacks)
    assert "didn't contain changes" in update(stacks, READS)["StatusReason"]
    retagged = update(stacks, READS, Tags=[{"Key": "team", "Value": "shop"}])
    assert retagged["Status"] == "CREATE_COMPLETE"
    assert stacks.describe_stacks(StackName=STACK)["Stacks"][0]["Tags"] == [{"Key": "team", "Value": "shop"}]


def test_a_role_that_loses_its_name_is_replaced(iam: t.Any, stacks: t.Any) -> None:
    create(stacks, template(RoleName="orders"), Capabilities=["CAPABILITY_NAMED_IAM"])
    assert role_of(stacks) == "orders"
    update(stacks, template())
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == [role_of(stacks)]
    assert role_of(stacks).startswith(f"{STACK}-Role1-")


@pytest.mark.parametrize("kind", ["managed", "inline"])
def test_a_role_with_another_policy_stays_with_its_stack(iam: t.Any, stacks: t.Any, kind: str) -> None:
    create(stacks)
    name = role_of(stacks)
    if kind == "managed":
        iam.attach_role_policy(RoleName=name, PolicyArn=f"{MANAGED}AmazonEC2ReadOnlyAccess")
    else:
        iam.put_role_policy(RoleName=name, PolicyName="mine", PolicyDocument=json.dumps(LISTS))
    stacks.delete_stack(StackName=STACK)
    stack = stacks.describe_stacks(StackName=STACK)["Stacks"][0]
    assert (stack["StackStatus"], iam.get_role(RoleName=name)["Role"]["RoleName"]) == ("DELETE_FAILED", name)
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Role1]. "
    if kind == "managed":
        iam.detach_role_policy(RoleName=name, PolicyArn=f"{MANAGED}AmazonEC2ReadOnlyAccess")
    else:
        iam.delete_role_policy(RoleName=name, PolicyName="mine")
    stacks.delete_stack(StackName=STACK)
    assert iam.list_roles()["Roles"] == []
