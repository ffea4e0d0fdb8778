# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From calls to the least permissions: IAM policies and Kubernetes RBAC."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.tools.permissions import (
    PLACEHOLDERS,
    Place,
    Request,
    Scope,
    as_yaml,
    filled_in,
    iam_policy,
    rbac,
    requests,
)

PLACE = Place("aws-us-gov", "us-gov-west-1", "123456789012", "lab")
EKS = "arn:aws-us-gov:eks:us-gov-west-1:123456789012"
IAM = "arn:aws-us-gov:iam::123456789012"
PASSED = {"iam:PassedToService": "pods.eks.amazonaws.com"}


def use(action: str, resource: str = "*", **context: str) -> dict[str, t.Any]:
    return {"action": action, "resource": resource, "context": context}


@pytest.mark.parametrize(
    ("action", "resource", "granted"),
    [
        ("eks:DescribeAddonVersions", "*", "*"),
        ("eks:DescribeCluster", f"{EKS}:cluster/lab", "arn:PARTITION:eks:REGION:ACCOUNT_ID:cluster/CLUSTER_NAME"),
        ("eks:DescribeCluster", f"{EKS}:cluster/other", "arn:PARTITION:eks:REGION:ACCOUNT_ID:cluster/*"),
        (
            "eks:DescribeAddon",
            f"{EKS}:addon/lab/coredns/8a0364bf",
            "arn:PARTITION:eks:REGION:ACCOUNT_ID:addon/CLUSTER_NAME/coredns/*",
        ),
        (
            "eks:DescribePodIdentityAssociation",
            f"{EKS}:podidentityassociation/lab/a-1",
            "arn:PARTITION:eks:REGION:ACCOUNT_ID:podidentityassociation/CLUSTER_NAME/*",
        ),
        ("iam:GetRole", f"{IAM}:role/path/app", "arn:PARTITION:iam::ACCOUNT_ID:role/*"),
        ("iam:CreateRole", f"{IAM}:role/path/app", "arn:PARTITION:iam::ACCOUNT_ID:role/path/app"),
        ("iam:GetPolicy", f"{IAM}:policy/acme", "arn:PARTITION:iam::ACCOUNT_ID:policy/*"),
        (
            "iam:GetPolicy",
            "arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess",
            "arn:PARTITION:iam::aws:policy/*",
        ),
    ],
)
def test_resources_are_as_narrow_as_names_known_in_advance_allow(action: str, resource: str, granted: str) -> None:
    (statement,) = iam_policy([use(action, resource)], PLACE)["Statement"]
    assert (statement["Action"], statement["Resource"]) == ([action], [granted])
    assert "Condition" not in statement


def test_what_hands_out_permissions_is_narrowed_by_condition() -> None:
    policies = [f"arn:aws-us-gov:iam::aws:policy/{name}" for name in ("B", "A")]
    uses = [use("iam:AttachRolePolicy", f"{IAM}:role/app", **{"iam:PolicyARN": policy}) for policy in policies]
    uses.append(use("iam:PassRole", f"{IAM}:role/other", **PASSED))
    found = {each["Sid"]: each for each in iam_policy(uses, PLACE)["Statement"]}
    assert found["PassRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": ["pods.eks.amazonaws.com"]}}
    arns = [f"arn:PARTITION:iam::aws:policy/{name}" for name in ("A", "B")]
    assert found["AttachRolePolicy"]["Condition"] == {"ArnEquals": {"iam:PolicyARN": arns}}
    roles = [f"arn:PARTITION:iam::ACCOUNT_ID:role/{name}" for name in ("app", "other")]
    assert [each["Resource"] for each in found.values()] == [roles, roles]


def test_another_cluster_widens_nothing_for_this_one() -> None:
    uses = [
        use("eks:DescribeCluster", f"{EKS}:cluster/lab"),
        use("eks:ListPodIdentityAssociations", f"{EKS}:cluster/b"),
    ]
    found = {each["Sid"]: (each["Action"], each["Resource"][0][-12:]) for each in iam_policy(uses, PLACE)["Statement"]}
    assert found == {
        "AnyCluster": (["eks:ListPodIdentityAssociations"], "ID:cluster/*"),
        "Cluster": (["eks:DescribeCluster"], "CLUSTER_NAME"),
    }


