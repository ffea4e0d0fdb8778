# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.tools.role_readmes import BEGIN, END, HEAD, NoPlace, with_table

README = f"# role\n{BEGIN}\nstale\n{END}\nafter\n"


def rows(**options: dict[str, t.Any]) -> list[str]:
    text = with_table(README, {"main": {"options": options}})
    return text.partition(HEAD)[2].partition("\n\n")[0].splitlines()


def test_the_rest_is_kept_and_a_second_pass_changes_nothing() -> None:
    entry_points = {"main": {"options": {"name": {"description": "Who."}}}}
    once = with_table(README, entry_points)
    assert once.startswith("# role\n")
    assert once.endswith("\nafter\n")
    assert "stale" not in once
    assert with_table(once, entry_points) == once


@pytest.mark.parametrize("readme", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_a_readme_without_a_place_is_refused(readme: str) -> None:
    with pytest.raises(NoPlace):
        with_table(readme, {})


@pytest.mark.parametrize(
    ("option", "row"),
    [
        ({"required": True}, "| `x` | str | *required* |  |"),
        ({"type": "bool", "default": False}, "| `x` | bool | `false` |  |"),
        ({"default": ""}, '| `x` | str | `""` |  |'),
        ({"type": "list", "elements": "str"}, "| `x` | list of str |  |  |"),
        ({"choices": ["a", "b"]}, "| `x` | str |  | One of `a`, `b`. |"),
        ({"description": ["One.", "Two\nlines."]}, "| `x` | str |  | One. Two lines. |"),
        ({"description": "O(y=1) or V(a|b)"}, "| `x` | str |  | `y=1` or `a\\|b` |"),
        ({"description": "O(enbuild.eks.r#role:main:y)"}, "| `x` | str |  | `y` |"),
        (
            {"description": "L(here,https://e.org) B(now) I(soon)"},
            "| `x` | str |  | [here](https://e.org) **now** *soon* |",
        ),
    ],
)
def test_row(option: dict[str, t.Any], row: str) -> None:
    assert rows(x=option) == [row]


def test_suboptions_are_rows_of_their_own() -> None:
    inner: dict[str, t.Any] = {"options": {"k": {}}}
    listed = [
        row.split("`")[1] for row in rows(x={"type": "list", "elements": "dict", **inner}, y={"type": "dict", **inner})
    ]
    assert listed == ["x", "x[].k", "y", "y.k"]


def test_each_entry_point_has_its_table() -> None:
    text = with_table(README, {"main": {}, "check": {"options": {"name": {}}}})
    assert "None.\n" in text
    assert "Of `tasks_from: check`:\n\n" + HEAD in text
