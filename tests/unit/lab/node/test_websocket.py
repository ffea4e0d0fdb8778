# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's half of WebSocket, against a client of another hand."""

from __future__ import annotations

import asyncio

import pytest
import websocket
from ansible_collections.enbuild.eks.tests.lab.node import http_request
from ansible_collections.enbuild.eks.tests.lab.node.websocket import ProtocolError, WebSocket, accept

SIZES = (0, 1, 125, 126, 65535, 65536, 200_000)


def converse(talk: list[bytes], raw: bytes = b"") -> tuple[list[bytes], list[Exception]]:
    """Let a client send each message and return what an echoing server makes of it; then send ``raw``."""
    failures: list[Exception] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await http_request.read(reader)
        assert request
        writer.write(http_request.upgrade(accept(request.headers["sec-websocket-key"]), "v5.channel.k8s.io"))
        socket = WebSocket(reader, writer)
        try:
            while (message := await socket.receive()) is not None:
                await socket.send(message)
            await socket.close()
        except ProtocolError as error:
            failures.append(error)
        writer.close()

    def client(port: int) -> list[bytes]:
        connection = websocket.create_connection(f"ws://127.0.0.1:{port}", subprotocols=["v5.channel.k8s.io"])
        heard = []
        for message in talk:
            connection.ping("still there?")
            connection.send_binary(message)
            heard.append(bytes(connection.recv_data()[1]))
        assert connection.sock
        connection.sock.sendall(raw)
        connection.close()
        return heard

    async def run() -> list[bytes]:
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            heard = await asyncio.to_thread(client, server.sockets[0].getsockname()[1])
            await asyncio.sleep(0.05)
            return heard

    return asyncio.run(run()), failures


def test_messages_of_every_length_come_back() -> None:
    messages = [bytes(index % 251 for index in range(size)) for size in SIZES]
    assert converse(messages) == (messages, [])


@pytest.mark.parametrize(
    "frame",
    [b"\x82\x01x", b"\x82\xff" + (1 << 30).to_bytes(8, "big")],
    ids=["unmasked", "longer than anybody sends"],
)
def test_what_no_client_sends_is_refused(frame: bytes) -> None:
    heard, failures = converse([], frame)
    assert heard == []
    assert [type(failure) for failure in failures] == [ProtocolError]
