# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates: token buckets that refill as time goes by."""

from __future__ import annotations

import typing as t
import urllib.error

import boto3
import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._association.api import EksAssociations
from ansible_collections.enbuild.eks.plugins.module_utils._association.bulk_apply import describe_all
from ansible_collections.enbuild.eks.plugins.module_utils._association.plan import Observed
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import aws_client
from ansible_collections.enbuild.eks.tests.lab.aws.throttles import Throttles
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import OPERATOR, REGION, Lab
from botocore.config import Config
from botocore.exceptions import ClientError

DESCRIBE = "DescribePodIdentityAssociation"
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


class ModuleOfTest:
    """Takes an AnsibleAWSModule's place: its clients retry as they are told."""

    region = REGION

    def __init__(self, lab: Lab) -> None:
        self._url = lab.url

    def client(self, service: str, config: t.Any) -> t.Any:
        keys = {"aws_access_key_id": OPERATOR[0], "aws_secret_access_key": OPERATOR[1]}
        return boto3.client(service, REGION, endpoint_url=self._url, config=Config(**config), **keys)


def test_a_task_of_many_calls_slows_down_and_misses_nothing(lab: Lab) -> None:
    """How many calls that saves depends on the machine: tests/bench/modules.py counts them."""
    eks, role = lab.client("eks"), lab.role("orders")
    for number in range(12):
        address = {"namespace": "shop", "serviceAccount": f"orders-{number}"}
        eks.create_pod_identity_association(clusterName="lab", **address, roleArn=role)
    lab.control("PUT", "faults", [{"service": "eks", "operation": DESCRIBE, "every": 10}])
    few, many = (aws_client(ModuleOfTest(lab), "eks", many=many) for many in (False, True))
    assert [client.meta.config.retries["mode"] for client in (few, many)] == ["standard", "adaptive"]
    slowing = EksAssociations(many, "lab")
    found = describe_all(slowing, slowing.list(), 8)
    assert [one for _key, one in found if not isinstance(one, Observed)] == []
    assert lab.control("GET", "calls")["calls"]["eks"][DESCRIBE] == 12 + 1
