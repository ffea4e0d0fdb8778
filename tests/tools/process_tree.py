# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a process with all that it started, at once or when this process ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

MOST_SECONDS = 10
"""How long a killed process may take to end, in the middle of a write for example."""


def kill_whole(pid: int) -> None:
    """Kill a process and all that it started, and wait for their end.

    Ansible's workers, in sessions of their own, would finish their task otherwise.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)  # It starts nothing more.
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    family = [pid]
    for member in family:
        family += children.get(member, [])
    for member in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    deadline = time.monotonic() + MOST_SECONDS
    while any(_runs(member) for member in family) and time.monotonic() < deadline:
        time.sleep(0.001)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Guard:
    """A process that outlives this one, however this one ends, and kills whole what it started and didn't end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-ISE", __file__], stdin=subprocess.PIPE, start_new_session=True
        )

    @contextlib.contextmanager
    def over(self, pid: int) -> t.Iterator[None]:
        """Guard a process until the block ends, which is to end it, too."""
        self._say(f"+{pid}")
        try:
            yield
        finally:
            self._say(f"-{pid}")

    def _say(self, line: str) -> None:
        # At once and whole, whichever thread says it.
        os.write(t.cast("t.IO[bytes]", self._process.stdin).fileno(), f"{line}\n".encode())


def main() -> None:
    """Read which processes to guard, until the one that tells it ends."""
    guarded: set[int] = set()
    for line in sys.stdin:
        (guarded.add if line.startswith("+") else guarded.discard)(int(line[1:]))
    for pid in guarded:
        kill_whole(pid)


if __name__ == "__main__":
    main()
