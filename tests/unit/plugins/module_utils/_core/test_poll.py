# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.poll import look_until


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("seen", "timeout", "last", "slept"),
    [
        ([0], 60, 0, 0),
        ([2, 1, 0, 9], 60, 0, 10),
        ([2], 0, 2, 0),
        ([4, 3, 2, 1, 0], 12, 1, 12),
    ],
    ids=["settled at once", "settled later", "one look", "time is up"],
)
def test_the_last_look_is_returned_settled_or_not(seen: list[int], timeout: float, last: int, slept: float) -> None:
    clock, looks = Clock(), iter(seen)

    def settled(count: int) -> bool:
        return count == 0

    assert look_until(lambda: next(looks), settled, timeout, clock, clock.sleep) == last
    assert clock.now == slept
