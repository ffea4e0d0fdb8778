# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Becomes a container's program, after what has to be done in its own process: ``launcher.py PARENT PROGRAM …``.

The program ends with the process PARENT on Linux, and a terminal on its standard input becomes its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import termios

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Never return."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the lab has ended")
    if os.isatty(0):
        with contextlib.suppress(OSError):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execv(command[0], command)  # noqa: S606  (what is asked for)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
