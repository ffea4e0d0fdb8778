# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters are wanted, what their hosts are called, and how they are reached."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._fleet.clusters import (
    Account,
    Choice,
    accounts,
    groups,
    host_names,
    host_variables,
    once,
    tag_patterns,
)

ROLE = "arn:aws:iam::222222222222:role/fleet"


def cluster(name: str, region: str = "us-east-1", account: str = "111111111111") -> dict[str, t.Any]:
    arn = f"arn:aws:eks:{region}:{account}:cluster/{name}"
    return {"name": name, "region": region, "account_id": account, "arn": arn}


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (Choice(), {"prod-a", "prod-b", "test"}),
        (Choice(include=("prod-*",)), {"prod-a", "prod-b"}),
        (Choice(include=("prod-*", "test"), exclude=("*-b",)), {"prod-a", "test"}),
        (Choice(exclude=("*",)), set()),
        (Choice(include=("Prod-*",)), set()),
    ],
)
def test_names(choice: Choice, wanted: set[str]) -> None:
    assert set(filter(choice.by_name, ("prod-a", "prod-b", "test"))) == wanted


@pytest.mark.parametrize(
    ("include", "exclude", "wanted"),
    [
        ({}, {}, True),
        ({"Stage": "prod"}, {}, True),
        ({"Stage": ["test", "pr*"]}, {}, True),
        ({"Stage": None}, {}, True),
        ({"Stage": "prod", "Team": "a"}, {}, False),
        ({"stage": "prod"}, {}, False),
        ({"Number": 7}, {}, True),
        ({}, {"Stage": "prod"}, False),
        ({"Stage": "prod"}, {"Number": None}, False),
        ({}, {"Team": None}, True),
    ],
)
def test_tags(include: t.Any, exclude: t.Any, wanted: bool) -> None:
    choice = Choice(include_tags=tag_patterns(include), exclude_tags=tag_patterns(exclude))
    assert choice.by_tags({"Stage": "prod", "Number": "7"}) is wanted


@pytest.mark.parametrize(
    ("clusters", "names"),
    [
        ([cluster("a"), cluster("b")], ["a", "b"]),
        ([cluster("a"), cluster("a", "eu-west-1"), cluster("b")], ["a.us-east-1", "a.eu-west-1", "b"]),
        (
            [cluster("a"), cluster("a", account="2" * 12), cluster("a", "eu-west-1")],
            ["a.us-east-1.111111111111", "a.us-east-1.222222222222", "a.eu-west-1.111111111111"],
        ),
    ],
)
def test_hosts_are_named_as_shortly_as_is_unique(clusters: t.Any, names: list[str]) -> None:
    assert host_names(clusters) == names


def test_names_are_unique_whatever_there_is() -> None:
    every = [cluster(*parts) for parts in itertools.product("ab", ("x-1", "y-1"), ("1" * 12, "2" * 12))]
    for count in range(len(every) + 1):
        for some in itertools.combinations(every, count):
            for full in (True, False):
                assert len(set(host_names(some, full))) == count


def test_groups() -> None:
    more = {"version": "1.36", "status": "ACTIVE", "tags": {"Team": "shop", "Bare": ""}, "auto_mode": True}
    own = ["account_111111111111", "region_us-east-1", "version_1.36", "status_ACTIVE", "tag_Team_shop", "tag_Bare"]
    assert groups({**cluster("a"), **more}) == [*own, "auto_mode"]
    assert groups({**cluster("a"), **more, "auto_mode": False}) == own


def test_a_host_knows_its_way() -> None:
    made = host_variables(Account("platform", ROLE, "acme"), cluster("a"))
    assert made == {
        "eks_cluster_name": "a",
        "eks_region": "us-east-1",
        "eks_profile": "platform",
        "eks_assume_role_arn": ROLE,
        "eks_assume_role_external_id": "acme",
        "eks_cluster": cluster("a"),
    }
    assert set(host_variables(Account(), cluster("a"))) == {"eks_cluster_name", "eks_region", "eks_cluster"}


def test_a_cluster_found_twice_is_there_once() -> None:
    ways = [Account("one"), Account("two")]
    found = [(way, cluster(name)) for way in ways for name in "ba"]
    assert once(found) == [(ways[0], cluster("a")), (ways[0], cluster("b"))]


def test_accounts() -> None:
    given = [{"profile": "a"}, {"assume_role_arn": ROLE, "assume_role_external_id": "x"}]
    assert accounts(given, Account("unused")) == [Account("a"), Account("", ROLE, "x")]
    assert accounts([], Account("own")) == [Account("own")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"role_arn": ROLE}, "its keys are profile, assume_role_arn"),
        ("222222222222", "is not an account"),
        ({"assume_role_arn": "fleet"}, "not the ARN of an IAM role"),
        ({"assume_role_external_id": "x"}, "belongs to assume_role_arn"),
    ],
)
def test_what_is_no_account_is_refused(wrong: t.Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        accounts([wrong], Account())
