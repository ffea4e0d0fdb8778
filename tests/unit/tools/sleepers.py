# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes to end: each sleeps for a time of its own, by which it is found."""

from __future__ import annotations

from pathlib import Path


def alive(seconds: str) -> list[str]:
    """Return the processes that sleep so long."""
    return [each.parent.name for each in Path("/proc").glob("[0-9]*/cmdline") if _said(each) == ["sleep", seconds]]


def _said(path: Path) -> list[str]:
    try:
        return path.read_text().split("\0")[:2]
    except OSError:
        return []
