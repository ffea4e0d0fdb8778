# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a principal may do: IAM's policies, enforced for every call."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from .conditions import Context
from .operations import Call
from .policies import Question, decide, trusts
from .principals import Principal, find_role
from .requirements import Requirement, required
from .wire_error import denied


def authorize(call: Call, principal: Principal) -> list[Requirement]:
    """Return what the call needed, all of it granted; CallRefused (access denied) names what isn't."""
    common = request_context(call, principal)
    needs = required(call, principal)
    for need in needs:
        reason = _refusal(call, principal, need, {**common, **need.context})
        if reason:
            raise denied(call, _sentence(principal, need, reason))
    return needs


def request_context(call: Call, principal: Principal) -> Context:
    """Return the condition keys that every request has."""
    now = datetime.now(UTC)
    tags = _request_tags(call)
    return {
        "aws:PrincipalArn": principal.role_arn or principal.arn,
        "aws:PrincipalAccount": principal.account_id,
        "aws:PrincipalType": "AssumedRole" if principal.role_arn else "User",
        "aws:userid": principal.user_id,
        **({"aws:username": principal.name} if principal.name else {}),
        "aws:RequestedRegion": call.region,
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SecureTransport": "false",
        "aws:SourceIp": "127.0.0.1",
        **{f"aws:PrincipalTag/{key}": value for key, value in principal.tags.items()},
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        **({"aws:TagKeys": list(tags)} if tags else {}),
    }


def _request_tags(call: Call) -> dict[str, str]:
    given: t.Any = call.parameters.get("tags") or call.parameters.get("Tags") or {}
    if isinstance(given, dict):
        return dict(given)
    return {item["Key"]: item.get("Value", "") for item in given if isinstance(item, dict) and "Key" in item}


def _refusal(call: Call, principal: Principal, need: Requirement, context: Context) -> str:
    """Return why ``need`` isn't granted, or an empty text."""
    question = Question(need.action, need.resource, context)
    own = decide(principal.documents, question)
    if own == "Deny":
        return "with an explicit deny in an identity-based policy"
    for limit in principal.limits:
        if decide([limit], question) != "Allow":
            return f"because no session policy or permissions boundary allows the {need.action} action"
    if call.service == "sts" and call.name.startswith("AssumeRole"):
        keys = {"ExternalId": "sts:ExternalId", "RoleSessionName": "sts:RoleSessionName"}
        extra = {key: str(call.parameters[name]) for name, key in keys.items() if name in call.parameters}
        asked = Question(need.action, need.resource, {**context, **extra})
        return "" if may_assume(principal, asked) else _silence(need, "role trust")
    return "" if own == "Allow" else _silence(need, "identity-based")


def _silence(need: Requirement, kind: str) -> str:
    return f"because no {kind} policy allows the {need.action} action"


def may_assume(principal: Principal, question: Question) -> bool:
    """A role lets in whom its trust names; the caller's account as a whole only with a policy of the caller's own."""
    role = find_role(question.resource)
    if role is None:
        return False
    known = {"aws:PrincipalArn": principal.role_arn or principal.arn, "aws:PrincipalAccount": principal.account_id}
    asked = Question(question.action, question.resource, {**known, **question.context})
    own = decide(principal.documents, asked)
    document = role.assume_role_policy_document
    if own == "Allow":
        return trusts(document, asked, "AWS", principal.known_as | principal.account_root) == "Allow"
    same_account = question.resource.split(":")[4] == principal.account_id
    return own is None and same_account and trusts(document, asked, "AWS", principal.known_as) == "Allow"


def _sentence(principal: Principal, need: Requirement, reason: str) -> str:
    where = "" if need.resource == "*" else f" on resource: {need.resource}"
    return f"User: {principal.arn} is not authorized to perform: {need.action}{where} {reason}"
