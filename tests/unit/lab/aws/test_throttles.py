# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates: token buckets that refill as time goes by."""

from __future__ import annotations

import typing as t
import urllib.error

import pytest
from ansible_collections.enbuild.eks.tests.lab.aws.throttles import Throttles
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import Lab
from botocore.exceptions import ClientError

DESCRIBES = {"service": "eks", "operation": "Describe*", "rate": 10, "burst": 3}


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def code_of(call: t.Callable[..., t.Any], **given: t.Any) -> tuple[str, int]:
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return "", 200


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    throttles = Throttles(clock)
    throttles.replace([DESCRIBES])
    admitted = [throttles.refusal("eks", "DescribeCluster") is None for _unused in range(5)]
    assert admitted == [True, True, True, False, False]
    clock.now += 0.2
    assert [throttles.refusal("eks", "DescribeAddon") is None for _unused in range(3)] == [True, True, False]
    clock.now += 3600
    assert sum(throttles.refusal("eks", "DescribeAddon") is None for _unused in range(9)) == 3
    assert throttles.refusal("eks", "ListClusters") is None
    assert throttles.refusal("iam", "DescribeCluster") is None
    assert throttles.show() == [{**DESCRIBES, "code": "ThrottlingException", "status": 429, "refused": 9}]


def test_all_buckets_of_a_call_count() -> None:
    throttles = Throttles(Clock())
    throttles.replace([{"service": "eks", "operation": "*", "rate": 1, "burst": 2}, {**DESCRIBES, "burst": 1}])
    assert throttles.refusal("eks", "DescribeCluster") is None
    assert throttles.refusal("eks", "DescribeCluster") is not None
    assert throttles.refusal("eks", "ListClusters") is None
    assert throttles.refusal("eks", "ListClusters") is not None


@pytest.mark.parametrize(
    ("service", "operation", "call", "given", "answer"),
    [
        ("eks", "DescribeCluster", "describe_cluster", {"name": "lab"}, ("ThrottlingException", 429)),
        ("iam", "ListRoles", "list_roles", {}, ("Throttling", 400)),
        ("iam", "List*", "list_users", {}, ("Throttling", 400)),
    ],
)
def test_calls_beyond_the_rate_are_throttled(
    lab: Lab, service: str, operation: str, call: str, given: dict[str, str], answer: tuple[str, int]
) -> None:
    lab.control("PUT", "throttles", [{"service": service, "operation": operation, "rate": 0.001, "burst": 2}])
    asked = getattr(lab.client(service), call)
    assert [code_of(asked, **given) for _unused in range(3)] == [("", 200), ("", 200), answer]
    assert lab.control("GET", "throttles")[0]["refused"] == 1
    assert lab.control("PUT", "throttles", []) == []
    assert code_of(asked, **given) == ("", 200)


def test_the_code_can_be_chosen_and_a_reset_ends_it(lab: Lab) -> None:
    chosen = {"code": "ThrottlingException", "status": 429}
    lab.control("PUT", "throttles", [{"service": "iam", "operation": "*", "rate": 0.001, "burst": 1, **chosen}])
    asked = lab.client("iam").list_roles
    assert [code_of(asked) for _unused in range(2)] == [("", 200), ("ThrottlingException", 429)]
    lab.control("POST", "reset")
    assert lab.control("GET", "throttles") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{"service": "eks"}],
        [{**DESCRIBES, "rate": 0}],
        [{**DESCRIBES, "rate": "10"}],
        [{**DESCRIBES, "burst": 0.5}],
        [{**DESCRIBES, "color": "red"}],
    ],
)
def test_nonsense_is_refused(lab: Lab, body: t.Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        lab.control("PUT", "throttles", body)
    assert lab.control("GET", "throttles") == []
