# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which labs run: a supervisor holds its lab's lock, and the system takes it back however the supervisor ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t
from pathlib import Path

PATIENCE = 2.0
"""Seconds to wait for somebody who only looks whether the lock is held."""


@contextlib.contextmanager
def hold(lock: Path) -> t.Iterator[bool]:
    """Hold ``lock`` and leave this process's id in it; gives False if another process has it."""
    with lock.open("a+", encoding="utf-8") as file:
        mine = _take(file)
        if mine:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield mine


def holder(lock: Path) -> int | None:
    """Return the process that holds ``lock``, or None."""
    try:
        with lock.open(encoding="utf-8") as file:
            if _try(file, fcntl.LOCK_SH):
                return None
            return int(file.read() or 0) or None
    except OSError:
        return None


def _take(file: t.IO[str]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not _try(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _try(file: t.IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
