# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every test."""

from __future__ import annotations

import signal
import typing as t

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

# Two cores that a lab and ansible-test share are at times slow; what a test costs is counted where it matters.
hypothesis.settings.register_profile("enbuild.eks", deadline=None, print_blob=True)
hypothesis.settings.load_profile("enbuild.eks")


LONGEST_FIRST = (
    "test_permissions.py",
    "test_migrate.py",
    "test_site.py",
    "test_boundaries.py",
    "test_targets.py",
    "test_ansible.py",
    "integration",
)
"""Parts of paths: what takes minutes begins first, and what takes seconds fills the gaps between workers."""
EACH_FOR_ITSELF = ("test_targets.py", "test_ansible.py")
"""Files whose tests have nothing in common."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first where pytest-xdist hands it out."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: next((n for n, part in enumerate(LONGEST_FIRST) if part in str(item.path)), 9))


class ByFile(LoadScopeScheduling):
    """A file stays on one worker, where its tests go on from one to the next, unless they have nothing in common."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file.endswith(EACH_FOR_ITSELF) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: t.Any) -> ByFile:
    """Not by pytest-xdist's groups: version 3.8 marks them in an attribute that pytest 9.2 doesn't read any more."""
    return ByFile(config, log)


def pytest_configure() -> None:
    """A session that is told to end, as by CI's time limit, ends like one that is interrupted: its lab stops."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
