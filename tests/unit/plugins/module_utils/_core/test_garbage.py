# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gc
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.garbage import uncollected


def test_the_collector_rests_inside_and_goes_on_after_an_error() -> None:
    @uncollected()
    def fail() -> t.NoReturn:
        raise ValueError(gc.isenabled())

    with pytest.raises(ValueError, match="False"):
        fail()
    assert gc.isenabled()


def test_a_collector_that_rested_before_rests_on() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
