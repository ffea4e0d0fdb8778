# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner
from ansible_collections.enbuild.eks.plugins.module_utils._workload import declaration

CLUSTER = {
    "name": "prod",
    "arn": "arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/prod",
    "account_id": "123456789012",
    "partition": "aws-us-gov",
    "region": "us-gov-west-1",
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
ORDERS = {"name": "orders", "namespace": "shop", "deployment": "orders", "role_name": "shop-orders", "policy": POLICY}
FOUND = {Owner("Deployment", "shop", "orders"): "orders-sa"}
NIGHT = Owner("Deployment", "shop", "night")


def test_a_good_list_has_no_problem() -> None:
    assert declaration.problems([ORDERS]) == []


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({**ORDERS, "namespace": ""}, "namespace is missing"),
        ({**ORDERS, "statefulset": "db"}, "found deployment, statefulset"),
        ({**ORDERS, "rol_name": "x"}, "unknown key rol_name"),
        ({**ORDERS, "role_name": ""}, "either role_name"),
        ({**ORDERS, "policy": "", "role_arn": "arn:aws:iam::123456789012:role/x"}, "either role_name"),
        ({**ORDERS, "role_name": "a/b"}, "role_name a/b is not a name that IAM takes"),
        (
            {"name": "o", "namespace": "s", "deployment": "d", "role_arn": "arn:aws:iam::12:role/x"},
            "role_arn arn:aws:iam::12:role/x is not the ARN of an IAM role",
        ),
        ({**ORDERS, "trust": "world"}, "trust world is not one of"),
        ({**ORDERS, "target_role_arn": "data"}, "target_role_arn data is not the ARN of an IAM role"),
        ({**ORDERS, "policy": "{nonsense"}, "policy is not JSON"),
        ({**ORDERS, "policy": {"Version": "2012-10-17"}}, "Statement is missing"),
        (
            {
                "name": "o",
                "namespace": "s",
                "deployment": "d",
                "role_arn": "arn:aws:iam::123456789012:role/x",
                "policy": POLICY,
            },
            "policy and managed_policies belong to a role that is made here",
        ),
    ],
)
def test_each_mistake_is_one_sentence(item: t.Any, words: t.Any) -> None:
    (problem,) = declaration.problems([item])
    assert words in problem


def test_a_workload_declared_twice_is_refused() -> None:
    (problem,) = declaration.problems([ORDERS, {**ORDERS, "name": "again"}])
    assert "declared twice, as orders too" in problem


def test_resolved_takes_the_live_service_account_and_the_clusters_partition() -> None:
    item = {**ORDERS, "managed_policies": ["AmazonS3FullAccess", "arn:aws-us-gov:iam::123456789012:policy/own"]}
    (found,) = declaration.resolved([item], FOUND, CLUSTER)
    assert found["service_account"] == "orders-sa"
    assert found["role_arn"] == "arn:aws-us-gov:iam::123456789012:role/shop-orders"
    assert found["managed_policies"] == [
        "arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess",
        "arn:aws-us-gov:iam::123456789012:policy/own",
    ]


@pytest.mark.parametrize(("path", "arn"), [("/", "role/a"), ("/team/", "role/team/a"), ("team", "role/team/a")])
def test_role_arn_with_a_path(path: t.Any, arn: t.Any) -> None:
    assert declaration.role_arn("a", CLUSTER, path).endswith(f":{arn}")


def test_expected_names_the_object_and_the_role_that_is_made_or_named() -> None:
    night = {"namespace": "shop", "service_account": "night", "role_arn": TARGET}
    first, second = declaration.expected([ORDERS, night], CLUSTER, "/team/")
    assert (first["deployment"], "service_account" in first) == ("orders", False)
    assert first["role_arn"] == declaration.resolved([ORDERS], FOUND, CLUSTER, "/team/")[0]["role_arn"]
    assert (second["service_account"], second["role_arn"]) == ("night", TARGET)


def test_a_shared_role_is_made_once_and_trusts_each_service_account() -> None:
    workloads = declaration.resolved(
        [ORDERS, {**ORDERS, "name": "night", "deployment": "night"}],
        {**FOUND, NIGHT: "night-sa"},
        CLUSTER,
    )
    (role,) = declaration.roles(workloads, CLUSTER, "service_account")
    sids = [statement["Sid"] for statement in role["trust_policy"]["Statement"]]
    assert role["description"] == "EKS Pod Identity of orders, night"
    assert len(sids) == len(set(sids)) == 2
    (role,) = declaration.roles(workloads, CLUSTER, "account")
    assert len(role["trust_policy"]["Statement"]) == 1


