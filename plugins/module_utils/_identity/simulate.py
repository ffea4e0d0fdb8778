# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask IAM what a role may do, without doing it: its policies, simulated in every region that the action is about."""

from __future__ import annotations

import contextlib
import itertools
import typing as t

from .._workload.checks import Check
from .evidence import Answer

with contextlib.suppress(ImportError):  # AnsibleAWSModule names the missing library.
    from botocore.exceptions import BotoCoreError, ClientError

PROFILE = ":inference-profile/"
"""In the ARN of a Bedrock inference profile, which may choose a model in another region."""
REGION = "aws:RequestedRegion"
NO_REGION = "unspecified"
"""What Bedrock says of the region where a global profile chooses it."""

Result = t.Mapping[str, t.Any]


def profiles(check: Check) -> list[str]:
    """ARNs of the inference profiles that a simulated check is about."""
    return [each for each in check.resources if PROFILE in each]


def simulate(iam: t.Any, bedrock: t.Any, check: Check, role_arn: str) -> Answer:
    """Ask IAM whether the role may do ``check``, also on the models of all regions that a profile of it leads to.

    Both clients have the caller's own credentials. Nothing else is called. Where Bedrock doesn't tell the regions,
    ``allowed`` is None at best.
    """
    try:
        models, unknown = _models(bedrock, check), ""
    except (ClientError, BotoCoreError) as error:
        models, unknown = [], f"the regions of its inference profile need bedrock:GetInferenceProfile: {error}"
    resources = list(dict.fromkeys([*check.resources, *models]))
    try:
        found = [each for some in _by_region(resources) for each in _asked(iam, check, role_arn, some)]
    except (ClientError, BotoCoreError) as error:
        why = f"{check.name} was not simulated, which needs iam:SimulatePrincipalPolicy on {role_arn}: {error}"
        return Answer(check.name, None, message=why, actions=check.actions)
    return _answer(check, resources, found, unknown)


def _models(bedrock: t.Any, check: Check) -> list[str]:
    """The models that the check's profiles choose from, in all their regions."""
    found = [bedrock.get_inference_profile(inferenceProfileIdentifier=profile) for profile in profiles(check)]
    return [model["modelArn"] for profile in found for model in profile["models"]]


def _by_region(resources: t.Iterable[str]) -> list[list[str]]:
    """Resources, those of one region together: a request is made in one."""
    return [list(some) for _region, some in itertools.groupby(sorted(resources, key=_region), _region)]


def _region(resource: str) -> str:
    """What IAM is told of the region; "" where the ARN says nothing of it."""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return ""
    return parts[3] or (NO_REGION if parts[2] == "bedrock" else "")


def _asked(iam: t.Any, check: Check, role_arn: str, resources: list[str]) -> t.Iterator[Result]:
    region = _region(resources[0])
    context = {**({REGION: region} if region else {}), **check.context}
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role_arn,
        ActionNames=list(check.actions),
        ResourceArns=resources,
        ContextEntries=[_entry(key, value) for key, value in context.items()],
    )
    return (result for page in pages for result in page["EvaluationResults"])


def _entry(key: str, value: t.Any) -> dict[str, t.Any]:
    values = [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]
    return {
        "ContextKeyName": key,
        "ContextKeyValues": values,
        "ContextKeyType": "stringList" if values[1:] else "string",
    }


def _answer(check: Check, resources: t.Sequence[str], found: t.Sequence[Result], unknown: str) -> Answer:
    worst = sorted((each for each in found if each["EvalDecision"] != "allowed"), key=lambda each: each["EvalDecision"])
    if not worst:
        why = f"{check.name} is allowed by IAM's policy simulation, and {unknown}" if unknown else ""
        allowed, how = (None, "") if unknown else (True, "simulated")
        return Answer(check.name, allowed, message=why, how=how, actions=check.actions)
    verb = "denies" if worst[0]["EvalDecision"] == "explicitDeny" else "doesn't allow"
    said = f"IAM's policy simulation {verb} {check.actions[0]} on {worst[0]['EvalResourceName']}"
    return Answer(
        check.name,
        False,
        worst[0]["EvalDecision"],
        said,
        "simulated",
        actions=check.actions,
        resources=tuple(resources),
    )
