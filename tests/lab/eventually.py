# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for what comes about by itself, on a machine that may have much else to do."""

from __future__ import annotations

import time
import typing as t

PAUSE = 0.05
T = t.TypeVar("T")


def eventually(read: t.Callable[[], T], good: t.Callable[[T], t.Any] = bool, seconds: float = 30) -> T:
    """Read until it is good or time is up, and return the last reading."""
    deadline = time.monotonic() + seconds
    while not good(found := read()) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return found
