# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.action.pod_identity_declaration_info import (
    checked_result,
    prepared,
    release_declared,
)
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused

CLUSTER = {
    "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
    "account_id": "123456789012",
    "partition": "aws",
}
ORDERS = "[{namespace: shop, deployment: orders, role_name: shop-orders}]"


def test_text_of_a_survey_is_read() -> None:
    args = prepared({"workloads": ORDERS, "cluster": CLUSTER, "enbuild": {}, "find": ""})
    assert [item["deployment"] for item in args["workloads"]] == ["orders"]
    assert args["find"] is True
    assert "enbuild" not in args


@pytest.mark.parametrize("nothing", [None, "", [], " "])
def test_without_workloads_the_services_of_the_release_are_declared(nothing: t.Any) -> None:
    given = {"workloads": nothing, "cluster": CLUSTER, "enbuild": {"ai": "", "ctf": "false", "release_name": None}}
    assert [item["deployment"] for item in prepared(given)["workloads"]] == ["enbuild-enbuild-ai"]


@pytest.mark.parametrize("on", [True, "true", "yes", "y", "on", 1, "1"])
def test_a_switch_is_read_as_the_release_reads_it(on: t.Any) -> None:
    given = {"cluster": CLUSTER, "enbuild": {"ai": on, "ctf": False}}
    assert [item["name"] for item in prepared(given)["workloads"]] == ["ai"]


def test_a_single_bucket_is_a_list_of_one() -> None:
    given = {"cluster": CLUSTER, "enbuild": {"ctf_buckets": "acme-ctf", "ai": False}}
    assert prepared(given)["workloads"][0]["allowed"] == [{"bucket": "acme-ctf"}]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"workloads": "orders"}, "pod_identity_workloads has text where a workload should be"),
        ({"workloads": "[{a: }"}, "pod_identity_workloads is not YAML"),
        ({"workloads": "[{namespace: shop, deployment: orders}]"}, "give either role_name"),
        ({"enbuild": {"buckets": []}}, "enbuild has the unknown key buckets"),
        ({"association_tags": "shop"}, "pod_identity_associations_tags is a str"),
    ],
)
def test_what_is_wrong_is_named_by_its_variable(given: t.Any, words: str) -> None:
    with pytest.raises(Refused, match=words.replace("[", r"\[")):
        prepared({"cluster": CLUSTER, **given})


def test_without_looking_the_expectations_are_known() -> None:
    result = checked_result(prepared({"workloads": ORDERS, "cluster": CLUSTER}))
    assert result["expected"][0]["role_arn"] == "arn:aws:iam::123456789012:role/shop-orders"
    assert result["declared"][0]["deployment"] == "orders"


@pytest.mark.parametrize(("given", "key"), [(["amazon.nova-lite-v1:0"], "policy"), ("", "policy")])
def test_models_that_are_named_are_the_only_ones_granted(given: t.Any, key: str) -> None:
    enbuild = {"ctf": False, "ai_models": given}
    (ai,) = prepared({"cluster": {**CLUSTER, "region": "eu-west-1"}, "enbuild": enbuild})["workloads"]
    assert (str(ai[key]).count("nova-lite") > 0, len(ai["allowed"])) == (bool(given), 2 if given else 1)


def test_full_access_to_bedrock_is_granted_where_it_is_asked_for() -> None:
    (ai,) = prepared({"cluster": CLUSTER, "enbuild": {"ctf": False, "ai_full_access": "true"}})["workloads"]
    assert ai["managed_policies"] == ["AmazonBedrockFullAccess"]


@pytest.mark.parametrize("nothing", [None, "", " ", {}, [], "{}", "[]"])
def test_a_variable_that_holds_nothing_names_no_release(nothing: t.Any) -> None:
    given = {"workloads": ORDERS, "enbuild": {"named_by": ["enbuild_release_values"]}}
    assert release_declared(given, {"enbuild_release_values": nothing}.get) is False


@pytest.mark.parametrize("something", ["enbuild", {"replicas": 2}, "{replicas: 2}", "0.0.46", "{a: ", ["values.yaml"]])
def test_a_variable_that_holds_something_names_a_release(something: t.Any) -> None:
    given = {"workloads": ORDERS, "enbuild": {"named_by": ["enbuild_release_name", "enbuild_release_values"]}}
    assert release_declared(given, {"enbuild_release_values": something}.get) is True


def test_without_workloads_a_release_is_declared_and_without_a_release_none_is() -> None:
    assert release_declared({"workloads": " ", "enbuild": {}}, str) is True
    assert release_declared({"workloads": ORDERS}, str) is False