def test_a_role_names_its_service_accounts_each_once() -> None:
    night = {**ORDERS, "name": "night", "deployment": "night"}
    workloads = declaration.resolved([ORDERS, night], {**FOUND, NIGHT: "orders-sa"}, CLUSTER)
    (role,) = declaration.roles(workloads, CLUSTER)
    here = {"cluster_arn": CLUSTER["arn"], "namespace": "shop", "service_account": "orders-sa"}
    assert role["service_accounts"] == [{**here, "session_tags": True}]
    untagged = declaration.resolved([{**ORDERS, "disable_session_tags": True}], FOUND, CLUSTER)
    assert declaration.roles(untagged, CLUSTER)[0]["service_accounts"] == [{**here, "session_tags": False}]


def test_sharers_that_disagree_are_refused() -> None:
    other = {**ORDERS, "name": "night", "deployment": "night", "managed_policies": ["AmazonS3FullAccess"]}
    workloads = declaration.resolved([ORDERS, other], {**FOUND, NIGHT: "n"}, CLUSTER)
    with pytest.raises(Refused, match="orders and night share role shop-orders with a different managed_policies"):
        declaration.roles(workloads, CLUSTER)


def test_a_role_that_exists_is_not_made() -> None:
    item = {"namespace": "s", "deployment": "d", "role_arn": "arn:aws-us-gov:iam::123456789012:role/x"}
    assert declaration.roles(declaration.resolved([item], {Owner("Deployment", "s", "d"): "x"}, CLUSTER), CLUSTER) == []


def test_workloads_under_one_service_account_share_its_association() -> None:
    night = {**ORDERS, "name": "night", "deployment": "night"}
    found = {**FOUND, NIGHT: "orders-sa"}
    (item,) = declaration.associations(declaration.resolved([ORDERS, night], found, CLUSTER), {"team": "shop"})
    assert (item["service_account"], item["tags"], item["purge_tags"]) == ("orders-sa", {"team": "shop"}, False)
    other = declaration.resolved([ORDERS, {**night, "role_name": "night"}], found, CLUSTER)
    with pytest.raises(Refused, match="orders and night run under one service account, shop/orders-sa"):
        declaration.associations(other)


TARGET = "arn:aws-us-gov:iam::210987654321:role/data"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, {}),
        ({"target_role_arn": "", "disable_session_tags": None}, {}),
        ({"target_role_arn": TARGET, "disable_session_tags": False}, None),
        ({"target_role_arn": TARGET, "disable_session_tags": True}, None),
    ],
)
def test_a_target_role_goes_with_the_association_where_it_is_given(given: t.Any, words: t.Any) -> None:
    resolved = declaration.resolved([{**ORDERS, **given}], FOUND, CLUSTER)
    (item,) = declaration.associations(resolved)
    assert {key: item[key] for key in item if key in given} == (given if words is None else words)


def test_a_trust_of_one_service_account_needs_session_tags() -> None:
    item = {**ORDERS, "disable_session_tags": True, "trust": "service_account"}
    with pytest.raises(Refused, match="needs the session tags"):
        declaration.roles(declaration.resolved([item], FOUND, CLUSTER), CLUSTER)


def test_workloads_under_one_service_account_share_its_target_role() -> None:
    night = {**ORDERS, "name": "night", "deployment": "night", "target_role_arn": TARGET}
    resolved = declaration.resolved([ORDERS, night], {**FOUND, NIGHT: "orders-sa"}, CLUSTER)
    with pytest.raises(Refused, match="Workloads orders and night run under one service account"):
        declaration.associations(resolved)


def test_expected_passes_the_checks_on() -> None:
    item = {**ORDERS, "allowed": [{"bucket": "acme-orders"}], "optional": True}
    (first,) = declaration.expected([item], CLUSTER)
    assert (first["allowed"], first["optional"]) == ([{"bucket": "acme-orders"}], True)


def test_only_what_was_found_is_resolved() -> None:
    assert [
        item["name"] for item in declaration.resolved([{**ORDERS, "deployment": "gone"}, ORDERS], FOUND, CLUSTER)
    ] == ["orders"]


@pytest.mark.parametrize("given", [None, "", [], ORDERS, [ORDERS]])
def test_nothing_is_no_entry_and_one_entry_is_a_list_of_one(given: t.Any) -> None:
    assert declaration.entries(given) == ([ORDERS] if given else [])


@pytest.mark.parametrize("given", ["orders", 7, ["orders"], [[ORDERS]], [ORDERS, None]])
def test_anything_else_is_refused_with_an_example(given: t.Any) -> None:
    with pytest.raises(Refused, match=r"pod_identity_workloads has .* list of workloads, for example \[\{name: orders"):
        declaration.entries(given)
