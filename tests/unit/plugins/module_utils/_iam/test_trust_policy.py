# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trust policies: what is written is what the reader accepts, and what it doesn't accept it explains."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_evaluation import trust_problem
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_policy import SCOPES, trust_policy

ARN = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"
ROLE = "arn:aws:iam::123456789012:role/orders"
POD: dict[str, t.Any] = {"namespace": "shop", "service_account": "orders"}
OTHER_CLUSTER = "arn:aws:eks:us-east-1:123456789012:cluster/dev"
OTHER_ACCOUNT = "arn:aws:eks:eu-west-1:999999999999:cluster/prod"


def problem(trust: t.Any, **changes: t.Any) -> str:
    options: dict[str, t.Any] = {"cluster_arn": ARN, **POD, **changes}
    return trust_problem(trust, **options)


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope != "target_role"])
def test_what_is_written_lets_its_own_pods_in(scope: str) -> None:
    trust = trust_policy(ARN, scope, **POD)
    assert problem(trust) == ""
    assert problem(json.dumps(trust)) == ""


@pytest.mark.parametrize(
    ("scope", "stranger", "welcome"),
    [
        ("none", {"cluster_arn": OTHER_ACCOUNT}, True),
        ("account", {"cluster_arn": OTHER_CLUSTER}, True),
        ("account", {"cluster_arn": OTHER_ACCOUNT}, False),
        ("cluster", {"service_account": "web"}, True),
        ("cluster", {"session_tags": False}, True),
        ("cluster", {"cluster_arn": OTHER_CLUSTER}, False),
        ("service_account", {"cluster_arn": OTHER_CLUSTER}, False),
        ("service_account", {"namespace": "web"}, False),
        ("service_account", {"service_account": "web"}, False),
        ("service_account", {"session_tags": False}, False),
        ("service_account", {"service_account": ""}, True),
    ],
)
def test_each_scope_keeps_strangers_out(scope: str, stranger: dict[str, t.Any], welcome: bool) -> None:
    assert (problem(trust_policy(ARN, scope, **POD), **stranger) == "") == welcome


@pytest.mark.parametrize("disabled", [False, True])
def test_target_role_lets_in_only_the_association_s_role(disabled: bool) -> None:
    trust = trust_policy(ARN, "target_role", role_arn=ROLE, disable_session_tags=disabled, **POD)
    tags = {"session_tags": not disabled}
    assert problem(trust, role_arn=ROLE, **tags) == ""
    assert "aws:PrincipalArn" in problem(trust, role_arn=f"{ROLE}-2", **tags)
    assert "'web'" in problem(trust, role_arn=ROLE, service_account="web", **tags) or disabled
    assert problem(trust, role_arn=ROLE, service_account="web", **tags) != ""
    assert "names arn:aws:iam::123456789012:root" in problem(trust)


def test_external_id_names_the_service_account() -> None:
    trust = trust_policy(ARN, "target_role", role_arn=ROLE, disable_session_tags=True, **POD)
    limits = trust["Statement"][0]["Condition"]["StringEquals"]
    assert limits == {"sts:ExternalId": "eu-west-1/123456789012/prod/shop/orders"}


