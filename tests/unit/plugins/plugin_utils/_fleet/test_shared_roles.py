# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles that clusters share are made by one of them, and refused where they would be made differently."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam import trust_policy
from ansible_collections.enbuild.eks.plugins.plugin_utils._fleet.shared_roles import sharing

ONE, TWO = "1" * 12, "2" * 12


def wish(account: str, *names: str, partition: str = "aws", **more: t.Any) -> dict[str, t.Any]:
    roles = [{"role_name": name, "policy": None, **more} for name in names]
    return {"partition": partition, "account_id": account, "roles": roles}


def test_the_first_host_of_an_account_makes_a_role() -> None:
    found = sharing({"a": wish(ONE, "ai", "ctf"), "b": wish(TWO, "ai"), "c": wish(ONE, "ctf", "own"), "d": {}})
    assert {host: one["makers"] for host, one in found.items()} == {"a": {}, "b": {}, "c": {"ctf": "a"}, "d": {}}
    assert not any(one["problems"] for one in found.values())


def test_the_host_that_makes_a_role_knows_the_service_accounts_of_all() -> None:
    found = sharing(
        {host: wish(ONE, "ai", *more, service_accounts=[host]) for host, more in (("a", ["own"]), ("b", []), ("c", []))}
    )
    assert [role["service_accounts"] for role in found["a"]["roles"]] == [["a", "b", "c"], ["a"]]
    assert (found["b"]["roles"], found["c"]["roles"]) == ([], [])


def test_no_path_is_the_root() -> None:
    found = sharing({"a": wish(ONE, "r", path=""), "b": wish(ONE, "r", path="/")})
    assert [one["problems"] for one in found.values()] == [[], []]


def test_accounts_of_two_partitions_share_nothing() -> None:
    found = sharing({"a": wish(ONE, "ai", policy="one"), "b": wish(ONE, "ai", policy="two", partition="aws-cn")})
    assert all((one["makers"], one["problems"]) == ({}, []) for one in found.values())


@pytest.mark.parametrize("scope", ["none", "account"])
def test_a_trust_that_clusters_can_share(scope: str) -> None:
    assert not _problems(scope)


@pytest.mark.parametrize("scope", ["cluster", "service_account"])
def test_a_trust_that_one_cluster_would_take_from_the_other(scope: str) -> None:
    (problem,) = _problems(scope)
    assert problem.startswith(f"Role r of account {ONE} is one role, and a and b declare it with a different trust")
    assert problem.endswith("take the trust account, which all clusters can share.")


def _problems(scope: str) -> list[str]:
    arns = {name: f"arn:aws:eks:us-east-1:{ONE}:cluster/{name}" for name in "ab"}
    documents = {
        name: trust_policy.trust_policy(arn, scope, namespace="shop", service_account="orders")
        for name, arn in arns.items()
    }
    found = sharing({name: wish(ONE, "r", trust_policy=document) for name, document in documents.items()})
    assert found["a"]["problems"] == found["b"]["problems"]
    return list(found["a"]["problems"])


@pytest.mark.parametrize("key", ["policy", "managed_policies", "path", "boundary", "tags"])
def test_whatever_else_differs_is_named_to_those_who_share(key: str) -> None:
    found = sharing({"a": wish(ONE, "r", **{key: "x"}), "b": wish(ONE, "r", **{key: "y"}), "c": wish(ONE, "s")})
    assert [len(one["problems"]) for one in found.values()] == [1, 1, 0]
    words = key.replace("_", " ")
    assert f"different {words}: each would undo the other's" in found["a"]["problems"][0]
