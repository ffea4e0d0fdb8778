# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._identity.run_checks import verify
from ansible_collections.enbuild.eks.plugins.module_utils._workload import declaration, enbuild
from ansible_collections.enbuild.eks.plugins.module_utils._workload.checks import parse_checks

CLUSTER = {
    "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
    "account_id": "123456789012",
    "partition": "aws",
    "region": "eu-west-1",
}
CHINA = {**CLUSTER, "arn": "arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod", "partition": "aws-cn"}
RELEASE: dict[str, t.Any] = {"ai": True, "ctf": True}


def test_the_services_of_a_release_by_default() -> None:
    ai, ctf = enbuild.workloads(RELEASE, CLUSTER)
    assert declaration.problems([ai, ctf]) == []
    assert (ai["namespace"], ai["deployment"], ai["role_name"]) == (
        "enbuild",
        "enbuild-enbuild-ai",
        "enbuild-ai-bedrock",
    )
    assert (ctf["deployment"], ctf["role_name"]) == ("enbuild-enbuild-ctf", "enbuild-ctf-s3")
    assert (ctf["managed_policies"], ctf["allowed"]) == (["AmazonS3FullAccess"], ["s3:ListBuckets"])


def test_buckets_narrow_what_the_ctf_service_may_do() -> None:
    _ai, ctf = enbuild.workloads({**RELEASE, "ctf_buckets": ["acme-ctf"]}, CLUSTER)
    assert "managed_policies" not in ctf
    assert ctf["policy"]["Statement"][0]["Resource"] == ["arn:aws:s3:::acme-ctf"]
    assert ctf["allowed"] == [{"bucket": "acme-ctf"}]


@pytest.mark.parametrize(
    ("switches", "names"), [({"ai": False}, ["ctf"]), ({"ctf": False}, ["ai"]), ({"ai": False, "ctf": False}, [])]
)
def test_a_service_that_is_switched_off_is_not_declared(switches: t.Any, names: list[str]) -> None:
    assert [item["name"] for item in enbuild.workloads({**RELEASE, **switches}, CLUSTER)] == names


def test_where_there_is_no_bedrock_nothing_optional_is_declared() -> None:
    assert enbuild.workloads(RELEASE, CHINA, optional=True) == []
    assert [item["name"] for item in enbuild.workloads({**RELEASE, "ai": False}, CHINA)] == ["ctf"]
    with pytest.raises(Refused, match="has no Amazon Bedrock"):
        enbuild.workloads(RELEASE, CHINA)


HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
BEDROCK = "arn:aws:bedrock:eu-west-1"


def test_named_models_are_granted_and_asked_for() -> None:
    ai, _ctf = enbuild.workloads({**RELEASE, "ai_models": [f"eu.{HAIKU}", HAIKU]}, CLUSTER)
    assert ai["policy"]["Statement"][1]["Resource"] == [
        "arn:aws:bedrock:*:123456789012:application-inference-profile/*",
        f"arn:aws:bedrock:*:123456789012:inference-profile/*.{HAIKU}",
        f"arn:aws:bedrock:*:123456789012:inference-profile/eu.{HAIKU}",
        f"arn:aws:bedrock:*::foundation-model/{HAIKU}",
    ]
    profile = f"{BEDROCK}:123456789012:inference-profile/eu.{HAIKU}"
    assert ai["allowed"] == [
        "bedrock:ListFoundationModels",
        {
            "action": "bedrock:InvokeModel",
            "resources": [profile, f"{BEDROCK}::foundation-model/{HAIKU}"],
            "context": {"bedrock:InferenceProfileArn": profile},
        },
        {"action": "bedrock:InvokeModel", "resources": [f"{BEDROCK}::foundation-model/{HAIKU}"]},
    ]
    assert declaration.problems([ai]) == []


def test_a_pattern_of_models_is_granted_and_can_not_be_asked_for() -> None:
    ai, _ctf = enbuild.workloads({**RELEASE, "ai_models": ["anthropic.*"]}, CLUSTER)
    assert ai["allowed"] == ["bedrock:ListFoundationModels"]


def test_a_global_profile_needs_the_model_without_a_region() -> None:
    ai, _ctf = enbuild.workloads({**RELEASE, "ai_models": [f"global.{HAIKU}"]}, CLUSTER)
    assert f"arn:aws:bedrock:::foundation-model/{HAIKU}" in ai["allowed"][1]["resources"]


def test_the_guide_s_option_1_is_the_managed_policy() -> None:
    ai, _ctf = enbuild.workloads({**RELEASE, "ai_full_access": True}, CLUSTER)
    assert (ai["managed_policies"], "policy" in ai) == (["AmazonBedrockFullAccess"], False)


def test_full_access_and_single_models_exclude_each_other() -> None:
    with pytest.raises(Refused, match="enbuild_ai_full_access or enbuild_ai_models"):
        enbuild.workloads({**RELEASE, "ai_full_access": True, "ai_models": [HAIKU]}, CLUSTER)


def test_models_are_invoked_for_one_token_where_that_is_asked_for() -> None:
    ai, _ctf = enbuild.workloads({**RELEASE, "ai_invoke": True, "ai_models": [f"eu.{HAIKU}", "amazon.*"]}, CLUSTER)
    called = ai["allowed"][-1]
    assert (called["service"], called["operation"]) == ("bedrock-runtime", "Converse")
    assert called["parameters"]["modelId"] == f"eu.{HAIKU}"
    assert called["parameters"]["inferenceConfig"] == {"maxTokens": 1}
    assert len(ai["allowed"]) == 3
    assert declaration.problems([ai]) == []
    (check,) = parse_checks(called, "ai")
    verify([check])
    assert (check.reads, check.actions) == (False, ("bedrock:InvokeModel",))


@pytest.mark.parametrize("models", [[], ["anthropic.*"]])
def test_which_model_to_invoke_has_to_be_named(models: list[str]) -> None:
    with pytest.raises(Refused, match="enbuild_ai_invoke needs enbuild_ai_models"):
        enbuild.workloads({**RELEASE, "ai_invoke": True, "ai_models": models}, CLUSTER)


SHOP, BESIDE = {"namespace": "shop"}, {"namespace": "enbuild"}
WORDS: dict[str, tuple[t.Any, t.Any, bool]] = {
    "nothing declared": ([], {}, True),
    "own workloads alone": ([SHOP], {}, False),
    "services switched on": ([SHOP], {"ai": True, "ctf": True}, False),
    "roles of services that aren't there": ([SHOP], {"ctf_buckets": ["acme"], "ai_role_name": "ai"}, False),
    "one in the release's namespace": ([SHOP, BESIDE], {}, True),
    "one in the namespace of a release that moved": ([SHOP], {"release_namespace": "shop"}, True),
    "none in the namespace of a release that moved": ([BESIDE], {"release_namespace": "shop"}, False),
    "a service switched off": ([SHOP], {"ai": False, "ctf": True}, True),
    "asked for": ([SHOP], {"asked": True}, True),
}


@pytest.mark.parametrize(("own", "release", "declared"), WORDS.values(), ids=WORDS)
def test_a_release_is_declared_where_nothing_else_is_or_a_word_is_about_it(
    own: t.Any, release: t.Any, declared: bool
) -> None:
    assert enbuild.declared(own, release) is declared
    assert enbuild.declared(own, release, named=True) is True
