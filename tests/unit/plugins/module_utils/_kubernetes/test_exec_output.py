# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command in a pod prints is read up to a limit, whatever the pod does."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes import exec_output
from websocket import ABNF, WebSocketTimeoutException

Frame = tuple[int, bytes]
CLOSE: Frame = (ABNF.OPCODE_CLOSE, b"")
STDOUT, STDERR, STATUS = b"\x01", b"\x02", b"\x03"


class Stream:
    """Frames, as the websocket of an exec has them; counts what is taken from it."""

    def __init__(self, frames: t.Iterable[Frame]) -> None:
        self._frames = iter(frames)
        self.taken = 0
        self.patience: list[float] = []

    def settimeout(self, seconds: float) -> None:
        self.patience.append(seconds)

    def recv_data_frame(self, control_frame: bool) -> tuple[int, t.Any]:
        assert control_frame
        code, data = next(self._frames, (0, b""))
        if not code:
            raise WebSocketTimeoutException("timed out")
        self.taken += len(data)
        return code, types.SimpleNamespace(data=data)


def text(channel: bytes, data: bytes) -> Frame:
    return ABNF.OPCODE_BINARY, channel + data


def test_stdout_is_joined_and_the_rest_left_out() -> None:
    frames = [text(STDOUT, b"one\ncaf\xc3"), text(STDERR, b"no"), text(STDOUT, b"\xa9\n"), text(STATUS, b"{}"), CLOSE]
    assert exec_output.read(Stream([*frames, text(STDOUT, b"after the end")])) == "one\ncafé\n"


@pytest.mark.parametrize("channel", [STDOUT, STDERR, b"\x09"])
def test_a_pod_that_answers_with_megabytes_is_not_read_to_its_end(channel: bytes) -> None:
    stream = Stream(text(channel, b"x" * 32_000) for _number in range(1000))
    with pytest.raises(exec_output.Unread, match=r"more than 65,536 bytes, and reading stopped there"):
        exec_output.read(stream)
    assert stream.taken <= exec_output.MOST + 2 * 32_001


def test_a_command_that_prints_nothing_is_told_from_one_that_does_not_end() -> None:
    """The first is an image without a shell; of the second, nothing is known."""
    assert exec_output.read(Stream([text(STDERR, b"no such file"), CLOSE])) == ""
    clock = iter(range(1000))
    for silent in (Stream([]), Stream(text(STDERR, b"x") for _number in range(1000))):
        with pytest.raises(exec_output.Unread, match="The command printed nothing within 30 s"):
            exec_output.read(silent, clock=lambda: next(clock))


def test_a_pod_that_trickles_is_read_until_the_time_is_over() -> None:
    clock = iter(range(1000))
    endless = Stream(text(STDOUT, b"x") for _number in range(1000))
    assert exec_output.read(endless, clock=lambda: next(clock)) == "x" * (exec_output.SECONDS - 1)
    assert endless.patience[0] > endless.patience[-1] > 0
    assert exec_output.read(Stream([text(STDOUT, b"partly")])) == "partly"


def test_empty_frames_count_too() -> None:
    with pytest.raises(exec_output.Unread):
        exec_output.read(Stream((ABNF.OPCODE_TEXT, b"") for _number in range(1_000_000)), clock=lambda: 0)
