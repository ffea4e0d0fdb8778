# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.parallel import spread


def test_results_keep_the_order() -> None:
    assert spread(lambda number: number * 2, range(50), 8) == [number * 2 for number in range(50)]
    assert spread(lambda number: number, [], 8) == []


def test_as_many_at_a_time_as_told() -> None:
    together = threading.Barrier(4)
    assert spread(lambda _number: together.wait(timeout=10) >= 0, range(8), 4) == [True] * 8


def test_after_an_interruption_waits_end_and_nothing_begins() -> None:
    begun, ended = [], threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise KeyboardInterrupt
        ended.wait(timeout=10)

    with pytest.raises(KeyboardInterrupt):
        spread(work, range(1000), 2, interrupted=ended.set)
    assert ended.is_set()
    assert len(begun) < 1000
