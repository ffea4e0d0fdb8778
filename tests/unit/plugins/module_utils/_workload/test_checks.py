# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._identity.run_checks import (
    Credentials,
    make,
    verify,
)
from ansible_collections.enbuild.eks.plugins.module_utils._workload.checks import Check, parse_checks


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("s3:ListBuckets", [("s3:ListBuckets", "s3", "ListBuckets", {}, False)]),
        (
            ["bedrock:ListFoundationModels"],
            [("bedrock:ListFoundationModels", "bedrock", "ListFoundationModels", {}, False)],
        ),
        (
            {"service": "s3", "operation": "list_objects_v2", "parameters": {"Bucket": "b"}},
            [("s3:ListObjectsV2", "s3", "ListObjectsV2", {"Bucket": "b"}, False)],
        ),
        ('{"service": "sqs", "operation": "ListQueues"}', [("sqs:ListQueues", "sqs", "ListQueues", {}, False)]),
        (
            [{"bucket": "b"}],
            [("s3:ListObjectsV2 in b", "s3", "ListObjectsV2", {"Bucket": "b", "MaxKeys": 1}, False)],
        ),
        (
            [{"bucket": "b", "write": "true"}],
            [
                (
                    "s3:ListObjectsV2, PutObject and DeleteObject in b",
                    "s3",
                    "ListObjectsV2",
                    {"Bucket": "b", "MaxKeys": 1},
                    True,
                )
            ],
        ),
    ],
)
def test_checks_are_read_from_what_a_user_writes(given: t.Any, expected: t.Any) -> None:
    read = parse_checks(given, "orders")
    assert [(each.name, each.service, each.operation, each.parameters, each.write) for each in read] == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("s3:ListBucket", "orders: allowed has 's3:ListBucket', which is none of"),
        ([{"buckets": "b"}], "unknown key buckets"),
        ([{"service": "s3"}], "needs bucket, action, or service and operation"),
        ("[nonsense", "not JSON"),
        ([{"action": "InvokeModel"}], "action has to be like bedrock:InvokeModel"),
        ([{"action": "bedrock:InvokeModel", "bucket": "b"}], "action goes with resources and context alone"),
        ([{"service": "s3", "operation": "ListBuckets", "resources": ["a"]}], "resources and context go with action"),
    ],
)
def test_what_is_no_check_is_refused(given: t.Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        parse_checks(given, "orders")


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (Check("x", "s4", "ListBuckets"), "s3"),
        (Check("x", "s3", "ListBucketz"), "ListBuckets"),
    ],
)
def test_what_botocore_does_not_know_is_refused_with_what_it_does(check: Check, words: str) -> None:
    with pytest.raises(Refused, match=words):
        verify([check])


@pytest.mark.parametrize(
    ("given", "reads", "actions"),
    [
        ("s3:ListBuckets", True, ("s3:ListAllMyBuckets",)),
        ({"bucket": "b"}, True, ("s3:ListBucket",)),
        ({"bucket": "b", "write": True}, False, ("s3:ListBucket", "s3:PutObject", "s3:DeleteObject")),
        ({"service": "sqs", "operation": "delete_queue"}, False, ("sqs:DeleteQueue",)),
        ({"service": "s3", "operation": "HeadObject"}, True, ("s3:GetObject",)),
        ({"service": "iam", "operation": "GetterLike"}, False, ("iam:GetterLike",)),
        ({"service": "bedrock-runtime", "operation": "converse"}, False, ("bedrock:InvokeModel",)),
        ({"service": "bedrock-runtime", "operation": "invoke_model"}, False, ("bedrock:InvokeModel",)),
        ({"action": "bedrock:InvokeModel", "resources": ["arn:m"]}, True, ("bedrock:InvokeModel",)),
    ],
)
def test_what_a_check_needs_and_whether_it_only_reads(given: t.Any, reads: bool, actions: t.Any) -> None:
    (check,) = parse_checks(given, "orders")
    assert (check.reads, check.actions) == (reads, actions)


def test_check_mode_makes_no_call_that_may_change_something() -> None:
    class Module:
        check_mode = True

    (check,) = parse_checks({"bucket": "b", "write": True}, "orders")
    answer = make(Module(), check, Credentials("a", "b", "c"))
    assert (answer.allowed, answer.code) == (None, "")
    assert "check mode" in answer.message


def test_credentials_do_not_show() -> None:
    assert repr(Credentials("AKIA", "secret", "token")) == "Credentials()"


def test_botocore_need_not_know_what_is_only_simulated() -> None:
    verify(parse_checks({"action": "bedrock:InvokeModel"}, "ai"))
