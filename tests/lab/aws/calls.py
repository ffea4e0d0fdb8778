# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every AWS call that was made, for tests that count them."""

from __future__ import annotations

import threading
import typing as t
from collections import Counter
from dataclasses import asdict, dataclass

from .requirements import Requirement


@dataclass(frozen=True)
class Entry:
    """One call: what was asked, by whom, and how it ended (``status`` 0: no answer was sent).

    ``permissions`` is what it was granted; nothing where it was refused.
    """

    service: str
    operation: str
    status: int
    time: float
    access_key_id: str
    permissions: tuple[Requirement, ...]


class Calls:
    """The log. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Append one call."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._entries.clear()

    def show(self) -> dict[str, t.Any]:
        """Return total, counts by service and operation, and the log, oldest first."""
        with self._lock:
            entries = list(self._entries)
        counts = Counter((entry.service, entry.operation) for entry in entries)
        calls: dict[str, dict[str, int]] = {}
        for (service, operation), count in sorted(counts.items()):
            calls.setdefault(service, {})[operation] = count
        return {"total": len(entries), "calls": calls, "log": [asdict(entry) for entry in entries]}
