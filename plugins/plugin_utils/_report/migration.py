# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a migration planned and did of each service account. Pure."""

from __future__ import annotations

import typing as t

from .model import Item, Result, entry

STEP = "pod_identity_migrate"
KEPT = ("name", "way", "state", "role_arn", "target_role_arn", "steps", "left", "problem", "warnings")
"""What is kept of each service account."""


def result(registered: Item) -> Result:
    """The step's result, from the plan's ``rows``; ``accounts`` is each of them with what was ``done`` of it.

    ``done`` is by service account: migrated, finished or back. ``prepared`` says whether roles were made and opened.
    """
    rows, done = registered["rows"], registered["done"]
    return {
        "changes": [
            entry(STEP, "service_account", row["name"], "update", [text])
            for row in rows
            for text in _changes(row, done.get(row["name"], ""), registered["prepared"])
        ],
        "drift": [],
        "accounts": [{**{key: row[key] for key in KEPT}, "done": done.get(row["name"], "")} for row in rows],
    }


def _changes(row: Item, done: str, prepared: bool) -> t.Iterator[str]:
    if done == "back":
        yield "bring back the old way"
        return
    first = row["act"]["prepare"]
    yield from first if prepared else ()
    yield from row["steps"][len(first) :] if done and prepared else ()
    yield from row["left"] if done == "finished" else ()


def artifacts(made: Result, name: str) -> Item:
    """What runs next reads of cluster ``name``."""
    changes = [f"{change['name']}: {text}" for change in made["changes"] for text in change["what"]]
    return {"pod_identity_migration": {name: made["accounts"]}, "pod_identity_changes": {name: changes}}
