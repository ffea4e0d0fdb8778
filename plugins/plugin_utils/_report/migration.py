# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A migration's plan in words, for people and for what runs next. Pure."""

from __future__ import annotations

import typing as t

Row = t.Mapping[str, t.Any]

KEPT = ("name", "way", "state", "role_arn", "target_role_arn", "steps", "left", "problem", "warnings")
"""What is passed on of each service account."""


def record(rows: t.Sequence[Row], done: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """What is passed on: each service account as it was planned, with what was ``done`` of it in this run."""
    return [{**{key: row[key] for key in KEPT}, "done": done.get(row["name"], "")} for row in rows]


def changes(rows: t.Sequence[Row], done: t.Mapping[str, str], prepared: bool = False) -> list[str]:
    """What was changed in this run, or would be in check mode; ``prepared`` is whether roles were made and opened."""
    return [f"{row['name']}: {text}" for row in rows for text in _changes(row, done.get(row["name"], ""), prepared)]


def _changes(row: Row, done: str, prepared: bool) -> t.Iterator[str]:
    if done == "back":
        yield "bring back the old way"
        return
    first = row["act"]["prepare"]
    yield from first if prepared else ()
    yield from row["steps"][len(first) :] if done and prepared else ()
    yield from row["left"] if done == "finished" else ()
