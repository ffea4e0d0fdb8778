# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EKS checks of a request before it looks at its own state."""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t

from botocore.model import Shape, StructureShape

from .eks_errors import EksError, invalid_parameter

MAX_TAGS = 50
MAX_POLICY = 2048
"""Characters of a session policy."""
PAGE = 100

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/[\w+=,.@/-]+")


def check_parameters(shape: Shape | None, parameters: t.Mapping[str, t.Any]) -> None:
    """Check what botocore's model says of an operation's input, which clients check in part only (EksError)."""
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if parameters.get(name) in (None, ""):
                raise invalid_parameter(f"{name} is required")
        for name, value in parameters.items():
            if value is not None:
                _check_value(name, shape.members[name], value)


def _check_value(name: str, shape: Shape, value: t.Any) -> None:
    rules = shape.metadata
    size = value if isinstance(value, int) else len(value) if hasattr(value, "__len__") else 0
    if name != "tags" and not rules.get("min", size) <= size <= rules.get("max", size):
        raise invalid_parameter(f"{name} is out of its range, {rules.get('min', 0)} to {rules.get('max')}")
    if isinstance(value, str) and "enum" in rules and value not in rules["enum"]:
        raise invalid_parameter(f"{name} must be one of {', '.join(rules['enum'])}")
    if isinstance(shape, StructureShape):
        check_parameters(shape, value)


def check_tags(tags: t.Mapping[str, str], error: t.Callable[[str], EksError] = invalid_parameter) -> None:
    """Check the limits of a resource's tags (EksError made by ``error``)."""
    if len(tags) > MAX_TAGS:
        raise error(f"A resource can have at most {MAX_TAGS} tags")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise error(f"Tag keys must not start with aws: ({key})")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise error(f"Tag keys have 1 to 128 characters, values at most 256 ({key[:128]})")


def check_session_policy(policy: str) -> None:
    """Check that ``policy`` could be given to sts:AssumeRole (EksError)."""
    if len(policy) > MAX_POLICY:
        raise invalid_parameter(f"The policy must have at most {MAX_POLICY} characters")
    try:
        parsed = json.loads(policy)
    except ValueError as error:
        raise invalid_parameter("The policy is not valid JSON") from error
    if not isinstance(parsed, dict) or "Statement" not in parsed:
        raise invalid_parameter("The policy is not a valid IAM policy document")


def account_of_role(role_arn: str) -> str:
    """Return the account in a role's ARN (EksError if it is no role's ARN)."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if not match:
        raise invalid_parameter(f"Invalid role ARN: {role_arn}")
    return match["account"]


T = t.TypeVar("T")


def page(
    items: t.Sequence[T], key: t.Callable[[T], t.Any], parameters: t.Mapping[str, t.Any]
) -> tuple[list[T], str | None]:
    """Return one page of ``items``, sorted by ``key``, and the token of the next. Deletions don't shift pages."""
    after = _decode(parameters["nextToken"]) if parameters.get("nextToken") else None
    rest = sorted((item for item in items if after is None or key(item) > after), key=key)
    size = int(parameters.get("maxResults") or PAGE)
    found = rest[:size]
    return found, _encode(key(found[-1])) if len(rest) > size else None


def _encode(position: t.Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _decode(token: str) -> t.Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise invalid_parameter("Invalid nextToken") from error
