# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values are read and merged as Helm would, compared by path, and quoted in no refusal."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.values import differing, merge, parse

SECRET = "hunter2-secret"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize("nothing", [None, "", "  \n", {}, "{}", "null"])
def test_nothing_is_no_values(nothing: t.Any) -> None:
    assert parse("v", nothing) == {}


def test_text_and_dictionaries_are_read_alike_and_as_json_has_them() -> None:
    found = parse("v", "{2: a, since: 2026-01-02, list: [1, {b: 2}], on: no, nothing: null, rate: 1.5}")
    assert found == {
        "2": "a",
        "since": "2026-01-02",
        "list": [1, {"b": 2}],
        "true": False,
        "nothing": None,
        "rate": 1.5,
    }
    assert parse("v", {"a": ("b",)}) == {"a": ["b"]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"password: '{SECRET}\nb: [", "v is not YAML: line "),
        (f"password: {SECRET}: x", "v is not YAML: line 1, column 25: mapping values are not allowed here"),
        (f"[{SECRET}]", "v is a list; Helm values are a dictionary"),
        (SECRET, "v is text; Helm values are a dictionary"),
        (f"&{SECRET} *other", "v is not YAML"),
        (f"!{SECRET} x", "v is not YAML"),
        (f"a: !!binary {SECRET}x", "v "),
        ([SECRET], "v is a list"),
        (7, "v is a single value"),
        (BOMB, "v has more than 100000 values"),
    ],
)
def test_what_is_no_values_is_refused_without_a_quote(content: t.Any, says: str) -> None:
    with pytest.raises(Refused) as caught:
        parse("v", content)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


def test_later_layers_go_over_earlier_ones() -> None:
    layers: list[dict[str, t.Any]] = [
        {"a": {"b": 1, "c": [1, 2]}, "d": 1},
        {"a": {"c": [3]}},
        {"d": {"e": 1}},
        {"d": {"f": None}},
    ]
    assert merge(layers) == {"a": {"b": 1, "c": [3]}, "d": {"e": 1, "f": None}}
    assert layers[0] == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}, []),
        ({}, {"a": {"b": SECRET, "c": 2}}, ["a.b", "a.c"]),
        ({"a": {"b": SECRET}}, {"a": None}, ["a.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": 1}, {"a": True}, []),
        ({"a": None}, {"a": {}}, []),
    ],
)
def test_differences_are_paths(before: t.Any, after: t.Any, paths: list[str]) -> None:
    assert list(differing(before, after)) == paths
