# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in a lab, in words for whoever runs it."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path

QUOTED = 200
"""Characters of a log line that a message repeats."""


class LabError(Exception):
    """Ends a command; the message is one line that says what, where and what to do."""


def last_line(log: Path) -> str:
    """Return the last line of ``log`` that says anything, or an empty string."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:QUOTED] if said else ""


def with_log(message: str, log: Path) -> str:
    """Return ``message`` in one line with the path of the log and what the log ends with."""
    said = last_line(log)
    return f"{message}; its log, {log}, ends with: {said}" if said else f"{message}; its log, {log}, is empty"