def test_the_order_of_calls_makes_no_difference() -> None:
    uses = [
        use("eks:B", f"{EKS}:cluster/lab"),
        use("eks:A", f"{EKS}:cluster/lab"),
        use("iam:PutRolePolicy", f"{IAM}:role/a"),
    ]
    assert iam_policy(uses, PLACE) == iam_policy(reversed(uses * 2), PLACE)
    assert iam_policy(uses, PLACE)["Statement"][0]["Action"] == ["eks:A", "eks:B"]


def test_a_file_is_filled_in() -> None:
    text = json.dumps(iam_policy([use("eks:DescribeCluster", f"{EKS}:cluster/lab")], PLACE))
    assert f'"{EKS}:cluster/lab"' in filled_in(text, PLACE)
    assert not [name for name in vars(PLACEHOLDERS).values() if name in filled_in(text, PLACE)]


def event(verb: str, resource: str, **more: str) -> dict[str, t.Any]:
    return {"verb": verb, "objectRef": {"resource": resource, **more}}


def test_requests_are_what_rbac_is_asked() -> None:
    events = [
        {"verb": "get", "requestURI": "/version"},
        event("create", "selfsubjectaccessreviews", apiGroup="authorization.k8s.io"),
        event("create", "namespaces", namespace="shop", name="shop"),
        event("create", "pods", namespace="shop"),
        event("create", "serviceaccounts", namespace="shop", name="app", subresource="token"),
        event("create", "serviceaccounts", namespace="shop", name="app"),
        event("patch", "deployments", apiGroup="apps", namespace="shop", name="app"),
        event("list", "deployments", apiGroup="apps", namespace="shop"),
    ]
    assert requests(events) == {
        Request("", "namespaces", "create", "", ""),
        Request("", "pods", "create", "shop", ""),
        Request("", "serviceaccounts/token", "create", "shop", "app"),
        Request("", "serviceaccounts", "create", "shop", ""),
        Request("apps", "deployments", "patch", "shop", "app"),
        Request("apps", "deployments", "list", "shop", ""),
    }


ASKED = {
    Request("", "pods", "list", "", ""),
    Request("", "pods", "list", "shop", ""),
    Request("", "pods", "create", "shop", ""),
    Request("apps", "deployments", "patch", "shop", "a"),
    Request("apps", "deployments", "patch", "shop", "b"),
    Request("apps", "statefulsets", "list", "shop", ""),
    Request("apps", "deployments", "list", "shop", ""),
    Request("", "serviceaccounts/token", "create", "shop", "a"),
}


def rules(documents: list[dict[str, t.Any]], kind: str) -> list[t.Any]:
    (found,) = [each["rules"] for each in documents if each["kind"] == kind]
    return [(each["apiGroups"], each["resources"], each.get("resourceNames", []), each["verbs"]) for each in found]


def test_rules_are_few_named_where_that_is_asked_and_nothing_is_granted_twice() -> None:
    named = rbac("me", ASKED, Scope(named=frozenset({"serviceaccounts/token", "deployments"})))
    assert rules(named, "ClusterRole") == [([""], ["pods"], [], ["list"])]
    assert rules(named, "Role") == [
        ([""], ["pods"], [], ["create"]),
        ([""], ["serviceaccounts/token"], ["a"], ["create"]),
        (["apps"], ["deployments"], ["a", "b"], ["patch"]),
        (["apps"], ["deployments", "statefulsets"], [], ["list"]),
    ]
    assert (["apps"], ["deployments"], [], ["list", "patch"]) in rules(rbac("me", ASKED, Scope()), "Role")


def test_one_that_looks_everywhere_is_granted_it_everywhere() -> None:
    documents = rbac("me", ASKED, Scope(whole_cluster=True))
    assert "Role" not in [each["kind"] for each in documents]
    assert ([""], ["serviceaccounts/token"], [], ["create"]) in rules(documents, "ClusterRole")


@pytest.mark.parametrize(
    ("resources", "limited"),
    [({"pods"}, 1), ({"pods", "serviceaccounts/token"}, 2), ({"services"}, 0)],
)
def test_admission_limits_what_rbac_cannot(resources: set[str], limited: int) -> None:
    documents = rbac("me", {Request("", each, "create", "shop", "") for each in resources}, Scope())
    policies = [each for each in documents if each["kind"] == "ValidatingAdmissionPolicy"]
    assert sum(len(each["spec"]["validations"]) for each in policies) == limited


def test_files_read_back() -> None:
    documents = rbac("me", ASKED, Scope())
    assert yaml.safe_load(as_yaml(documents))["items"] == documents
    assert "&id" not in as_yaml(documents)