def test_arns_are_of_the_cluster_s_partition() -> None:
    cluster = {"arn": "arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/prod"}
    role = ROLE.replace("aws", "aws-us-gov", 1)
    assert "arn:aws-us-gov:eks:*:123456789012:cluster/*" in json.dumps(trust_policy(cluster))
    target = json.dumps(trust_policy(cluster, "target_role", role_arn=role))
    assert "arn:aws-us-gov:iam::123456789012:root" in target
    assert "arn:aws:" not in target


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scope": "everyone"}, "scope is 'everyone'"),
        ({"scope": "service_account"}, "needs namespace and service_account"),
        ({"scope": "service_account", **POD, "disable_session_tags": True}, "disable_session_tags"),
        ({"scope": "service_account", "namespace": "Shop", "service_account": "x"}, "namespace 'Shop'"),
        ({"scope": "target_role"}, "role_arn"),
        ({"scope": "target_role", "role_arn": ROLE, "disable_session_tags": True}, "needs namespace"),
        ({"scope": "target_role", "role_arn": ROLE.replace("1234", "9999")}, "not of account 123456789012"),
    ],
)
def test_a_trust_that_can_t_work_is_refused(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        trust_policy(ARN, **options)


def test_what_is_not_a_cluster_is_refused() -> None:
    with pytest.raises(Refused, match="not the ARN of an EKS cluster"):
        trust_policy({"name": "prod"})


PLAIN = trust_policy(ARN, "none")


def changed(**statement: t.Any) -> dict[str, t.Any]:
    document = copy.deepcopy(PLAIN)
    document["Statement"][0].update(statement)
    return document


def conditioned(**condition: t.Any) -> dict[str, t.Any]:
    return changed(Condition=condition)


@pytest.mark.parametrize(
    "trust",
    [
        changed(Action="sts:*"),
        changed(Action="*"),
        changed(Action=["STS:assumerole", "sts:Tag*"]),
        changed(Principal="*"),
        changed(Principal={"AWS": "*"}),
        changed(Principal={"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}),
        {**PLAIN, "Statement": PLAIN["Statement"][0]},
        {"Statement": [{**PLAIN["Statement"][0], "Action": action} for action in ("sts:AssumeRole", "sts:TagSession")]},
        conditioned(StringLike={"aws:SourceAccount": ["9*", "1234567890??"]}),
        conditioned(StringEqualsIgnoreCase={"AWS:REQUESTTAG/kubernetes-namespace": "SHOP"}),
        conditioned(StringNotEquals={"aws:SourceAccount": "999999999999"}),
        conditioned(ArnEquals={"aws:SourceArn": "arn:aws:eks:*:123456789012:cluster/prod"}),
        conditioned(ArnNotLike={"aws:SourceArn": "arn:aws:eks:us-*:*:*"}),
        conditioned(StringEqualsIfExists={"aws:RequestTag/team": "shop"}),
        conditioned(StringEquals={"aws:SourceOrgId": "o-123"}),
        conditioned(StringEquals={"aws:SourceOrgId": "${aws:ResourceOrgId}"}),
        conditioned(StringEquals={"aws:RequestTag/kubernetes-pod-name": "orders-0"}),
        conditioned(IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        conditioned(Null={"aws:RequestTag/kubernetes-namespace": "false"}),
        conditioned(Null={"aws:RequestTag/team": True}),
        conditioned(**{"ForAllValues:StringLike": {"aws:TagKeys": ["eks-*", "kubernetes-*"]}}),
        conditioned(**{"ForAnyValue:StringEquals": {"aws:TagKeys": ["eks-cluster-name"]}}),
        conditioned(Bool={"aws:SecureTransport": "true"}),
    ],
)
def test_lets_pod_identity_in(trust: dict[str, t.Any]) -> None:
    assert problem(trust) == ""


DENY = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        ("{", "not JSON"),
        ({"Version": "2012-10-17"}, "no Statement"),
        ({"Statement": ["x"]}, "not a list of statements"),
        (changed(Effect="Deny"), "denies sts:AssumeRole to pods.eks.amazonaws.com in statement 1 (EksPodIdentity)"),
        (changed(Principal={"Service": "eks.amazonaws.com"}), "it names eks.amazonaws.com"),
        (changed(Principal={"Service": "pods.eks.amazonaws.com.cn"}), "it names pods.eks.amazonaws.com.cn"),
        (changed(Action="sts:AssumeRole"), "doesn't allow sts:TagSession"),
        (changed(Action="sts:AssumeRole"), "statement 1 (EksPodIdentity) has only sts:AssumeRole"),
        (changed(Action="sts:AssumeRoleWithWebIdentity"), "has only sts:AssumeRoleWithWebIdentity"),
        (
            conditioned(StringEquals={"aws:SourceAccount": ["999999999999", "888888888888"]}),
            "asks for StringEquals aws:SourceAccount '999999999999' or '888888888888', and EKS sends '123456789012'",
        ),
        (conditioned(ArnLike={"aws:SourceArn": OTHER_CLUSTER}), f"and EKS sends '{ARN}'"),
        (conditioned(ArnLike={"aws:SourceArn": "arn:aws:eks:*"}), "ArnLike aws:SourceArn"),
        (conditioned(StringEquals={"aws:RequestTag/team": "shop"}), "and EKS doesn't send it"),
        (conditioned(StringEquals={"sts:ExternalId": "x"}), "sts:ExternalId 'x', and EKS doesn't send it"),
        (conditioned(StringEquals={"aws:PrincipalOrgID": "o-1"}), "aws:PrincipalOrgID 'o-1', and EKS doesn't send it"),
        (conditioned(Null={"aws:TagKeys": "true"}), "Null aws:TagKeys"),
        (conditioned(StringEquals={"aws:SourceAccount": "12345678901?"}), "StringEquals aws:SourceAccount"),
        (conditioned(StringLike={"aws:SourceAccount": "12345678901${?}"}), "StringLike aws:SourceAccount"),
        (conditioned(**{"ForAllValues:StringLike": {"aws:TagKeys": "eks-*"}}), "ForAllValues:StringLike aws:TagKeys"),
        (
            {"Statement": [PLAIN["Statement"][0], DENY]},
            "denies sts:AssumeRole to pods.eks.amazonaws.com in statement 2",
        ),
        (
            {"Statement": [{"Effect": "Allow", "NotPrincipal": {"Service": "pods.eks.amazonaws.com"}, "Action": "*"}]},
            "it names pods.eks.amazonaws.com",
        ),
        (
            {"Statement": {"Effect": "Allow", "Principal": "*", "NotAction": "sts:AssumeRole"}},
            "doesn't allow sts:AssumeRole",
        ),
    ],
)
def test_says_why_not(trust: t.Any, words: str) -> None:
    assert words in problem(trust)


@pytest.mark.parametrize(
    ("deny", "denied"),
    [
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "999999999999"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceOrgId": "o-123"}}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Action": "sts:AssumeRoleWithSAML"}, False),
    ],
)
def test_only_a_deny_that_certainly_applies_counts(deny: dict[str, t.Any], denied: bool) -> None:
    trust = {"Statement": [PLAIN["Statement"][0], {**DENY, **deny}]}
    assert ("denies" in problem(trust)) == denied


def test_disabled_session_tags_are_named_as_the_reason() -> None:
    trust = trust_policy(ARN, "service_account", **POD)
    assert "sends no tags, as session tags are disabled" in problem(trust, session_tags=False)


def test_one_statement_that_lets_in_is_enough() -> None:
    other = trust_policy(OTHER_CLUSTER, "cluster")["Statement"][0]
    assert problem({"Statement": [other, PLAIN["Statement"][0]]}) == ""
