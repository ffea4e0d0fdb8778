# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An enbuild release in a declaration: whether it is declared, and its workloads where none are. Pure."""

from __future__ import annotations

import typing as t

from .._core.plan import Refused
from .._iam.permission_policies import WITHOUT_BEDROCK, bedrock_policy, invocation, s3_policy

Item = t.Mapping[str, t.Any]

NAME = "enbuild"
"""Default of the release's name and of its namespace."""
INVOKING = "bedrock:InvokeModel"
AI_ROLE, CTF_ROLE = "enbuild-ai-bedrock", "enbuild-ctf-s3"

RELEASE_SPEC: dict[str, dict[str, t.Any]] = {
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    "ai": {"type": "bool", "default": True},
    "ctf": {"type": "bool", "default": True},
    "ai_role_name": {"type": "str"},
    "ai_models": {"type": "list", "elements": "str", "default": []},
    "ai_full_access": {"type": "bool", "default": False},
    "ai_invoke": {"type": "bool", "default": False},
    "ctf_role_name": {"type": "str"},
    "ctf_buckets": {"type": "list", "elements": "str", "default": []},
    "named_by": {"type": "list", "elements": "str", "default": []},
    "asked": {"type": "bool", "default": False},
}


def declared(own: t.Sequence[Item], release: Item, named: bool = False) -> bool:
    """Whether ``release`` is declared, beside ``own`` workloads; its keys are those of ``RELEASE_SPEC``.

    Without own workloads it always is. With them, it takes a word about it: the run asks for it, a variable of it is
    ``named``, a service is switched off, or one of the workloads is in its namespace.
    """
    namespace = release.get("release_namespace") or NAME
    return (
        not own
        or named
        or bool(release.get("asked"))
        or not all(release.get(service, True) for service in SERVICES)
        or any(str(item.get("namespace") or "") == namespace for item in own)
    )


def workloads(release: Item, cluster: Item, optional: bool = False) -> list[Item]:
    """The declaration of ``release``, whose keys are those of ``RELEASE_SPEC``, in ``cluster``.

    Services that are switched off are left out. ``optional`` marks those that need not exist; where a partition has no
    Bedrock, nothing is declared then, and Refused is raised otherwise.
    """
    if optional and cluster["partition"] in WITHOUT_BEDROCK:
        return []
    common = {"namespace": release.get("release_namespace") or NAME, "optional": optional}
    prefix = release.get("release_name") or NAME
    return [
        {"name": name, "deployment": f"{prefix}-enbuild-{name}", **common, **service(release, cluster)}
        for name, service in SERVICES.items()
        if release[name]
    ]


def _ai(release: Item, cluster: Item) -> dict[str, t.Any]:
    """Without models, all of Bedrock's. What is named is asked for; a pattern names no model that could be."""
    models = release.get("ai_models") or []
    if models and release.get("ai_full_access"):
        raise Refused("Give either enbuild_ai_full_access or enbuild_ai_models: full access is for every model")
    full = release.get("ai_full_access")
    granted = {"managed_policies": ["AmazonBedrockFullAccess"]} if full else {"policy": bedrock_policy(cluster, models)}
    exact = [model for model in models if "*" not in model]
    asked = [_invoking(model, cluster) for model in exact]
    if release.get("ai_invoke"):
        if not exact:
            raise Refused("enbuild_ai_invoke needs enbuild_ai_models, with the models to invoke and without asterisks")
        asked += [_one_token(model) for model in exact]
    return {
        "role_name": release.get("ai_role_name") or AI_ROLE,
        **granted,
        "allowed": ["bedrock:ListFoundationModels", *asked],
    }


def _invoking(model: str, cluster: Item) -> dict[str, t.Any]:
    """The check, by IAM's policy simulation, whether ``model`` may be invoked from the cluster's region."""
    profile, models = invocation(cluster, model)
    if not profile:
        return {"action": INVOKING, "resources": models}
    context = {"bedrock:InferenceProfileArn": profile}
    return {"action": INVOKING, "resources": [profile, *models], "context": context}


def _one_token(model: str) -> dict[str, t.Any]:
    """The check that invokes ``model``, which costs a few tokens of input and one of output."""
    messages = [{"role": "user", "content": [{"text": "1"}]}]
    parameters = {"modelId": model, "messages": messages, "inferenceConfig": {"maxTokens": 1}}
    return {"service": "bedrock-runtime", "operation": "Converse", "parameters": parameters}


def _ctf(release: Item, cluster: Item) -> dict[str, t.Any]:
    """Without buckets, all of S3, as the guide has it."""
    buckets = release.get("ctf_buckets") or []
    granted = (
        {"policy": s3_policy(buckets, cluster["partition"])}
        if buckets
        else {"managed_policies": ["AmazonS3FullAccess"]}
    )
    return {
        "role_name": release.get("ctf_role_name") or CTF_ROLE,
        **granted,
        "allowed": [{"bucket": name} for name in buckets] or ["s3:ListBuckets"],
    }


SERVICES: t.Mapping[str, t.Callable[[Item, Item], Item]] = {"ai": _ai, "ctf": _ctf}
"""What declares each of enbuild's services."""
