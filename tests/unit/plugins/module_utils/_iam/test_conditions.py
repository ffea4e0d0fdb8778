# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM's wildcards: what they match, and how much work a hostile pattern makes."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.conditions import arn_like, like

ROLE = "arn:aws:iam::123456789012:role/ai"


class Counted(str):
    """A text that counts how often a character of it is looked at."""

    __slots__ = ("looks",)

    def __init__(self, _text: str) -> None:
        self.looks = 0

    def __getitem__(self, index: t.Any) -> str:
        self.looks += 1
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("**", "anything", True),
        ("?", "", False),
        ("?", "a", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("a*c", "abcbc", True),
        ("a*b?d", "aXbbcd", True),
        ("a*b?d", "aXbcdd", False),
        ("*ab*ab", "ab", False),
        ("*ab*ab", "abab", True),
        ("s.s", "sts", False),
        ("[a]", "a", False),
        ("a*z", "a\nz", True),
        ("${*}", "*", True),
        ("${*}", "a", False),
        ("a${?}", "a?", True),
        ("a${?}", "ab", False),
        ("${$}*", "$price", True),
    ],
)
def test_wildcards(pattern: str, text: str, matches: bool) -> None:
    assert like(pattern, text) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*a" * 1000 + "b", False),
        ("*a" * 100 + "b", False),
        ("a*" * 100, True),
        ("*" * 2000 + "b", False),
        ("*" + "a" * 200 + "b", False),
        ("*" + "?" * 200 + "b*", False),
        ("?" * 5000, False),
    ],
)
def test_a_hostile_pattern_costs_no_more_than_the_square_of_the_text(pattern: str, matches: bool) -> None:
    text = Counted("a" * 300)
    assert like(pattern, text) is matches
    assert text.looks <= len(text) ** 2


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (ROLE, True),
        ("arn:aws:iam::*:role/*", True),
        ("arn:aws:iam::*", False),
        ("arn:*:role/ai", False),
        ("*", False),
        ("arn:aws:iam::123456789012:role/" + "*a" * 500 + "*i", False),
    ],
)
def test_a_wildcard_stays_in_its_part_of_an_arn(pattern: str, matches: bool) -> None:
    assert arn_like(pattern, ROLE) is matches
