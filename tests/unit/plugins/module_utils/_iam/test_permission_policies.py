# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permission policies: least privilege, right in every partition, and clean to an IAM linter."""

from __future__ import annotations

import fnmatch
import json
import typing as t

import parliament  # type: ignore[import-untyped]
import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._iam.permission_policies import bedrock_policy, s3_policy

ARN = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


OTHER_KINDS = ["async-invoke", "marketplace", "default-prompt-router", "imported-model", "provisioned-model"]
"""What else InvokeModel can act on. IAM asks for one of an action's kinds of resource; parliament asks for all."""


def lint(policy: dict[str, t.Any]) -> list[tuple[str, t.Any]]:
    """Return what parliament finds, apart from kinds of resource that the policy is not about."""
    return [
        (finding.issue, detail)
        for finding in parliament.analyze_policy_string(json.dumps(policy)).findings
        for detail in (finding.detail if isinstance(finding.detail, list) else [finding.detail])
        if not (finding.issue == "RESOURCE_MISMATCH" and any(kind in detail["required_format"] for kind in OTHER_KINDS))
    ]


@pytest.mark.parametrize(
    "policy",
    [
        bedrock_policy(ARN),
        bedrock_policy(ARN, [HAIKU, f"eu.{HAIKU}", "amazon.*"]),
        s3_policy(["acme-orders", "acme.logs"]),
    ],
)
def test_an_iam_linter_finds_nothing(policy: dict[str, t.Any]) -> None:
    assert lint(policy) == []


def test_the_linter_would_find_the_guide_s_mistake() -> None:
    policy = bedrock_policy(ARN)
    policy["Statement"][0]["Resource"] = "arn:aws:bedrock:*::foundation-model/*"
    assert {issue for issue, _unused in lint(policy)} == {"RESOURCE_MISMATCH"}


def test_the_linter_would_find_a_mistake() -> None:
    policy = s3_policy(["acme-orders"])
    policy["Statement"][1]["Resource"] = ["arn:aws:s3:::acme-orders"]
    assert {issue for issue, _unused in lint(policy)} == {"RESOURCE_MISMATCH"}


def invokable(policy: dict[str, t.Any], arn: str) -> bool:
    return any(fnmatch.fnmatchcase(arn, pattern) for pattern in policy["Statement"][1]["Resource"])


@pytest.mark.parametrize(
    ("models", "arn", "allowed"),
    [
        (["*"], f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}", True),
        (["*"], f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{HAIKU}", True),
        (["*"], f"arn:aws:bedrock:eu-west-1:999999999999:inference-profile/eu.{HAIKU}", False),
        ([HAIKU], f"arn:aws:bedrock:::foundation-model/{HAIKU}", True),
        ([HAIKU], f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/global.{HAIKU}", True),
        ([HAIKU], "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0", False),
        ([f"eu.{HAIKU}"], f"arn:aws:bedrock:eu-north-1::foundation-model/{HAIKU}", True),
        ([f"eu.{HAIKU}"], f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{HAIKU}", True),
        ([f"eu.{HAIKU}"], f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.{HAIKU}", False),
        (["anthropic.*"], "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3", True),
        ([], f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}", True),
    ],
)
def test_models_may_be_invoked_directly_and_by_profile(models: list[str], arn: str, allowed: bool) -> None:
    assert invokable(bedrock_policy(ARN, models), arn) == allowed


def test_listing_models_is_allowed_on_everything() -> None:
    """The guide's recommended policy allows it on model ARNs, which grants nothing."""
    listing = bedrock_policy(ARN)["Statement"][0]
    assert "bedrock:ListFoundationModels" in listing["Action"]
    assert listing["Resource"] == ["*"]


def test_every_arn_is_of_the_partition() -> None:
    cluster = {"arn": "arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/prod"}
    text = json.dumps([bedrock_policy(cluster), s3_policy(["acme"], "aws-us-gov")])
    assert "arn:aws-us-gov:bedrock" in text
    assert "arn:aws-us-gov:s3:::acme/*" in text
    assert "arn:aws:" not in text


def test_china_has_no_bedrock() -> None:
    with pytest.raises(Refused, match="Partition aws-cn of cluster prod has no Amazon Bedrock"):
        bedrock_policy("arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod")


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Acme", "acme_logs", "-acme", "acme-", "a..b", "10.0.0.1", "a/*", "*"]
)
def test_what_can_t_be_a_bucket_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="buckets has"):
        s3_policy(["acme", name])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: s3_policy([]), "buckets is empty"),
        (lambda: s3_policy("acme"), "has to be a list"),
        (lambda: s3_policy(["acme"], "amazon"), "partition 'amazon'"),
        (lambda: bedrock_policy(ARN, "anthropic.*"), "models is 'anthropic"),
        (lambda: bedrock_policy(ARN, ["a b"]), "models has 'a b'"),
    ],
)
def test_other_bad_input_is_refused(call: t.Callable[[], object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        call()
