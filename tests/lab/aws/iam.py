# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM API: moto's, extended by the client ids of an OpenID Connect provider and by policy simulation."""

from __future__ import annotations

import typing as t

import moto.iam.urls
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import LimitExceededException
from moto.iam.responses import IamResponse

from .policies import Question, decide
from .principals import role_documents

CLIENT_IDS = 100
"""To one provider."""


class LabIamResponse(IamResponse):
    """Adds and removes client ids, and simulates a role's policies; the rest is moto's."""

    def add_client_id_to_open_id_connect_provider(self) -> ActionResult:
        """Let a provider's tokens be for one more audience; one that it has already is fine."""
        known, client_id = self._client_ids(), self.params["ClientID"]
        if client_id not in known:
            if len(known) >= CLIENT_IDS:
                quota = f"ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS}"
                raise LimitExceededException(f"Cannot exceed quota for {quota}")
            known.append(client_id)
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self) -> ActionResult:
        """Take an audience away; one that isn't there is fine."""
        known, client_id = self._client_ids(), self.params["ClientID"]
        if client_id in known:
            known.remove(client_id)
        return EmptyResult()

    def simulate_principal_policy(self) -> ActionResult:
        """Decide each action on each resource by the role's own policies and its boundary; NoSuchEntity."""
        role = self.backend.get_role_by_arn(self.params["PolicySourceArn"])
        entries = self.params.get("ContextEntries") or []
        context = {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in entries}
        questions = [
            Question(action, resource, context)
            for action in self.params["ActionNames"]
            for resource in self.params.get("ResourceArns") or ["*"]
        ]
        results = [_simulated(question, *role_documents(role)) for question in questions]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    def _client_ids(self) -> list[str]:
        """Return the provider's own list; NoSuchEntity."""
        provider = self.backend.get_open_id_connect_provider(self.params["OpenIDConnectProviderArn"])
        return t.cast("list[str]", provider.client_id_list)


def _simulated(question: Question, documents: t.Iterable[str], limits: t.Iterable[str]) -> dict[str, str]:
    decision = decide(documents, question)
    if decision == "Allow" and any(decide([limit], question) != "Allow" for limit in limits):
        decision = None
    words = {"Allow": "allowed", "Deny": "explicitDeny", None: "implicitDeny"}
    return {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": words[decision],
    }


def install() -> None:
    """Let moto serve this."""
    moto.iam.urls.url_paths["{0}/$"] = LabIamResponse.dispatch
