# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look again until what is waited for holds; when time is up, say what was seen last."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._core.plan import Refused
from .wait_conditions import CONDITIONS, Condition

INTERVAL = 3.0
"""Seconds between two looks."""
MOST_NAMED = 5
"""Reasons that a message names; the result has them all."""

Seen = dict[str, t.Any]


@dataclass(frozen=True)
class Wait:
    """What to wait for, a key of ``CONDITIONS``, and for how many seconds at most; "" looks once."""

    wait_for: str = ""
    timeout: int = 0


def look_until(
    look: t.Callable[[], Seen],
    wait: Wait,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Seen:
    """What ``look`` returned last.

    Raises Refused, with the last look as its result, when time is up, and at once where no waiting would help.
    """
    if not wait.wait_for:
        return look()
    condition, deadline = CONDITIONS[wait.wait_for], clock() + wait.timeout
    while unmet := _unmet(condition, seen := look()):
        left = deadline - clock()
        if left <= 0:
            waited = f"Waited {wait.timeout} s without success for {condition.words}."
            raise Refused(f"{waited} Last seen: {_joined(unmet)}", **seen)
        sleep(min(INTERVAL, left))
    return seen


def _unmet(condition: Condition, seen: Seen) -> list[str]:
    """What is still waited for; refused where that can't come."""
    if hopeless := condition.hopeless(seen["workloads"]):
        raise Refused(_joined(hopeless), **seen)
    return list(condition.unmet(seen["workloads"]))


def _joined(lines: t.Sequence[str]) -> str:
    more = f" … and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
    return " ".join(lines[:MOST_NAMED]) + more
