# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS bearer tokens, reviewed as the API server asks."""

from __future__ import annotations

import base64
import json
import ssl
import typing as t
import urllib.request
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, OPERATOR, Lab


def token(lab: Lab, cluster: str = "lab", operation: str = "get_caller_identity", **options: t.Any) -> str:
    """Return a bearer token as ``aws eks get-token`` makes it."""
    sts = lab.client("sts", options.get("credentials", OPERATOR))
    header = options.get("header", "x-k8s-aws-id")

    def inject(request: t.Any, **_unused: t.Any) -> None:
        request.headers[header] = cluster

    sts.meta.events.register("before-sign.sts.*", inject)
    url = sts.generate_presigned_url(operation, ExpiresIn=60, HttpMethod="GET")
    return encode(options.get("change", str)(url))


def encode(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def review(lab: Lab, bearer: str) -> t.Any:
    """Ask the webhook and return the review's status."""
    body = json.dumps({"kind": "TokenReview", "spec": {"token": bearer}}).encode()
    url = f"https://127.0.0.1:{lab.config.https_port}/token-review"
    context = ssl.create_default_context(cafile=lab.config.tls_cert)
    with urllib.request.urlopen(url, body, timeout=10, context=context) as answer:
        return json.load(answer)["status"]


def test_operator_is_administrator(lab: Lab) -> None:
    status = review(lab, token(lab))
    assert status["authenticated"]
    assert status["user"]["username"] == f"arn:aws:iam::{ACCOUNT}:user/operator"
    assert status["user"]["groups"] == ["system:masters"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cluster": "elsewhere"}, "signature"),
        ({"operation": "get_session_token"}, "GetCallerIdentity"),
        ({"header": "x-other"}, "x-k8s-aws-id"),
        ({"change": lambda url: url.replace("127.0.0.1", "example.org")}, "STS"),
        ({"change": lambda url: url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")}, "signature"),
        ({"change": lambda url: url + "&Extra=1"}, "GetCallerIdentity"),
        ({"credentials": (OPERATOR[0], "forged")}, "signature"),
        ({"credentials": ("AKIAIOSFODNN7NOTHERE", "x")}, "security token"),
    ],
)
def test_tokens_that_are_refused(lab: Lab, options: t.Any, words: str) -> None:
    status = review(lab, token(lab, **options))
    assert not status["authenticated"]
    assert words in status["error"]


@pytest.mark.parametrize("bearer", ["", "k8s-aws-v1.%%%", "something", encode("http://[")])
def test_no_token_at_all(lab: Lab, bearer: str) -> None:
    assert review(lab, bearer)["authenticated"] is False


@pytest.mark.parametrize(("minutes", "good"), [(14, True), (16, False)])
def test_lives_for_fifteen_minutes(lab: Lab, minutes: int, good: bool) -> None:
    then = datetime.now(UTC) - timedelta(minutes=minutes)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        old = token(lab)
    assert review(lab, old)["authenticated"] is good


def test_its_life_can_be_shortened(lab: Lab) -> None:
    then = datetime.now(UTC) - timedelta(seconds=30)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        old = token(lab)
    lab.control("PUT", "weather", {"cluster_token_seconds": 20})
    assert review(lab, old) == {"authenticated": False, "error": "the token lapsed 20 seconds after it was signed"}
    assert review(lab, token(lab))["authenticated"]
    lab.client("sts").get_caller_identity()
    lab.control("PUT", "weather", {"cluster_token_seconds": 40})
    assert review(lab, old)["authenticated"]


def test_access_entries(lab: Lab) -> None:
    credentials = lab.user("developer")
    assert "no access entry" in review(lab, token(lab, credentials=credentials))["error"]
    entry = {"principal_arn": f"arn:aws:iam::{ACCOUNT}:user/developer", "username": "dev", "groups": ["developers"]}
    assert lab.control("PUT", "access_entries", [entry])[-1] == entry
    user = review(lab, token(lab, cluster="auto", credentials=credentials))["user"]
    assert (user["username"], user["groups"]) == ("dev", ["developers"])
    assert review(lab, token(lab))["authenticated"]
