# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Call a function in a fork of this process, and read what it printed."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import tempfile
import threading
import traceback
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How the fork ended: its exit status, negative for a signal, and its standard output and error."""

    status: int
    output: str
    errors: str


def call(function: t.Callable[[], None]) -> Ended:
    """Return once ``function`` has ended in a fork; it may change whatever it likes of the process.

    Whoever interrupts this, with an alarm for example, ends the fork.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        gc.freeze()  # The fork doesn't look for garbage among what it shares, which would copy it.
        pid = os.fork()
        if not pid:
            _become(function, output.fileno(), errors.fileno())
        status = _await(pid)
        return Ended(status, _text(output), _text(errors))


def _await(pid: int) -> int:
    try:
        _pid, status = os.waitpid(pid, 0)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return os.waitstatus_to_exitcode(status)


def _text(file: t.IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _become(function: t.Callable[[], None], output: int, errors: int) -> t.NoReturn:
    """Run in the fork. Nothing of this may return to the code that called it, which is another process's."""
    status = 1
    try:
        atexit._clear()  # What this process is to do at its end is not for the fork.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        _redirect(output, errors)
        status = _status(function)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()  # The Kubernetes client deletes files that it wrote from a kubeconfig.
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _redirect(output: int, errors: int) -> None:
    os.dup2(output, 1)
    os.dup2(errors, 2)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  For as long as the fork lives.
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def _status(function: t.Callable[[], None]) -> int:
    try:
        function()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
