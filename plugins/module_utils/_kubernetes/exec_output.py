# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what a command in a pod prints, up to a limit: whoever owns the pod decides how much that is.

The client of the Kubernetes library keeps all that arrives, so that its frames are read here.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

with contextlib.suppress(ImportError):  # kubernetes.core names the missing library.
    from websocket import ABNF, WebSocketTimeoutException

MOST = 65_536
"""Bytes that are read; the answer of the probe has a few hundred."""
SECONDS = 30
STDOUT = 1
"""Its channel: the first byte of a frame."""


class Unread(Exception):
    """What the command says isn't known: it printed too much, or nothing within its time."""


def read(socket: t.Any, clock: t.Callable[[], float] = time.monotonic) -> str:
    """Return what arrives on stdout until the command ends, or all that came of one whose time is over; ``Unread``."""
    printed, left, deadline = bytearray(), MOST, clock() + SECONDS
    try:
        for frame in _frames(socket, deadline, clock):
            left -= max(len(frame), 1)
            if left < 0:
                raise Unread(f"The command printed more than {MOST:,} bytes, and reading stopped there")
            if frame[:1] == bytes([STDOUT]):
                printed += frame[1:]
    except WebSocketTimeoutException:
        if not printed:
            raise Unread(f"The command printed nothing within {SECONDS} s") from None
    return printed.decode("utf-8", "replace")


def _frames(socket: t.Any, deadline: float, clock: t.Callable[[], float]) -> t.Iterator[bytes]:
    """Until the command ends; WebSocketTimeoutException when its time is over."""
    while (left := deadline - clock()) > 0:
        socket.settimeout(left)
        code, frame = socket.recv_data_frame(True)
        if code == ABNF.OPCODE_CLOSE:
            return
        if code in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY):
            yield frame.data
    raise WebSocketTimeoutException("Its time is over")
