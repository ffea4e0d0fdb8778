# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, weather and the count of calls."""

from __future__ import annotations

import typing as t
import urllib.error

import boto3
import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import CONTROL_TOKEN, OPERATOR, REGION, Lab
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError


def fault(operation: str, **more: t.Any) -> dict[str, t.Any]:
    return {"service": "eks", "operation": operation, **more}


def code_of(call: t.Callable[..., t.Any], **given: t.Any) -> tuple[str, int]:
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return "", 200


def test_fault_before_leaves_the_call_undone(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "faults", [fault("CreateAddon", code="ServerException", status=500, times=2)])
    address = {"clusterName": "lab", "addonName": "coredns"}
    assert code_of(eks.create_addon, **address) == ("ServerException", 500)
    assert eks.list_addons(clusterName="lab")["addons"] == []
    assert lab.control("GET", "faults")[0]["times"] == 1
    assert code_of(eks.create_addon, **address) == ("ServerException", 500)
    assert lab.control("GET", "faults") == []
    assert code_of(eks.create_addon, **address) == ("", 200)


def test_a_cluster_is_deleted_just_before_a_call(lab: Lab, eks: t.Any) -> None:
    arn = eks.describe_cluster(name="lab")["cluster"]["arn"]
    lab.control("PUT", "faults", [{**fault("CreateAddon"), "deletes": arn}])
    assert eks.list_addons(clusterName="lab")["addons"] == []
    assert code_of(eks.create_addon, clusterName="lab", addonName="coredns") == ("ResourceNotFoundException", 404)
    assert code_of(eks.describe_cluster, name="lab") == ("ResourceNotFoundException", 404)
    assert lab.control("GET", "faults") == []


def test_lost_reply_leaves_the_call_done(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "faults", [fault("CreateAddon", when="after")])
    with pytest.raises(ConnectionClosedError):
        eks.create_addon(clusterName="lab", addonName="coredns")
    assert eks.list_addons(clusterName="lab")["addons"] == ["coredns"]
    assert [entry["status"] for entry in lab.control("GET", "calls")["log"]] == [0, 200]


def test_botocores_retry_after_a_lost_reply_is_harmless(lab: Lab) -> None:
    lab.control("PUT", "faults", [fault("CreateAddon", when="after")])
    retrying = boto3.client(
        "eks",
        REGION,
        endpoint_url=lab.url,
        aws_access_key_id=OPERATOR[0],
        aws_secret_access_key=OPERATOR[1],
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )
    assert retrying.create_addon(clusterName="lab", addonName="coredns")["addon"]["status"] == "CREATING"
    assert lab.control("GET", "calls")["calls"] == {"eks": {"CreateAddon": 2}}


def test_every_third_call_of_any_operation(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "faults", [fault("*", times=2, every=3)])
    found = [code_of(eks.list_clusters)[0] for _unused in range(9)]
    assert found == ["", "", "ThrottlingException"] * 2 + [""] * 3


