# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ``kubectl exec``: a process, and its streams on the channels of a WebSocket (v4 and v5.channel.k8s.io)."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import struct
import sys
import termios
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .sandbox import Sandbox
from .websocket import ProtocolError, WebSocket

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
"""Best first."""
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
BUFFER = 32 * 1024

LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Streams:
    """Which of them the client wants."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


class Session:
    """Runs a program for a client, until one of them ends."""

    def __init__(self, socket: WebSocket, streams: Streams) -> None:
        self._socket, self._streams = socket, streams

    async def run(self, program: Path, arguments: list[str], sandbox: Sandbox) -> None:
        """Run ``program``, tell how it ended, and leave nothing of it behind."""
        started = await self._start(program, arguments, sandbox)
        listening = asyncio.create_task(self._listen(started))
        working = asyncio.create_task(self._work(started))
        try:
            await asyncio.wait({listening, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await self.end(_outcome(working.result()))
        finally:
            _kill(started.process)
            for task in (listening, working):
                task.cancel()
            await asyncio.gather(listening, working, return_exceptions=True)
            started.close()

    async def end(self, status: dict[str, t.Any]) -> None:
        """Tell the client how it ended."""
        await self._socket.send(bytes([ERROR]) + json.dumps(status).encode())
        await self._socket.close()

    async def _start(self, program: Path, arguments: list[str], sandbox: Sandbox) -> Started:
        command = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(program), *arguments]
        options: dict[str, t.Any] = {"cwd": sandbox.folder, "env": sandbox.environment, "start_new_session": True}
        if self._streams.tty:
            return await _on_terminal(command, options)
        return await _on_pipes(command, options, self._streams.stdin)

    async def _work(self, started: Started) -> int:
        """Pass on what the process says; return its status."""
        wanted = {STDOUT: self._streams.stdout, STDERR: self._streams.stderr}
        outputs = started.outputs.items()
        await asyncio.gather(*(self._hand_on(channel, reader, wanted[channel]) for channel, reader in outputs))
        return await started.process.wait()

    async def _hand_on(self, channel: int, reader: asyncio.StreamReader, wanted: bool) -> None:
        # A terminal's end is an error, when its last process has closed it.
        with contextlib.suppress(OSError):
            while data := await reader.read(BUFFER):
                if wanted:
                    await self._socket.send(bytes([channel]) + data)

    async def _listen(self, started: Started) -> None:
        """Pass on what the client says, until it goes."""
        with contextlib.suppress(ProtocolError, ConnectionError):
            while (message := await self._socket.receive()) is not None:
                channel, data = message[:1], message[1:]
                if channel == bytes([STDIN]):
                    await started.write(data)
                elif channel == bytes([RESIZE]):
                    started.resize(data)
                elif message == bytes([CLOSE, STDIN]):
                    started.close_input()


@dataclass
class Started:
    """A process, and what leads to it."""

    process: asyncio.subprocess.Process
    outputs: dict[int, asyncio.StreamReader]
    input: asyncio.StreamWriter | None
    terminal: int | None = None

    async def write(self, data: bytes) -> None:
        """Give it input; what it doesn't read any more is lost."""
        if self.input and not self.input.is_closing():
            with contextlib.suppress(ConnectionError):
                self.input.write(data)
                await self.input.drain()

    def resize(self, data: bytes) -> None:
        """Tell the terminal its size."""
        if self.terminal is not None:
            size = json.loads(data)
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))

    def close_input(self) -> None:
        """There is no more."""
        if self.input:
            self.input.close()

    def close(self) -> None:
        """Let go of everything."""
        self.close_input()


async def _on_pipes(command: list[str], options: dict[str, t.Any], stdin: bool) -> Started:
    pipe = asyncio.subprocess.PIPE
    given = pipe if stdin else asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=given, stdout=pipe, stderr=pipe, **options)
    outputs = {STDOUT: t.cast("asyncio.StreamReader", process.stdout)}
    outputs[STDERR] = t.cast("asyncio.StreamReader", process.stderr)
    return Started(process, outputs, process.stdin)


async def _on_terminal(command: list[str], options: dict[str, t.Any]) -> Started:
    ours, theirs = os.openpty()
    environment = {"TERM": "xterm", **options.pop("env")}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, **options
    )
    os.close(theirs)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", 0))
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(ours, "wb", 0))
    return Started(process, {STDOUT: reader}, asyncio.StreamWriter(transport, protocol, None, loop), ours)


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _outcome(code: int) -> dict[str, t.Any]:
    """Return the Status of an exit code; a signal's is what a shell makes of it."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    shown = 128 - code if code < 0 else code
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {shown}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(shown)}]},
    }


def failure(message: str) -> dict[str, t.Any]:
    """Return the Status of a process that couldn't be started."""
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "InternalError",
        "message": f"Internal error occurred: {message}",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }
