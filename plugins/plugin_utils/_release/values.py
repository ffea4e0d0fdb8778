# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm values: read, merged and compared. Pure; no message has a value in it."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

import yaml

from ...module_utils._core.plan import Refused
from .model import Values

MOST = 100_000
"""Values in one file or variable; YAML's aliases can make more of a few lines than memory holds."""


def parse(where: str, content: t.Any) -> Values:
    """Return ``content``, a dictionary or YAML text of one, as values; ``where`` names it in a refusal.

    Nothing, null and an empty text are no values.
    """
    found = _loaded(where, content) if isinstance(content, str) else content
    if not found:
        return {}
    if not isinstance(found, t.Mapping):
        example = "such as enbuildUI: {replicas: 2}"
        raise Refused(f"{where} is {_kind(found)}; Helm values are a dictionary, {example}.")
    return t.cast("Values", _Plain(where).of(found))


def _loaded(where: str, text: str) -> t.Any:
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise Refused(f"{where} is not YAML: {_place(error)}{_problem(error)}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Refused(f"{where} is not YAML.") from None


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What the parser says, without what it quotes."""
    return unquoted(error.problem or "it can't be parsed")


def unquoted(text: str) -> str:
    """Return ``text`` without what it quotes: that may be a value."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", text)


def _kind(found: t.Any) -> str:
    return {list: "a list", str: "text", bool: "true or false"}.get(type(found), "a single value")


class _Plain:
    """Values as JSON would have them after Helm read them: text keys, dates as text."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._left = MOST

    def of(self, value: t.Any) -> t.Any:
        self._left -= 1
        if self._left < 0:
            raise Refused(f"{self._where} has more than {MOST} values, as YAML's aliases make them.")
        if isinstance(value, t.Mapping):
            return {_key(key): self.of(each) for key, each in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.of(each) for each in value]
        return self._scalar(value)

    def _scalar(self, value: t.Any) -> t.Any:
        if isinstance(value, (datetime.date, datetime.datetime)):
            return value.isoformat()
        if isinstance(value, bytes):
            raise Refused(f"{self._where} has binary data, which Helm values can't hold.")
        return str(value) if isinstance(value, str) else value


def _key(key: t.Any) -> str:
    """A key as Helm reads it: YAML 1.1 takes a bare ``on`` for true."""
    return json.dumps(key) if key is None or isinstance(key, bool) else str(key)


def merge(layers: t.Iterable[Values]) -> dict[str, t.Any]:
    """Return all ``layers``, each over the one before: dictionaries are merged, anything else is replaced."""
    merged: dict[str, t.Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            both = isinstance(below, t.Mapping) and isinstance(value, t.Mapping)
            merged[key] = merge(t.cast("list[Values]", [below, value])) if both else value
    return merged


def differing(before: t.Any, after: t.Any, path: str = "") -> t.Iterator[str]:
    """Paths of the values that differ, in order, without what they hold."""
    old, new = ({} if each is None else each for each in (before, after))
    if isinstance(old, t.Mapping) and isinstance(new, t.Mapping):
        for key in sorted({*old, *new}):
            yield from differing(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield path


def switches(ai: bool | None, ctf: bool | None) -> dict[str, t.Any]:
    """The values that the guide sets: its services, and a service account of its own for each; None sets nothing."""
    on: dict[str, t.Any] = {}
    if ai is not None:
        on = merge([on, {"lightning_features": {"deploy_lightning": {"ai_lightning": ai}}, "enbuildAI": _account(ai)}])
    if ctf is not None:
        on = merge([on, {"lightning_features": {"secure_lightning": {"ctf": ctf}}, "enbuildCTF": _account(ctf)}])
    return on


def _account(create: bool) -> dict[str, t.Any]:
    return {"serviceAccount": {"create": create}}


def host_network(held: Values, on: bool | None) -> dict[str, t.Any]:
    """The guide's value for the CTF service in its node's network, where that differs. The chart's own is off."""
    before = (held.get("enbuildCTF") or {}).get("hostNetwork") or False
    return {} if on is None or before == on else {"enbuildCTF": {"hostNetwork": on}}
