# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the conditions of an IAM statement hold, as far as that can be known. Standard library only.

Verdicts are three-valued: True, False, and None for what can't be known here.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

Verdict: t.TypeAlias = "bool | None"
Values: t.TypeAlias = "tuple[str, ...] | None"
"""Values of a condition key: () for a key that isn't sent, None for one that is unknown."""

_OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{(?!\*\}|\?\}|\$\})")
_TOKEN = re.compile(r"\$\{(?P<literal>[*?$])\}|(?P<any>.)", re.DOTALL)
_ANY, _ONE, _END = "any run", "any one", "the end"
"""Tokens of a pattern that no single character equals."""
_WILDCARDS = {"*": _ANY, "?": _ONE}


@dataclass(frozen=True)
class Test:
    """One key of one operator of a statement's Condition."""

    operator: str
    key: str
    wanted: tuple[str, ...]
    actual: Values
    verdict: Verdict


def evaluate(condition: t.Any, lookup: t.Callable[[str], Values]) -> list[Test]:
    """Return every test of ``condition``, judged by what ``lookup`` returns for a key in lower case."""
    if not isinstance(condition, t.Mapping):
        return []
    return [
        _test(operator, key, as_texts(wanted), lookup(key.lower()))
        for operator, keys in condition.items()
        if isinstance(keys, t.Mapping)
        for key, wanted in keys.items()
    ]


def _test(operator: str, key: str, wanted: tuple[str, ...], actual: Values) -> Test:
    return Test(operator, key, wanted, actual, _judge(operator, wanted, actual))


def together(verdicts: t.Iterable[Verdict]) -> Verdict:
    """All must hold: False if one doesn't, else None if one is unknown, else True."""
    seen = set(verdicts)
    return False if False in seen else None if None in seen else True


def as_texts(value: t.Any) -> tuple[str, ...]:
    """Return a value of a policy, single or list, as text; booleans as IAM writes them."""
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


def like(pattern: str, text: str) -> bool:
    """Match IAM's wildcards ``*`` and ``?``, in at most the square of the text's length whatever the pattern is."""
    tokens = _tokens(pattern)
    if len(tokens) - tokens.count(_ANY) > len(text):
        return False
    return _matches([*tokens, _END], text)


def arn_like(pattern: str, text: str) -> bool:
    """Match an ARN: each of the six parts by itself, so that a wildcard doesn't reach past a colon."""
    patterns, parts = pattern.split(":", 5), text.split(":", 5)
    return len(patterns) == len(parts) and all(map(like, patterns, parts))


def _tokens(pattern: str) -> list[str]:
    """The characters and wildcards of a pattern, each run of ``*`` once."""
    tokens: list[str] = []
    for found in _TOKEN.finditer(pattern):
        token = found["literal"] or _WILDCARDS.get(found["any"], found["any"])
        if not (token == _ANY and tokens[-1:] == [_ANY]):
            tokens.append(token)
    return tokens


def _matches(tokens: t.Sequence[str], text: str) -> bool:
    """Only the last ``*`` is ever tried anew: what an earlier one took can stay as it is."""
    token = at = 0
    retry: tuple[int, int] | None = None
    while at < len(text):
        if tokens[token] == _ANY:
            token += 1
            retry = token, at
        elif tokens[token] in (_ONE, text[at]):
            token, at = token + 1, at + 1
        elif retry is None:
            return False
        else:
            token, at = retry = retry[0], retry[1] + 1
    return tokens[token] == _END or tokens[token:] == [_ANY, _END]


def _equals(wanted: str, text: str) -> bool:
    return wanted == text


def _equals_ignoring_case(wanted: str, text: str) -> bool:
    return wanted.lower() == text.lower()


_COMPARISONS: dict[str, t.Callable[[str, str], bool]] = {
    "stringequals": _equals,
    "stringequalsignorecase": _equals_ignoring_case,
    "stringlike": like,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "bool": _equals_ignoring_case,
}
"""By operator without Not. ArnEquals takes wildcards, as ArnLike does."""


def _judge(operator: str, wanted: tuple[str, ...], actual: Values) -> Verdict:
    match = _OPERATOR.fullmatch(operator)
    if match is None or actual is None:
        return None
    quantifier, name, if_exists = (part.lower() if part else "" for part in match.groups())
    if name == "null":
        return (not actual) == (wanted[:1] == ("true",))
    compare = _COMPARISONS.get(name.replace("not", "", 1))
    if compare is None or any(map(_VARIABLE.search, wanted)):
        return None
    if not actual:
        return bool(if_exists) or "not" in name or quantifier == "forallvalues"
    return _compare(compare, wanted, actual, "not" in name, quantifier)


def _compare(
    compare: t.Callable[[str, str], bool],
    wanted: tuple[str, ...],
    actual: tuple[str, ...],
    negated: bool,
    quantifier: str,
) -> bool:
    matches = [any(compare(want, value) for want in wanted) != negated for value in actual]
    return any(matches) if quantifier == "foranyvalue" else all(matches)
