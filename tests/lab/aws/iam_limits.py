# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM refuses and moto takes: bad names, malformed trust policies, policies over the quotas."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, iam_backends
from moto.utilities.utils import get_partition

from .operations import Call
from .principals import Principal
from .wire_error import CallRefused

TRUST_SIZE = 2048
MANAGED_SIZE = 6144
INLINE_SIZE = {"role": 10240, "user": 2048, "group": 5120}
"""Characters that all inline policies of one owner have together."""
ATTACHED = 10
"""Managed policies to a role, user or group."""

_NAMES = {"RoleName": 64, "UserName": 64, "GroupName": 128, "PolicyName": 128, "InstanceProfileName": 128}
_OWNERS = {"RoleName": "role", "UserName": "user", "GroupName": "group"}
_TRUSTS = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}
_NAME = r"[\w+=,.@-]+"
_NAME_RULE = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
_PATH_RULE = "It must begin and end with / and contain only alphanumeric characters and/or / characters."


@dataclass(frozen=True)
class _Text:
    """A parameter's rule: how long it may be, which pattern it fits, and what IAM says where it doesn't."""

    parameter: str
    longest: int
    pattern: str
    rule: str = ""


_TEXTS = (
    *(_Text(parameter, longest, _NAME, _NAME_RULE) for parameter, longest in _NAMES.items()),
    _Text("Path", 512, r"/|/[!-\x7f]+/", _PATH_RULE),
    _Text("Description", 1000, r"[\t\n\r\x20-\x7e\xa1-\xff]*"),
)


def check(call: Call, principal: Principal) -> None:
    """Let an IAM call pass if IAM would take what it says; CallRefused."""
    if call.service != "iam":
        return
    _check_parameters(call.parameters)
    backend = iam_backends[principal.account_id][get_partition(call.region)]
    _check_new_name(call, backend)
    _check_trust(call)
    _check_inline(call, backend)
    _check_managed(call, backend)


def _check_parameters(given: dict[str, t.Any]) -> None:
    for text in _TEXTS:
        if text.parameter in given:
            _check_text(text, str(given[text.parameter]))
    seconds = given.get("MaxSessionDuration")
    if seconds is not None and int(seconds) > 43200:
        raise _invalid(seconds, "maxSessionDuration", "value less than or equal to 43200")


def _check_text(text: _Text, value: str) -> None:
    shown = text.parameter[0].lower() + text.parameter[1:]
    if len(value) > text.longest:
        raise _invalid(value, shown, f"length less than or equal to {text.longest}")
    if not re.fullmatch(text.pattern, value, re.ASCII):
        message = f"The specified value for {shown} is invalid. {text.rule}".rstrip()
        raise CallRefused("ValidationError", 400, message)


def _check_new_name(call: Call, backend: IAMBackend) -> None:
    """IAM keeps a name's case and ignores it in comparisons."""
    name = str(call.parameters.get("RoleName", ""))
    taken = {role.name.lower() for role in list(backend.roles.values())}
    if call.name == "CreateRole" and name.lower() in taken:
        raise CallRefused("EntityAlreadyExists", 409, f"Role with name {name} already exists.")


def _check_trust(call: Call) -> None:
    if call.name not in _TRUSTS:
        return
    document = str(call.parameters.get(_TRUSTS[call.name], ""))
    if call.name == "CreateRole":  # Moto checks those of an update.
        _check_statements(document)
    if size(document) > TRUST_SIZE:
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}")


def _check_statements(document: str) -> None:
    try:
        parsed = json.loads(document)
    except ValueError as error:
        raise _malformed("This policy contains invalid Json") from error
    statements = parsed.get("Statement") if isinstance(parsed, dict) else None
    listed = [statements] if isinstance(statements, dict) else statements
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _malformed("Syntax errors in policy.")
    for statement in listed:
        if "Principal" not in statement and "Resource" in statement:
            raise _malformed("Has prohibited field Resource")
        if not {"Principal", "NotPrincipal"} & statement.keys():
            raise _malformed("Missing required field Principal")


def _check_inline(call: Call, backend: IAMBackend) -> None:
    given = call.parameters
    parameter, kind = next(((key, kind) for key, kind in _OWNERS.items() if key in given), ("", ""))
    if call.name != f"Put{kind.capitalize()}Policy":
        return
    owner = _owner(backend, kind, given[parameter])
    others = (text for name, text in owner.policies.items() if name != given["PolicyName"]) if owner else ()
    if size(given["PolicyDocument"]) + sum(map(size, others)) > INLINE_SIZE[kind]:
        raise _exceeded(f"Maximum policy size of {INLINE_SIZE[kind]} bytes exceeded for {kind} {given[parameter]}")


def _check_managed(call: Call, backend: IAMBackend) -> None:
    given = call.parameters
    if call.name in ("CreatePolicy", "CreatePolicyVersion") and size(given["PolicyDocument"]) > MANAGED_SIZE:
        raise _exceeded(f"Cannot exceed quota for PolicySize: {MANAGED_SIZE}")
    for parameter, kind in _OWNERS.items():
        if call.name == f"Attach{kind.capitalize()}Policy":
            owner = _owner(backend, kind, given[parameter])
            attached = set(owner.managed_policies) if owner else set()
            if len(attached | {given["PolicyArn"]}) > ATTACHED:
                raise _exceeded(f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: {ATTACHED}")


def size(document: t.Any) -> int:
    """Return how long IAM finds a policy: white space isn't counted."""
    return len(re.sub(r"\s", "", document if isinstance(document, str) else json.dumps(document)))


def _owner(backend: IAMBackend, kind: str, name: str) -> t.Any:
    """Return moto's role, user or group, or None; then moto says so."""
    try:
        return getattr(backend, f"get_{kind}")(name)
    except NotFoundException:
        return None


def _invalid(value: t.Any, parameter: str, constraint: str) -> CallRefused:
    message = f"Value '{value}' at '{parameter}' failed to satisfy constraint: Member must have {constraint}"
    return CallRefused("ValidationError", 400, f"1 validation error detected: {message}")


def _malformed(message: str) -> CallRefused:
    return CallRefused("MalformedPolicyDocument", 400, message)


def _exceeded(message: str) -> CallRefused:
    return CallRefused("LimitExceeded", 409, message)
