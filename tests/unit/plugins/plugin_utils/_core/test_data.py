# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._core.data import read, read_dictionary, read_list

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, None),
        ("", None),
        (" \n", None),
        ("{a: 1}", {"a": 1}),
        ([1], [1]),
        ("true", True),
        ("- a\n- b", ["a", "b"]),
    ],
)
def test_text_is_yaml_and_data_stays(value: t.Any, data: t.Any) -> None:
    assert read("x", value) == data


def test_aliases_are_refused() -> None:
    with pytest.raises(Refused, match=r"^answer is not YAML: anchors and aliases"):
        read("answer", BOMB)


@pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 50_000, "- " * 50_000])
def test_nesting_without_an_end_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"^answer is not YAML: it is nested too deeply\.$"):
        read("answer", text)


def test_too_much_text_is_refused() -> None:
    with pytest.raises(Refused, match="answer has 1000001 characters"):
        read("answer", " " * 1_000_001)


def test_a_mistake_has_a_place_and_quotes_nothing() -> None:
    with pytest.raises(Refused, match=r"answer is not YAML \(line 2, column \d+\)") as refusal:
        read("answer", "password: s3cret\n  token: : [x")
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("value", ["2026-99-99", "a: !!int hunter2", "[" * 5000, "a: !hunter2", "!!python/hunter2 {}"])
def test_values_that_cannot_be_read_are_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(Refused, match="answer is not YAML") as refusal:
        read("answer", value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(("value", "items"), [(None, []), ("acme", ["acme"]), ("[a, b]", ["a", "b"]), (["a"], ["a"])])
def test_a_single_value_is_a_list_of_one(value: t.Any, items: list[str]) -> None:
    assert read_list("x", value) == items


@pytest.mark.parametrize(("value", "items"), [(None, {}), ("", {}), ([], {}), ("{a: 1}", {"a": 1})])
def test_nothing_is_an_empty_dictionary(value: t.Any, items: dict[str, t.Any]) -> None:
    assert read_dictionary("x", value, "{}") == items


def test_something_else_is_no_dictionary() -> None:
    with pytest.raises(Refused, match=r"tags is a str, and has to be a dictionary, for example \{team: shop\}"):
        read_dictionary("tags", "replicas", "{team: shop}")
