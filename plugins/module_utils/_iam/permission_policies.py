# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permission policies for what pods commonly need. No boto3, no AnsibleModule."""

from __future__ import annotations

import re
import typing as t

from .._cluster.model import arn_of
from .._core.plan import Refused

WITHOUT_BEDROCK = frozenset({"aws-cn"})
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
"""Converse and ConverseStream need the same two."""

_MODEL = re.compile(r"[A-Za-z0-9*][A-Za-z0-9.:_*-]{0,255}")
_GEOGRAPHY = re.compile(r"^(?:[a-z]{2}|us-gov|apac|global)\.(?=.)")
"""What the ID of an inference profile has in front of its model's ID."""
_BUCKET = re.compile(r"(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]")
_PARTITION = re.compile(r"aws(?:-[a-z]+)*")

Statement = dict[str, t.Any]


def bedrock_policy(cluster: t.Mapping[str, t.Any] | str, models: t.Iterable[str] = ("*",)) -> dict[str, t.Any]:
    """Return the policy to list Bedrock's models and to invoke ``models``, directly or by an inference profile.

    ``models`` are IDs of models or of inference profiles, with ``*`` as a wildcard. A model may be invoked in every
    region, since an inference profile chooses the region itself.
    """
    arn = arn_of(cluster)
    if arn.partition in WITHOUT_BEDROCK:
        raise Refused(f"Partition {arn.partition} of cluster {arn.name} has no Amazon Bedrock.")
    profiles = f"arn:{arn.partition}:bedrock:*:{arn.account_id}"
    resources = [f"{profiles}:application-inference-profile/*"]
    for model in _checked_models(models or ["*"]):
        bare = _GEOGRAPHY.sub("", model, count=1)
        profile = model if bare != model or model == "*" else f"*.{model}"
        resources.append(f"arn:{arn.partition}:bedrock:*::foundation-model/{bare}")
        resources.append(f"{profiles}:inference-profile/{profile}")
    return _document(
        _allow("ListModels", ["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"], ["*"]),
        _allow("InvokeModels", INVOKE, sorted(set(resources))),
    )


def invocation(cluster: t.Mapping[str, t.Any] | str, model: str) -> tuple[str, list[str]]:
    """The ARNs that an invocation of ``model`` in the cluster's region is about: the inference profile, and models.

    The profile is "" for the ID of a model. A global profile is also about its model without a region.
    """
    arn = arn_of(cluster)
    bare = _GEOGRAPHY.sub("", model, count=1)
    models = [f"arn:{arn.partition}:bedrock:{arn.region}::foundation-model/{bare}"]
    if bare == model:
        return "", models
    if model.startswith("global."):
        models.append(f"arn:{arn.partition}:bedrock:::foundation-model/{bare}")
    return f"arn:{arn.partition}:bedrock:{arn.region}:{arn.account_id}:inference-profile/{model}", models


def s3_policy(buckets: t.Iterable[str], partition: str = "aws") -> dict[str, t.Any]:
    """Return the policy to list ``buckets``, and to read, write and delete what is in them."""
    names = sorted({_checked_bucket(name) for name in _as_list("buckets", buckets)})
    if not names:
        raise Refused("buckets is empty, and a policy needs one bucket at least.")
    if not _PARTITION.fullmatch(partition):
        raise Refused(f"partition '{partition}' is not an AWS partition like aws, aws-us-gov or aws-cn.")
    arns = [f"arn:{partition}:s3:::{name}" for name in names]
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return _document(
        _allow("ListBuckets", ["s3:ListBucket", "s3:GetBucketLocation"], arns),
        _allow("UseObjects", objects, [f"{arn}/*" for arn in arns]),
    )


def _document(*statements: Statement) -> dict[str, t.Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _as_list(option: str, value: t.Any) -> list[str]:
    if isinstance(value, str) or not isinstance(value, t.Iterable):
        raise Refused(f"{option} is {value!r}, and has to be a list.")
    return [str(item) for item in value]


def _checked_models(models: t.Iterable[str]) -> list[str]:
    names = _as_list("models", models)
    for name in names:
        if not _MODEL.fullmatch(name):
            raise Refused(
                f"models has '{name}', which is not the ID of a model like anthropic.claude-3-haiku-20240307-v1:0."
            )
    return names


def _checked_bucket(name: str) -> str:
    if not _BUCKET.fullmatch(name):
        raise Refused(
            f"buckets has '{name}', and a bucket's name is 3 to 63 lower-case letters, digits, hyphens and dots,"
            " beginning and ending with a letter or digit."
        )
    return name
