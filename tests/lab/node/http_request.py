# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The head of an HTTP request, and short answers."""

from __future__ import annotations

import asyncio
import http
import http.client
import io
import typing as t
import urllib.parse
from dataclasses import dataclass


class Refused(Exception):
    """A request that isn't served; the message goes to the client as it is."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """What a request asks for; headers by their names in lower case."""

    method: str
    path: str
    query: t.Mapping[str, list[str]]
    headers: t.Mapping[str, str]


async def read(reader: asyncio.StreamReader) -> Request | None:
    """Return the head of the next request, None if there is no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _unused, rest = head.partition(b"\r\n")
        method, target, _version = line.decode("ascii").split(" ")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        return None
    parsed = urllib.parse.urlsplit(target)
    fields = http.client.parse_headers(io.BytesIO(rest))
    headers = {name.lower(): ", ".join(fields.get_all(name, [])) for name in fields}
    query = urllib.parse.parse_qs(parsed.query, keep_blank_values=True)
    return Request(method, urllib.parse.unquote(parsed.path), query, headers)


def answer(status: int, text: str) -> bytes:
    """Return a whole plain answer of one line, after which the connection ends."""
    return whole(status, text.encode() + b"\n")


def whole(status: int, body: bytes) -> bytes:
    """Return an answer with this text and no more, after which the connection ends."""
    lines = [
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return _head(lines) + body


def upgrade(proof: str, protocol: str) -> bytes:
    """Return the answer after which the connection is a WebSocket."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {proof}",
        f"Sec-WebSocket-Protocol: {protocol}",
    ]
    return _head(lines)


def _head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("ascii")
