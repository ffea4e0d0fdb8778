# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Bedrock API: moto's, extended by ListFoundationModels, GetInferenceProfile and Converse."""

from __future__ import annotations

import typing as t
from urllib.parse import unquote

import moto.bedrock.urls
import moto.bedrockruntime.urls
from moto.bedrock.exceptions import ResourceNotFoundException
from moto.bedrock.responses import BedrockResponse
from moto.bedrockruntime.responses import BedrockRuntimeResponse
from moto.core.responses import ActionResult

Json = dict[str, t.Any]

_TEXT = ("TEXT",)
_MODELS = (
    ("amazon.nova-lite-v1:0", "Nova Lite", "Amazon", ("TEXT", "IMAGE"), _TEXT, ("ON_DEMAND",)),
    ("amazon.nova-pro-v1:0", "Nova Pro", "Amazon", ("TEXT", "IMAGE"), _TEXT, ("ON_DEMAND",)),
    ("amazon.titan-embed-text-v2:0", "Titan Text Embeddings V2", "Amazon", _TEXT, ("EMBEDDING",), ("ON_DEMAND",)),
    ("anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", "Anthropic", ("TEXT", "IMAGE"), _TEXT, ("ON_DEMAND",)),
    ("meta.llama3-8b-instruct-v1:0", "Llama 3 8B Instruct", "Meta", _TEXT, _TEXT, ("ON_DEMAND", "PROVISIONED")),
)
_REGIONS = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "eu": ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"),
    "global": ("us-east-1", "eu-west-1", ""),
}
"""Where the inference profiles of a geography choose their model; "" is no region in particular."""


class NoSuchProfileError(ResourceNotFoundException):
    """With the status that AWS's model has for it, and moto's error lacks."""

    code = 404

    def __init__(self) -> None:
        """In AWS's words."""
        super().__init__("The provided inference profile identifier was not found.")


class LabBedrockResponse(BedrockResponse):
    """Lists a few models, and says where the inference profiles of AWS lead to; the rest is moto's."""

    def list_foundation_models(self) -> ActionResult:
        """Show the models that fit the given filters."""
        shown = [_view(self.partition, self.region, *model) for model in _MODELS]
        filters = {
            "byProvider": "providerName",
            "byOutputModality": "outputModalities",
            "byInferenceType": "inferenceTypesSupported",
            "byCustomizationType": "customizationsSupported",
        }
        wanted = {key: self._get_param(name) for name, key in filters.items()}
        found = [model for model in shown if all(_fits(model[key], value) for key, value in wanted.items())]
        return ActionResult({"modelSummaries": found})

    def get_inference_profile(self) -> ActionResult:
        """Show a profile of AWS's own, by its id or ARN; ResourceNotFoundException."""
        profile = unquote(self.parsed_url.path).rpartition("/")[2]
        geography, _dot, model = profile.partition(".")
        if geography not in _REGIONS or model not in {name for name, *_rest in _MODELS}:
            raise NoSuchProfileError
        regions = _REGIONS[geography]
        arns = [f"arn:{self.partition}:bedrock:{region}::foundation-model/{model}" for region in regions]
        own = f"arn:{self.partition}:bedrock:{self.region}:{self.current_account}:inference-profile/{profile}"
        return ActionResult(
            {
                "inferenceProfileName": profile,
                "inferenceProfileArn": own,
                "inferenceProfileId": profile,
                "models": [{"modelArn": arn} for arn in arns],
                "status": "ACTIVE",
                "type": "SYSTEM_DEFINED",
            }
        )


class LabBedrockRuntimeResponse(BedrockRuntimeResponse):
    """Answers a conversation with one word; the rest is moto's."""

    def converse(self) -> ActionResult:
        """Say nothing of meaning, in one token."""
        message = {"role": "assistant", "content": [{"text": "1"}]}
        usage = {"inputTokens": 8, "outputTokens": 1, "totalTokens": 9}
        answer = {"output": {"message": message}, "stopReason": "max_tokens", "usage": usage}
        return ActionResult({**answer, "metrics": {"latencyMs": 1}})


def install() -> None:
    """Let moto serve this."""
    moto.bedrockruntime.urls.url_paths["{0}/.*$"] = LabBedrockRuntimeResponse.dispatch
    moto.bedrock.urls.url_paths["{0}/inference-profiles/(?P<profile>.+)$"] = LabBedrockResponse.dispatch
    moto.bedrock.urls.url_paths["{0}/foundation-models$"] = LabBedrockResponse.dispatch


def _view(
    partition: str,
    region: str,
    model_id: str,
    name: str,
    provider: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    inference: tuple[str, ...],
) -> Json:
    return {
        "modelArn": f"arn:{partition}:bedrock:{region}::foundation-model/{model_id}",
        "modelId": model_id,
        "modelName": name,
        "providerName": provider,
        "inputModalities": list(inputs),
        "outputModalities": list(outputs),
        "responseStreamingSupported": "TEXT" in outputs,
        "customizationsSupported": [],
        "inferenceTypesSupported": list(inference),
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _fits(value: t.Any, wanted: str | None) -> bool:
    return not wanted or wanted == value or (isinstance(value, list) and wanted in value)
