# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Answer
from ansible_collections.enbuild.eks.plugins.module_utils._identity.simulate import simulate
from ansible_collections.enbuild.eks.plugins.module_utils._workload.checks import parse_checks
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/ai"
HOME = "arn:aws:bedrock:eu-central-1"
PROFILE = f"{HOME}:123456789012:inference-profile/eu.m"
MODEL, PARIS, GLOBAL = (
    f"{HOME}::foundation-model/m",
    "arn:aws:bedrock:eu-west-3::foundation-model/m",
    "arn:aws:bedrock:::m",
)
CONTEXT = {"bedrock:InferenceProfileArn": PROFILE}


class Iam:
    """Decides by resource; what isn't named is allowed. ``asked`` are the questions, each with its condition keys."""

    def __init__(self, **decisions: str) -> None:
        self.decisions = decisions
        self.asked: dict[str, dict[str, str]] = {}
        self.error: ClientError | None = None

    def get_paginator(self, _name: str) -> t.Any:
        return self

    def paginate(self, **asked: t.Any) -> t.Iterator[t.Any]:
        if self.error:
            raise self.error
        assert (asked["PolicySourceArn"], asked["ActionNames"]) == (ROLE, ["bedrock:InvokeModel"])
        entries = {each["ContextKeyName"]: each["ContextKeyValues"][0] for each in asked["ContextEntries"]}
        for resource in asked["ResourceArns"]:
            self.asked[resource] = entries
            yield {
                "EvaluationResults": [
                    {"EvalResourceName": resource, "EvalDecision": self.decisions.get(resource, "allowed")}
                ]
            }


class Bedrock:
    """Knows where the profile leads to; or who may not ask."""

    def __init__(self, *models: str) -> None:
        self.models = models

    def get_inference_profile(self, inferenceProfileIdentifier: str) -> t.Any:
        assert inferenceProfileIdentifier == PROFILE
        if not self.models:
            raise error("GetInferenceProfile")
        return {"models": [{"modelArn": model} for model in self.models]}


def error(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)


def asked(iam: Iam, bedrock: Bedrock | None, *resources: str, **more: t.Any) -> Answer:
    given = {"action": "bedrock:InvokeModel", "resources": list(resources), "context": CONTEXT, **more}
    (check,) = parse_checks(given, "ai")
    return simulate(iam, bedrock, check, ROLE)


SAID = "IAM's policy simulation"


@pytest.mark.parametrize(
    ("decisions", "allowed", "words"),
    [
        ({}, True, ""),
        ({MODEL: "implicitDeny"}, False, f"{SAID} doesn't allow bedrock:InvokeModel on {MODEL}"),
        ({PARIS: "implicitDeny"}, False, f"{SAID} doesn't allow bedrock:InvokeModel on {PARIS}"),
        (
            {PROFILE: "explicitDeny", MODEL: "implicitDeny"},
            False,
            f"{SAID} denies bedrock:InvokeModel on {PROFILE}",
        ),
    ],
)
def test_iam_is_asked_about_the_role_and_the_models_of_every_region(
    decisions: dict[str, str], allowed: bool, words: str
) -> None:
    iam = Iam(**decisions)
    answer = asked(iam, Bedrock(MODEL, PARIS), PROFILE, MODEL)
    assert (answer.allowed, answer.message, answer.how) == (allowed, words, "simulated")
    assert iam.asked == {
        PROFILE: {"aws:RequestedRegion": "eu-central-1", **CONTEXT},
        MODEL: {"aws:RequestedRegion": "eu-central-1", **CONTEXT},
        PARIS: {"aws:RequestedRegion": "eu-west-3", **CONTEXT},
    }
    assert allowed or set(answer.resources) == {PROFILE, MODEL, PARIS}


def test_a_global_profile_chooses_in_no_region() -> None:
    iam = Iam()
    assert asked(iam, Bedrock(MODEL, GLOBAL), PROFILE).allowed
    assert iam.asked[GLOBAL]["aws:RequestedRegion"] == "unspecified"


def test_a_region_that_is_given_and_a_resource_without_one_are_left_as_they_are() -> None:
    iam = Iam()
    assert asked(iam, None, MODEL, context={"aws:RequestedRegion": "eu-west-1"}).allowed
    assert asked(iam, None, "*", "arn:aws:s3:::shop", context={}).allowed
    assert iam.asked == {MODEL: {"aws:RequestedRegion": "eu-west-1"}, "*": {}, "arn:aws:s3:::shop": {}}


def test_regions_that_are_not_known_leave_it_unknown_unless_it_is_denied_already() -> None:
    answer = asked(Iam(), Bedrock(), PROFILE, MODEL)
    assert (answer.allowed, answer.how) == (None, "")
    assert "need bedrock:GetInferenceProfile" in answer.message
    assert asked(Iam(**{MODEL: "implicitDeny"}), Bedrock(), PROFILE, MODEL).allowed is False


def test_a_caller_who_may_not_simulate_leaves_it_unknown() -> None:
    iam = Iam()
    iam.error = error("SimulatePrincipalPolicy")
    answer = asked(iam, Bedrock(MODEL), PROFILE)
    assert (answer.allowed, answer.code) == (None, "")
    assert answer.message.startswith(f"bedrock:InvokeModel on {PROFILE} was not simulated")
    assert "iam:SimulatePrincipalPolicy" in answer.message
