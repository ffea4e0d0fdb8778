# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's half of the WebSocket protocol (RFC 6455), as far as an API server's streams need it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MAX_FRAME = 1 << 20
"""Bytes; what clients send is a terminal's or a pipe's buffer, some 32 KiB."""

LENGTHS = {126: ">H", 127: ">Q"}
_NORMAL = struct.pack(">H", 1000)


class ProtocolError(Exception):
    """The other end doesn't speak WebSocket."""


def accept(key: str) -> str:
    """Return the proof that a handshake with this key was understood."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


class WebSocket:
    """A connection after the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def receive(self) -> bytes | None:
        """Return the next message, None at the end; pings are answered meanwhile. ProtocolError."""
        message = b""
        while True:
            try:
                final, code, payload = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            if code == CLOSE:
                return None
            if code == PING:
                await self._send(PONG, payload)
            elif code in (CONTINUATION, TEXT, BINARY):
                message += payload
                if final:
                    return message

    async def send(self, message: bytes) -> None:
        """Send one binary message; ConnectionError if nobody is there."""
        await self._send(BINARY, message)

    async def close(self) -> None:
        """Say that all has been said; ConnectionError if nobody is there."""
        await self._send(CLOSE, _NORMAL)

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        length = second & 0x7F
        if length in LENGTHS:
            (length,) = struct.unpack(LENGTHS[length], await self._reader.readexactly(2 if length == 126 else 8))
        if not second & 0x80 or length > MAX_FRAME:
            raise ProtocolError("a client's frame is masked, and not this long")
        mask = await self._reader.readexactly(4)
        return bool(first & 0x80), first & 0x0F, _unmasked(await self._reader.readexactly(length), mask)

    async def _send(self, code: int, payload: bytes) -> None:
        self._writer.write(bytes([0x80 | code]) + _length(len(payload)) + payload)
        await self._writer.drain()


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def _length(size: int) -> bytes:
    if size < 126:
        return bytes([size])
    return b"\x7e" + struct.pack(">H", size) if size < 1 << 16 else b"\x7f" + struct.pack(">Q", size)
