# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Bedrock API: moto's, extended by ListFoundationModels."""

from __future__ import annotations

import typing as t

import moto.bedrock.urls
from moto.bedrock.responses import BedrockResponse
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


class LabBedrockResponse(BedrockResponse):
    """Lists a few models; the rest is moto's."""

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


def install() -> None:
    """Let moto serve this."""
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
