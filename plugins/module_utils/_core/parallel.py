# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on many things at a time."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

Thing = t.TypeVar("Thing")
Result = t.TypeVar("Result")


def spread(
    work: t.Callable[[Thing], Result],
    things: t.Collection[Thing],
    concurrency: int,
    interrupted: t.Callable[[], None] = lambda: None,
) -> list[Result]:
    """``work`` on each of ``things``, up to ``concurrency`` at a time; results in their order.

    After an interruption, or an error that ``work`` raises, nothing new begins; ``interrupted`` is for ending waits.
    """
    if not things:
        return []
    with ThreadPoolExecutor(min(concurrency, len(things))) as pool:
        try:
            return list(pool.map(work, things))
        except BaseException:
            interrupted()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
