# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free ports on 127.0.0.1 that no other lab takes meanwhile."""

from __future__ import annotations

import fcntl
import random
import socket
import typing as t
from pathlib import Path

from .errors import LabError

# Below the ephemeral ranges of Linux and macOS: a port that no outgoing connection is given between choice and use.
FIRST, LAST = 20000, 32000
BLOCK = 16


class PortBlock:
    """Neighbouring ports, reserved among the labs of a user by a locked file for as long as this object lives."""

    def __init__(self, folder: Path, count: int = BLOCK) -> None:
        """Reserve ``count`` ports by a file in ``folder``; LabError if none are left."""
        folder.mkdir(parents=True, exist_ok=True)
        self.ports: tuple[int, ...] = ()
        for base in _shuffled(range(FIRST, LAST, BLOCK)):
            file = (folder / str(base)).open("w")
            ports = range(base, base + count)
            if _locked(file) and all(map(is_free, ports)):
                self._file, self.ports = file, tuple(ports)
                return
            file.close()
        raise LabError(f"no {count} free ports in a row on 127.0.0.1 between {FIRST} and {LAST}")

    def release(self) -> None:
        """Let another lab have them."""
        self._file.close()


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _shuffled(bases: range) -> list[int]:
    return random.sample(bases, len(bases))


def _locked(file: t.IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
