# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which policy denies a call that was denied, as far as a role's own policies tell. Pure."""

from __future__ import annotations

import typing as t

from .conditions import as_texts, like

Statement = t.Mapping[str, t.Any]
Documents = t.Mapping[str, t.Mapping[str, t.Any]]
"""Policy documents by the policies' names."""


def why_denied(documents: Documents, action: str, resources: t.Sequence[str]) -> tuple[str, bool]:
    """Return what of ``documents`` denies ``action`` on one of ``resources``, and whether a Deny does.

    "" is returned where they allow it, and something else must deny it: a boundary, a session or bucket policy, or
    the organization.
    """
    named = [(policy, statement) for policy, statement in _all(documents) if _covers(statement, action)]
    for policy, statement in named:
        if statement.get("Effect") == "Deny":
            return f"{_label(policy, statement)} denies {action}", True
    allowing = [(policy, statement) for policy, statement in named if statement.get("Effect") == "Allow"]
    if any(all(_about(statement, each) for each in resources) for _policy, statement in allowing):
        return "", False
    return (_too_narrow(action, resources, allowing) if allowing else f"no policy of the role allows {action}"), False


def _too_narrow(action: str, resources: t.Sequence[str], allowing: t.Sequence[tuple[str, Statement]]) -> str:
    policy, statement = allowing[0]
    given = ", ".join(as_texts(statement.get("Resource", statement.get("NotResource", ()))))
    text = f"{_label(policy, statement)} allows {action} on {given} alone, "
    if list(resources) == ["*"]:
        return text + 'but the call is about no resource of that kind: it is granted on Resource "*" or not at all'
    return text + f"and not on {', '.join(resources)}"


def _all(documents: Documents) -> t.Iterator[tuple[str, Statement]]:
    for policy, document in documents.items():
        statements = document.get("Statement") or []
        for statement in statements if isinstance(statements, list) else [statements]:
            yield policy, statement


def _label(policy: str, statement: Statement) -> str:
    return f"policy {policy}" + (f", statement {statement['Sid']}," if statement.get("Sid") else "")


def _covers(statement: Statement, action: str) -> bool:
    patterns = as_texts(statement.get("Action", statement.get("NotAction", ())))
    listed = any(like(pattern.lower(), action.lower()) for pattern in patterns)
    return listed != ("NotAction" in statement)


def _about(statement: Statement, resource: str) -> bool:
    patterns = as_texts(statement.get("Resource", statement.get("NotResource", ())))
    return any(like(pattern, resource) for pattern in patterns) != ("NotResource" in statement)
