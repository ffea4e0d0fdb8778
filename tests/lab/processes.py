# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes that end with whoever started them."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

from .errors import LabError

_PR_SET_PDEATHSIG = 1


def spawn(command: t.Sequence[str | Path], *, environment: dict[str, str], **options: t.Any) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, out of reach of a terminal's Ctrl-C; LabError if it can't run.

    On Linux the kernel ends it when the *thread* that calls this ends, however that happens: call it from the main
    one, while there is no other.
    """
    words = [str(word) for word in command]
    try:
        return subprocess.Popen(
            words,
            env=environment,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509  (no other thread: see above)
            **options,
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LabError(f"can't run {words[0]}: {reason}") from error


def end(processes: t.Iterable[subprocess.Popen[bytes]]) -> None:
    """Kill each process with all that it started, and wait until they are gone; all that they hold is thrown away."""
    found = list(processes)
    for process in found:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    for process in found:
        process.wait()


def end_orphans(ids: Path, mark: str) -> None:
    """Kill the processes that ``ids`` lists, if their command lines still say ``mark``: an id may have a new owner."""
    for word in ids.read_text().split() if ids.exists() else []:
        if mark in _command_of(int(word)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(word), signal.SIGKILL)


def _command_of(pid: int) -> str:
    try:
        listed = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    except FileNotFoundError:
        return ""
    return listed.stdout.decode(errors="replace")


def _dying_with(parent: int) -> t.Callable[[], None] | None:
    """Return what the child runs before its program; None where the system has no such thing."""
    library = _libc()
    return functools.partial(_die_with, library, parent) if library else None


def _die_with(library: t.Any, parent: int) -> None:
    library.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # It ended before the kernel was told.
        os._exit(1)


@functools.cache
def _libc() -> t.Any:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
