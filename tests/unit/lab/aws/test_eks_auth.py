# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's token exchanged for credentials, against a fake of the cluster's API."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, Lab, trust
from botocore.exceptions import ClientError
from joserfc.jwk import RSAKey

CLUSTER = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/lab"
S3 = [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]


class Pod:
    """A live pod of shop/orders, and its association."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.uid = lab.kubernetes.add_pod("shop", "orders-1", "orders")
        self.auth = lab.client("eks-auth")

    def associate(self, role: str, **more: t.Any) -> t.Any:
        given = {"clusterName": "lab", "namespace": "shop", "serviceAccount": "orders", "roleArn": role}
        return self.lab.client("eks").create_pod_identity_association(**given, **more)["association"]

    def token(self, **claims: t.Any) -> str:
        return self.lab.kubernetes.token("shop", "orders-1", "orders", claims.pop("uid", self.uid), **claims)

    def exchange(self, token: str = "", cluster: str = "lab") -> t.Any:
        return self.auth.assume_role_for_pod_identity(clusterName=cluster, token=token or self.token())

    def refused(self, token: str = "", cluster: str = "lab") -> str:
        with pytest.raises(ClientError) as caught:
            self.exchange(token, cluster)
        return str(caught.value.response["Error"]["Code"])

    def credentials(self) -> tuple[str, str, str]:
        found = self.exchange()["credentials"]
        return found["accessKeyId"], found["secretAccessKey"], found["sessionToken"]


@pytest.fixture
def pod(lab: Lab) -> Pod:
    """A pod that runs and has no association yet."""
    return Pod(lab)


def code_of(call: t.Callable[..., t.Any]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_credentials_are_of_the_role_and_limited_to_it(lab: Lab, pod: Pod) -> None:
    association = pod.associate(lab.role("orders", p=S3))
    answer = pod.exchange()
    assert answer["subject"] == {"namespace": "shop", "serviceAccount": "orders"}
    assert answer["audience"] == "pods.eks.amazonaws.com"
    assert answer["podIdentityAssociation"]["associationId"] == association["associationId"]
    prefix = f"arn:aws:sts::{ACCOUNT}:assumed-role/orders/eks-lab-orders-1-"
    assert answer["assumedRoleUser"]["arn"].startswith(prefix)
    credentials = pod.credentials()
    assert lab.client("sts", credentials).get_caller_identity()["Arn"].startswith(prefix)
    assert lab.client("s3", credentials).list_buckets()["Buckets"] == []
    assert code_of(lab.client("bedrock", credentials).list_foundation_models) == "AccessDeniedException"
    assert code_of(lab.client("iam", credentials).list_roles) == "AccessDenied"


def test_tokens_that_are_refused(lab: Lab, pod: Pod) -> None:
    assert pod.refused() == "ResourceNotFoundException"
    pod.associate(lab.role("orders"))
    assert pod.refused(pod.token(exp=int(time.time()) - 1)) == "ExpiredTokenException"
    assert pod.refused(pod.token(aud=["sts.amazonaws.com"])) == "InvalidTokenException"
    assert pod.refused(pod.token(iss="https://elsewhere")) == "InvalidTokenException"
    assert pod.refused(pod.token(uid="another")) == "InvalidTokenException"
    foreign = RSAKey.generate_key(2048, {"kid": "k1"})
    assert pod.refused(pod.token(key=foreign)) == "InvalidTokenException"
    assert pod.refused(pod.token(key=RSAKey.generate_key(2048, {"kid": "k2"}))) == "InvalidTokenException"
    assert pod.refused("a.b.c") == "InvalidTokenException"
    assert pod.refused(pod.token(**{"kubernetes.io": {"namespace": "shop"}})) == "InvalidTokenException"
    assert pod.refused(cluster="nope") == "ResourceNotFoundException"
    pod.exchange()
    lab.kubernetes.clear()
    assert pod.refused() == "InvalidTokenException"


def test_caller_needs_permission(lab: Lab, pod: Pod) -> None:
    pod.associate(lab.role("orders"))
    pod.auth = lab.client("eks-auth", lab.user("limited"))
    assert pod.refused() == "AccessDeniedException"
    allowed = {"Effect": "Allow", "Action": "eks-auth:AssumeRoleForPodIdentity", "Resource": CLUSTER}
    pod.auth = lab.client("eks-auth", lab.user("node", allowed))
    pod.exchange()


@pytest.mark.parametrize(
    ("condition", "disabled", "admitted"),
    [
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}}, False, True),
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": "web"}}, False, False),
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}}, True, False),
        ({"StringEquals": {"aws:RequestTag/eks-cluster-arn": CLUSTER}}, False, True),
        ({"StringLike": {"aws:RequestTag/kubernetes-pod-name": "orders-*"}}, False, True),
        ({"ForAllValues:StringLike": {"aws:TagKeys": ["kubernetes-*", "eks-*"]}}, False, True),
        ({"ArnEquals": {"aws:SourceArn": CLUSTER}}, True, True),
    ],
)
def test_trust_sees_the_session_tags(lab: Lab, pod: Pod, condition: t.Any, disabled: bool, admitted: bool) -> None:
    pod.associate(lab.role("orders", trust(Condition=condition)), disableSessionTags=disabled)
    assert (pod.exchange()["credentials"] if admitted else pod.refused()) not in ("", None)


def test_trust_that_changed_since(lab: Lab, pod: Pod) -> None:
    pod.associate(lab.role("orders"))
    foreign = json.dumps(trust(Principal={"Service": "ec2.amazonaws.com"}))
    lab.client("iam").update_assume_role_policy(RoleName="orders", PolicyDocument=foreign)
    assert pod.refused() == "AccessDeniedException"
    lab.client("iam").delete_role(RoleName="orders")
    assert pod.refused() == "AccessDeniedException"


def test_session_tags_count_in_policies(lab: Lab, pod: Pod) -> None:
    wanted = {"StringEquals": {"aws:PrincipalTag/kubernetes-namespace": "shop"}}
    pod.associate(lab.role("orders", p=[{**S3[0], "Condition": wanted}]))
    assert lab.client("s3", pod.credentials()).list_buckets()["Buckets"] == []


def further(pod: Pod, **trusted: t.Any) -> t.Callable[..., t.Any]:
    """Return what assumes the role ``further`` with the pod's credentials; ``trusted`` is its trust's statement."""
    assume = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": assume})
    pod.lab.client("iam").put_role_policy(RoleName="orders", PolicyName="further", PolicyDocument=text)
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/orders"}
    role = pod.lab.role("further", trust(Principal=principal, **trusted), p=S3)
    sts = pod.lab.client("sts", pod.credentials())
    return lambda **more: sts.assume_role(RoleArn=role, RoleSessionName="further", **more)


BOTH = ["sts:AssumeRole", "sts:TagSession"]


@pytest.mark.parametrize(
    ("disabled", "actions", "code"),
    [
        (False, "sts:AssumeRole", "AccessDenied"),
        (False, BOTH, ""),
        (True, "sts:AssumeRole", ""),
    ],
)
def test_session_tags_go_on_to_the_next_role(lab: Lab, pod: Pod, disabled: bool, actions: t.Any, code: str) -> None:
    pod.associate(lab.role("orders"), disableSessionTags=disabled)
    assert code_of(further(pod, Action=actions)) == code


def test_a_role_assumed_further_on_has_the_tags(lab: Lab, pod: Pod) -> None:
    pod.associate(lab.role("orders"))
    wanted = {"StringEquals": {"aws:PrincipalTag/kubernetes-namespace": "shop", "aws:PrincipalTag/team": "red"}}
    assume = further(pod, Action=BOTH)
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**S3[0], "Condition": wanted}]})
    lab.client("iam").put_role_policy(RoleName="further", PolicyName="p", PolicyDocument=text)
    for tags, code in (([], "AccessDenied"), ([{"Key": "team", "Value": "red"}], "")):
        found = assume(Tags=tags)["Credentials"]
        s3 = lab.client("s3", (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]))
        assert code_of(s3.list_buckets) == code


def test_a_transitive_tag_cant_be_replaced(lab: Lab, pod: Pod) -> None:
    pod.associate(lab.role("orders"))
    assume = further(pod, Action=BOTH)
    assert code_of(lambda: assume(Tags=[{"Key": "kubernetes-namespace", "Value": "web"}])) == "InvalidParameterValue"


@pytest.mark.parametrize(("transitive", "code"), [([], ""), (["team"], "AccessDenied")])
def test_whose_tags_are_transitive_the_caller_decides(lab: Lab, transitive: list[str], code: str) -> None:
    user = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/dev"}
    first = lab.role("first", trust(Principal=user, Action=BOTH), p=[{**S3[0], "Action": "sts:*"}])
    second = lab.role("second", trust(Principal={"AWS": first}, Action="sts:AssumeRole"))
    sts = lab.client("sts", lab.user("dev"))
    tags = {"Tags": [{"Key": "team", "Value": "red"}], "TransitiveTagKeys": transitive}
    found = sts.assume_role(RoleArn=first, RoleSessionName="one", **tags)["Credentials"]
    next_one = lab.client("sts", (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]))
    assert code_of(lambda: next_one.assume_role(RoleArn=second, RoleSessionName="two")) == code


def test_session_policy_limits(lab: Lab, pod: Pod) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": S3})
    role = lab.role("orders", p=[{**S3[0], "Action": "*"}])
    pod.associate(role, policy=policy, disableSessionTags=True)
    credentials = pod.credentials()
    assert code_of(lab.client("s3", credentials).list_buckets) == ""
    assert code_of(lab.client("iam", credentials).list_roles) == "AccessDenied"


def test_target_role_in_another_account(lab: Lab, pod: Pod) -> None:
    target = f"arn:aws:iam::{ACCOUNT}:role/target"
    hop = [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": target}]
    role = lab.role("orders", p=hop)
    association = pod.associate(role, targetRoleArn=target)
    assert pod.refused() == "AccessDeniedException"
    external = {"StringEquals": {"sts:ExternalId": association["externalId"]}}
    lab.role("target", trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Condition=external), p=S3)
    assert ":assumed-role/target/" in pod.exchange()["assumedRoleUser"]["arn"]
    assert code_of(lab.client("s3", pod.credentials()).list_buckets) == ""
    lab.client("iam").delete_role_policy(RoleName="orders", PolicyName="p")
    assert pod.refused() == "AccessDeniedException"
