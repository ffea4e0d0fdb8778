# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look again until what is seen has settled, and return what was seen last: whoever asked says what that means."""

from __future__ import annotations

import time
import typing as t

INTERVAL = 5.0
"""Seconds between two looks."""

Seen = t.TypeVar("Seen")


def look_until(
    look: t.Callable[[], Seen],
    settled: t.Callable[[Seen], bool],
    timeout: float,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Seen:
    """The first look that has ``settled``, or the one when ``timeout`` seconds are over; 0 looks once."""
    deadline = clock() + timeout
    while not settled(seen := look()) and (left := deadline - clock()) > 0:
        sleep(min(INTERVAL, left))
    return seen
