# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a cluster stopped, while the others went on. Pure."""

from __future__ import annotations

import typing as t

Result = t.Mapping[str, t.Any]

UNKNOWN = "it failed without a message; see above"


def reason(result: Result, task: str) -> dict[str, str]:
    """The failed ``task``, without its role's name, and the message of its ``result``; of a loop, each item's once."""
    return {
        "task": task.rpartition(" : ")[2],
        "message": "; ".join(dict.fromkeys(filter(None, _messages(result)))) or UNKNOWN,
    }


def _messages(result: Result) -> t.Iterator[str]:
    failed = [item for item in result.get("results") or [] if item.get("failed") and item.get("msg")]
    for each in failed or [result]:
        yield " ".join(str(each.get("msg") or "").split())
