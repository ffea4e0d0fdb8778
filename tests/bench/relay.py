# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A relay to a local port that answers as late as a distant server would."""

from __future__ import annotations

import asyncio
import threading
import typing as t

CHUNK = 65536


class Relay:
    """Listens on a free port of 127.0.0.1 while it is entered; ``latency`` is in seconds, for each answer."""

    def __init__(self, port: int, latency: float) -> None:
        self._target = port
        self._latency = latency
        self._loop = asyncio.new_event_loop()
        self.port = 0

    def __enter__(self) -> t.Self:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._pass(client, requests, 0), self._pass(server, answers, self._latency))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, latency: float) -> None:
        while data := await source.read(CHUNK):
            if latency:
                await asyncio.sleep(latency)
            sink.write(data)
            await sink.drain()
        sink.close()