@pytest.mark.parametrize(
    ("service", "operation", "call", "code"),
    [
        ("iam", "ListRoles", "list_roles", "Throttling"),
        ("s3", "ListBuckets", "list_buckets", "SlowDown"),
        ("sts", "GetCallerIdentity", "get_caller_identity", "ServiceUnavailable"),
    ],
)
def test_faults_of_other_services(lab: Lab, service: str, operation: str, call: str, code: str) -> None:
    ordered = {"service": service, "operation": operation, "code": code, "status": 503, "message": "slower"}
    lab.control("PUT", "faults", [ordered])
    client = lab.client(service)
    assert code_of(getattr(client, call)) == (code, 503)
    assert code_of(getattr(client, call)) == ("", 200)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("weather", {"addon_second": 1}),
        ("weather", {"addon_seconds": -1}),
        ("weather", {"addon_seconds": "1"}),
        ("weather", []),
        ("faults", {}),
        ("faults", [{"service": "eks"}]),
        ("faults", [{"service": "eks", "operation": "*", "when": "never"}]),
        ("faults", [{"addon": "coredns", "outcome": "BAD"}]),
        ("access_entries", [{"username": "x"}]),
    ],
)
def test_nonsense_is_refused(lab: Lab, path: str, body: t.Any) -> None:
    before = lab.control("GET", path)
    with pytest.raises(urllib.error.HTTPError) as caught:
        lab.control("PUT", path, body)
    assert caught.value.code == 400
    assert lab.control("GET", path) == before


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "nothing", 404), ("DELETE", "weather", 405)])
def test_unknown_endpoints(lab: Lab, method: str, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        lab.control(method, path)
    assert caught.value.code == status


@pytest.mark.parametrize(
    ("token", "host", "status"),
    [
        ("", "127.0.0.1", 401),
        ("another", "127.0.0.1", 401),
        (CONTROL_TOKEN, "lab.example.com", 403),
        (CONTROL_TOKEN, "localhost", 403),
        (CONTROL_TOKEN, "127.0.0.1.example.com:80", 403),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "calls"), ("POST", "reset"), ("GET", "nothing")])
def test_control_needs_the_token_and_this_host(
    lab: Lab, token: str, host: str, status: int, method: str, path: str
) -> None:
    lab.role("kept")
    with pytest.raises(urllib.error.HTTPError) as caught:
        lab.control(method, path, token=token, Host=host)
    assert caught.value.code == status
    assert len(lab.client("iam").list_roles()["Roles"]) == 1


def test_ready_needs_no_token_but_this_host(lab: Lab) -> None:
    assert lab.control("GET", "ready", token="") == {"ready": True}
    with pytest.raises(urllib.error.HTTPError, match="403"):
        lab.control("GET", "ready", token="", Host="lab.example.com")


def test_weather_keeps_what_is_not_given(lab: Lab) -> None:
    lab.control("PUT", "weather", {"addon_seconds": 2})
    shown = lab.control("PUT", "weather", {"role_unseen_seconds": 1.5})
    assert (shown["addon_seconds"], shown["role_unseen_seconds"]) == (2, 1.5)


def test_calls_are_counted_with_what_they_needed(lab: Lab, eks: t.Any) -> None:
    eks.describe_cluster(name="lab")
    code_of(eks.describe_cluster, name="nope")
    lab.client("s3").create_bucket(Bucket="some-bucket")
    lab.client("s3").put_object(Bucket="some-bucket", Key="a/b", Body=b"x")
    shown = lab.control("GET", "calls")
    assert shown["total"] == 4
    assert shown["calls"] == {"eks": {"DescribeCluster": 2}, "s3": {"CreateBucket": 1, "PutObject": 1}}
    assert [entry["status"] for entry in shown["log"]] == [200, 404, 200, 200]
    needed = {"action": "s3:PutObject", "resource": "arn:aws:s3:::some-bucket/a/b", "context": {}}
    assert shown["log"][3]["permissions"] == [needed]
    assert shown["log"][0]["access_key_id"] == OPERATOR[0]
    assert lab.control("DELETE", "calls")["total"] == 0


def test_reset_forgets(lab: Lab, eks: t.Any) -> None:
    lab.role("a")
    lab.control("PUT", "weather", {"addon_seconds": 9})
    eks.create_addon(clusterName="lab", addonName="coredns")
    lab.control("POST", "reset")
    assert eks.list_addons(clusterName="lab")["addons"] == []
    assert lab.client("iam").list_roles()["Roles"] == []
    assert lab.control("GET", "weather")["addon_seconds"] == 0
    assert eks.list_clusters()["clusters"] == ["auto", "lab"]


def test_what_moto_lacks_is_said(lab: Lab, eks: t.Any) -> None:
    assert code_of(eks.list_access_entries, clusterName="lab") == ("UnknownOperationException", 501)
