# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IRSA's half of STS: a service account's token, taken for an identity that IAM knows and a role trusts."""

from __future__ import annotations

import time
import typing as t

from joserfc.errors import JoseError
from moto.iam.models import iam_backends

from . import tokens
from .kubernetes_api import KubernetesUnreachable
from .operations import Call
from .policies import Question, trusts
from .principals import find_role
from .state import Lab
from .wire_error import CallRefused

ACTION = "sts:AssumeRoleWithWebIdentity"


def asked(call: Call) -> bool:
    """Whether it is the operation that nobody signs."""
    return (call.service, call.name) == ("sts", "AssumeRoleWithWebIdentity")


def check(lab: Lab, call: Call) -> None:
    """Let the call pass if the role of the request trusts who the token says; CallRefused."""
    role_arn = str(call.parameters.get("RoleArn", ""))
    said = _claims(lab, str(call.parameters.get("WebIdentityToken", "")))
    issuer = str(said.get("iss", "")).removeprefix("https://")
    provider = _provider(role_arn, issuer)
    audiences = said["aud"] if isinstance(said.get("aud"), list) else [said.get("aud", "")]
    if provider is None:
        raise _invalid(f"No OpenIDConnect provider found in your account for {said.get('iss')}")
    if not set(audiences) & set(provider.client_id_list):
        raise _invalid("Incorrect token audience")
    role = find_role(role_arn)
    context = {f"{issuer}:sub": str(said.get("sub", "")), f"{issuer}:aud": audiences}
    question = Question(ACTION, role_arn, context)
    document = role.assume_role_policy_document if role else "{}"
    if trusts(document, question, "Federated", {provider.arn}) != "Allow":
        raise CallRefused("AccessDenied", 403, f"Not authorized to perform {ACTION}")


def _claims(lab: Lab, token: str) -> dict[str, t.Any]:
    try:
        said = tokens.claims(token, lab.kubernetes)
    except (JoseError, ValueError) as error:
        raise _invalid("The ID Token provided is not a valid JWT") from error
    except KubernetesUnreachable as error:
        raise CallRefused("IDPCommunicationError", 400, str(error)) from error
    if said.get("exp", 0) <= time.time():
        raise CallRefused("ExpiredTokenException", 400, "Token expired")
    return said


def _provider(role_arn: str, issuer: str) -> t.Any:
    parts = role_arn.split(":")
    if len(parts) != 6:
        return None
    return iam_backends[parts[4]][parts[1]].open_id_providers.get(
        f"arn:{parts[1]}:iam::{parts[4]}:oidc-provider/{issuer}"
    )


def _invalid(message: str) -> CallRefused:
    return CallRefused("InvalidIdentityToken", 400, message)
