# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every test."""

from __future__ import annotations

import signal

import hypothesis

# Two cores that a lab and ansible-test share are at times slow; what a test costs is counted where it matters.
hypothesis.settings.register_profile("enbuild.eks", deadline=None, print_blob=True)
hypothesis.settings.load_profile("enbuild.eks")


def pytest_configure() -> None:
    """A session that is told to end, as by CI's time limit, ends like one that is interrupted: its lab stops."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
