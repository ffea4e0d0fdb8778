# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every test."""

from __future__ import annotations

import signal

import hypothesis
import pytest

# Two cores that a lab and ansible-test share are at times slow; what a test costs is counted where it matters.
hypothesis.settings.register_profile("enbuild.eks", deadline=None, print_blob=True)
hypothesis.settings.load_profile("enbuild.eks")


LONGEST_FIRST = ("test_site.py", "test_targets.py", "integration", "checks")
"""Parts of paths: with two workers, what takes minutes begins first, and what takes seconds fills the gaps."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With pytest-xdist a file stays on one worker, but for targets, which start from nothing each.

    First of all such hooks, for pytest-xdist reads the marks in its own.
    """
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: next((n for n, part in enumerate(LONGEST_FIRST) if part in str(item.path)), 9))
    for item in items:
        if item.path.name != "test_targets.py":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_configure() -> None:
    """A session that is told to end, as by CI's time limit, ends like one that is interrupted: its lab stops."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
