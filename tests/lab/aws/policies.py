# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM policy documents allow and deny."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from functools import lru_cache

from .conditions import Context, hold, substitute, wildcard

Statement = t.Mapping[str, t.Any]
Decision = t.Literal["Allow", "Deny", None]


@dataclass(frozen=True)
class Question:
    """May this be done? ``unknown``: prefixes of condition keys that aren't known yet and are taken to hold."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def decide(documents: t.Iterable[str], question: Question) -> Decision:
    """Return what identity policies say together: Deny wins over Allow, None is silence."""
    decision: Decision = None
    for document in documents:
        for statement in statements(document):
            if _about_action(statement, question) and _about_resource(statement, question):
                if statement.get("Effect") == "Deny":
                    return "Deny"
                decision = "Allow"
    return decision


def trusts(document: str, question: Question, kind: str, names: t.Collection[str]) -> Decision:
    """Return what a trust policy says about a principal of ``kind`` (AWS, Service) known by ``names``."""
    decision: Decision = None
    for statement in statements(document):
        if _about_action(statement, question) and _about_principal(statement, kind, names):
            if statement.get("Effect") == "Deny":
                return "Deny"
            decision = "Allow"
    return decision


@lru_cache(maxsize=4096)
def statements(document: str) -> tuple[Statement, ...]:
    """Return the statements of a policy document; ValueError if it isn't one."""
    parsed = json.loads(document)
    found = parsed.get("Statement", []) if isinstance(parsed, dict) else None
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(statement, dict) for statement in found):
        raise ValueError("a policy document is an object with statements")
    return tuple(found)


def _about_action(statement: Statement, question: Question) -> bool:
    if "NotAction" in statement:
        named = not _any(statement["NotAction"], question.action)
    else:
        named = _any(statement.get("Action", []), question.action)
    return named and hold(statement.get("Condition", {}), question.context, question.unknown)


def _any(patterns: t.Any, action: str) -> bool:
    return any(wildcard(pattern, action, ignore_case=True) for pattern in _list(patterns))


def _about_resource(statement: Statement, question: Question) -> bool:
    inverted = "NotResource" in statement
    patterns = _list(statement["NotResource"] if inverted else statement.get("Resource", []))
    found = any(wildcard(substitute(pattern, question.context), question.resource) for pattern in patterns)
    return found != inverted


def _about_principal(statement: Statement, kind: str, names: t.Collection[str]) -> bool:
    principal = statement.get("Principal")
    if principal == "*":
        return kind == "AWS"
    listed = _list(principal.get(kind, [])) if isinstance(principal, dict) else []
    return any(name in names or (name == "*" and kind == "AWS") for name in listed)


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [value]
