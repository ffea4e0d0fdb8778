# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuration is compared by what it means in JSON, however it is written."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible_collections.enbuild.eks.plugins.module_utils._addon import configuration
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from hypothesis import given
from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("abc: -#'\"\n", max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)
CONFIGURATIONS = st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, max_size=4)


@given(CONFIGURATIONS)
def test_dictionary_json_and_yaml_mean_the_same(values: dict[str, t.Any]) -> None:
    for text in (
        json.dumps(values),
        json.dumps(values, indent=3),
        yaml.safe_dump(values),
        configuration.written(values),
    ):
        assert configuration.same(configuration.wished(text), values)
        assert configuration.same(configuration.found(text), values)


@given(CONFIGURATIONS, CONFIGURATIONS)
def test_same_is_what_json_says(left: dict[str, t.Any], right: dict[str, t.Any]) -> None:
    assert configuration.same(left, left)
    assert configuration.same(left, right) == configuration.same(right, left)
    if configuration.written(left) == configuration.written(right):
        assert configuration.same(left, right)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 0}, {"a": False}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": None}, {}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, True),
    ],
)
def test_what_is_the_same(one: dict[str, t.Any], other: dict[str, t.Any], equal: bool) -> None:
    assert configuration.same(one, other) == equal


@pytest.mark.parametrize("value", ["", "  \n", "{}", {}, "null", "# nothing\n"])
def test_no_values(value: t.Any) -> None:
    assert configuration.wished(value) == {}


ALIASES = "v0: &v0 [x, x]\n" + "".join(f"v{n + 1}: &v{n + 1} [*v{n}, *v{n}]\n" for n in range(40))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ALIASES, "has aliases"),
        ("[" * 50_000, "nested too deeply"),
        ('{"a": ' * 50_000, "nested too deeply"),
        ("a: " + "x" * 1_000_000, "1,000,003 characters"),
    ],
)
def test_a_few_lines_do_not_become_more_than_memory_holds(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        configuration.wished(text)
    assert configuration.found(text) == {"": text}


def test_unset_is_untouched() -> None:
    assert configuration.wished(None) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [("[1]", "is list"), ("text", "is str 'text'"), (7, "is int 7"), ("{a: [", "neither JSON nor YAML: ")],
)
def test_what_is_no_dictionary_is_refused(value: t.Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        configuration.wished(value)


def test_what_eks_holds_and_nobody_can_read_is_different_from_every_wish() -> None:
    assert configuration.found("{a: [") == {"": "{a: ["}


def test_a_schema_s_words_are_passed_on_with_the_place() -> None:
    schema = json.dumps({"properties": {name: {"type": "integer"} for name in "abcdefg"}, "required": ["a"]})
    with pytest.raises(
        Refused, match=r"doesn't fit the schema of agent v1: \$\.b: '1' is .*; \$: 'a' is a required property"
    ):
        configuration.check("agent", "v1", schema, {"b": "1"})
    with pytest.raises(Refused, match="… and 2 more"):
        configuration.check("agent", "v1", schema, dict.fromkeys("abcdefg", "1"))
    configuration.check("agent", "v1", schema, {"a": 1})
    configuration.check("agent", "v1", "", {"a": "any"})
