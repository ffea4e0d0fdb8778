# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM's condition operators."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from datetime import UTC, datetime

Context = t.Mapping[str, str | t.Sequence[str]]
"""Condition key to its value or values in the request. Keys are compared without case."""

Test = t.Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def wildcard(pattern: str, value: str, ignore_case: bool = False) -> bool:
    """Say whether ``value`` matches ``pattern``, in which * is any text and ? any character."""
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def arn_like(pattern: str, value: str) -> bool:
    """Compare two ARNs part by part, so that * doesn't reach over a colon (except in the last part)."""
    parts, values = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(values) == 6 and all(map(wildcard, parts, values))


def substitute(text: str, context: Context) -> str:
    """Replace policy variables such as ``${aws:username}`` by their values in ``context``."""

    def value(match: re.Match[str]) -> str:
        found = _values(match[1], context)
        return found[0] if found else match[0]

    return _VARIABLE.sub(value, text)


def _instant(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _in_network(wanted: str, found: str) -> bool:
    return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)


def _ordered(convert: t.Callable[[str], t.Any], prefix: str) -> dict[str, Test]:
    return {
        f"{prefix}equals": lambda wanted, found: bool(convert(found) == convert(wanted)),
        f"{prefix}lessthan": lambda wanted, found: bool(convert(found) < convert(wanted)),
        f"{prefix}lessthanequals": lambda wanted, found: bool(convert(found) <= convert(wanted)),
        f"{prefix}greaterthan": lambda wanted, found: bool(convert(found) > convert(wanted)),
        f"{prefix}greaterthanequals": lambda wanted, found: bool(convert(found) >= convert(wanted)),
    }


_TESTS: dict[str, Test] = {
    "stringequals": lambda wanted, found: wanted == found,
    "stringequalsignorecase": lambda wanted, found: wanted.lower() == found.lower(),
    "stringlike": wildcard,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "bool": lambda wanted, found: wanted.lower() == found.lower(),
    "ipaddress": _in_network,
    "binaryequals": lambda wanted, found: wanted == found,
    **_ordered(float, "numeric"),
    **_ordered(_instant, "date"),
}

_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


def hold(conditions: t.Mapping[str, t.Mapping[str, t.Any]], context: Context, unknown: tuple[str, ...] = ()) -> bool:
    """Say whether all ``conditions`` of a statement hold; keys that start like one in ``unknown`` are taken to hold."""
    return all(
        key.lower().startswith(unknown or ("\0",)) or _holds(operator.lower(), key, wanted, context)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: t.Any, context: Context) -> bool:
    found = _values(key, context)
    accepted = [substitute(str(value), context) for value in (wanted if isinstance(wanted, list) else [wanted])]
    if operator == "null":
        return (not found) == (accepted[0].lower() == "true")
    quantifier, _unused, name = operator.rpartition(":")
    optional = name.endswith("ifexists")
    name = name[: -len("ifexists")] if optional else name
    if not found:
        return optional or quantifier == "forallvalues" or (name in _NEGATED and not quantifier)
    return _compare(quantifier, name, accepted, found)


def _compare(quantifier: str, name: str, accepted: list[str], found: list[str]) -> bool:
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None:
        return False
    results = [any(_safely(test, want, value) for want in accepted) != (name in _NEGATED) for value in found]
    return all(results) if quantifier != "foranyvalue" else any(results)


def _safely(test: Test, wanted: str, found: str) -> bool:
    try:
        return test(wanted, found)
    except ValueError:
        return False


def _values(key: str, context: Context) -> list[str]:
    for name, value in context.items():
        if name.lower() == key.lower():
            return [value] if isinstance(value, str) else list(value)
    return []
