# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy documents compared by meaning, and merged by statement. No boto3, no AnsibleModule."""

from __future__ import annotations

import json
import re
import typing as t

from .._core.plan import Refused
from .trust_policy import Document, added, statements

Statement = t.Mapping[str, t.Any]

OLDEST = "2008-10-17"
"""The version of a policy that names none; it knows no variables."""
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


def same(one: Statement, other: Statement) -> bool:
    """Whether two documents say the same: the order of statements and lists, and lists of one, make no difference."""
    return _version(one) == _version(other) and _set(statements(one)) == _set(statements(other))


def lacking(document: Statement, more: Statement) -> list[Statement]:
    """The statements of ``more`` that ``document`` doesn't have; names of statements (Sid) make no difference."""
    there = _set(_unnamed(each) for each in statements(document))
    return [each for each in statements(more) if not _set([_unnamed(each)]) <= there]


def grown(document: Statement, more: Statement) -> Document:
    """``document`` with the statements of ``more`` that it lacks; it keeps all that it has.

    ``Refused`` where the statements use variables, and the document's version has none.
    """
    missing = lacking(document, more)
    if not missing:
        return dict(document)
    if "${" in json.dumps(missing) and _version(document) != _version(more):
        raise Refused(f"a statement with variables needs Version {_version(more)}, and it has {_version(document)}")
    return added(document, {"Statement": missing})


def _version(document: Statement) -> str:
    return str(document.get("Version") or OLDEST)


def _unnamed(statement: Statement) -> dict[str, t.Any]:
    return {key: value for key, value in statement.items() if key != "Sid"}


def _set(items: t.Iterable[Statement]) -> set[str]:
    return {json.dumps(_plain(item), sort_keys=True) for item in items}


def _plain(value: t.Any, key: str = "") -> t.Any:
    """``value`` in the one form that stands for all that mean the same."""
    if isinstance(value, t.Mapping):
        return {name: _plain(each, name) for name, each in value.items()}
    if key in ("Principal", "NotPrincipal"):
        return {"AWS": ["*"]}
    items = value if isinstance(value, list) else [value]
    return sorted({_text(item) for item in items})


def _text(value: t.Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _ROOT.sub(r"\1", text)
