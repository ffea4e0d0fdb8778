# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a kubelet that kwok leaves out: exec and logs, for the API server and nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import re
import typing as t

from ..kubernetes_api import KubernetesApi, KubernetesError
from . import http_request
from .ephemeral import EphemeralContainers
from .http_request import Refused, Request
from .image import locate
from .sandbox import Sandbox, Sandboxes, container_of
from .session import PROTOCOLS, Session, Streams, failure
from .variables import Document, NotStarted
from .websocket import WebSocket, accept

_EXEC = re.compile(r"/exec/(?P<namespace>[^/]+)/(?P<pod>[^/]+)/(?:(?P<uid>[^/]+)/)?(?P<container>[^/]+)")
_LOGS = re.compile(r"/containerLogs/(?P<namespace>[^/]+)/(?P<pod>[^/]+)/(?P<container>[^/]+)")


class Kubelet:
    """Serves all of the lab's nodes."""

    def __init__(self, api: KubernetesApi, sandboxes: Sandboxes, ephemeral: EphemeralContainers) -> None:
        self._api, self._sandboxes, self._ephemeral = api, sandboxes, ephemeral

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, and log what it wanted."""
        with contextlib.suppress(ConnectionError):
            request = await http_request.read(reader)
            if request:
                try:
                    await self._answer(request, reader, writer)
                except Refused as refused:
                    writer.write(http_request.answer(refused.status, str(refused)))
                    await writer.drain()
        writer.close()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if request.path == "/healthz":
            raise Refused(200, "ok")
        if not writer.get_extra_info("peercert"):
            raise Refused(401, "Unauthorized")
        if logged := _LOGS.fullmatch(request.path):
            text = await asyncio.to_thread(self._log, logged["namespace"], logged["pod"], logged["container"])
            writer.write(http_request.whole(200, _part_of_log(text, request.query)))
            await writer.drain()
            return
        asked = _EXEC.fullmatch(request.path)
        if not asked:
            raise Refused(404, "the lab's kubelet knows exec, logs and nothing else")
        # Before the handshake: kubectl shows what is wrong with its second try, by SPDY.
        sandbox = await asyncio.to_thread(self._sandbox, asked["namespace"], asked["pod"], asked["container"])
        proof, protocol = _handshake(request)
        writer.write(http_request.upgrade(proof, protocol))
        session = Session(WebSocket(reader, writer), _streams(request))
        command = request.query.get("command", [])
        program = locate(command[0], sandbox.image) if command else None
        print(f"exec {request.path}: {command[:1]}", flush=True)
        if program:
            await session.run(program, command[1:], sandbox)
        else:
            await session.end(failure(_not_found("".join(command[:1]))))

    def _log(self, namespace: str, name: str, container: str) -> bytes:
        """Return what an ephemeral container printed; nothing runs in the others, and they print nothing."""
        pod = self._pod(namespace, name)
        file = self._ephemeral.log_file(pod["metadata"]["uid"], container)
        return file.read_bytes() if file.is_file() else b""

    def _sandbox(self, namespace: str, name: str, container: str) -> Sandbox:
        pod = self._pod(namespace, name)
        try:
            return self._sandboxes.make(pod, container_of(pod, container))
        except (NotStarted, KubernetesError) as error:
            raise Refused(500, str(error)) from error

    def _pod(self, namespace: str, name: str) -> Document:
        try:
            return self._api.call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
        except KubernetesError as error:
            raise Refused(404 if error.status == 404 else 500, str(error)) from error


def _part_of_log(log: bytes, query: t.Mapping[str, list[str]]) -> bytes:
    """Return the part that is asked for, of the log up to now even if it is to be followed."""
    lines = log.splitlines(keepends=True)
    tail, limit = (int(query.get(name, [str(len(log))])[0]) for name in ("tailLines", "limitBytes"))
    return b"".join(lines[max(len(lines) - tail, 0) :])[:limit]


def _handshake(request: Request) -> tuple[str, str]:
    """Return the proof and the protocol of the answer."""
    offered = [word.strip() for word in request.headers.get("sec-websocket-protocol", "").split(",")]
    spoken = [protocol for protocol in PROTOCOLS if protocol in offered]
    key = request.headers.get("sec-websocket-key")
    if not key or not spoken:
        raise Refused(400, f"the lab's kubelet speaks WebSocket only: {' or '.join(PROTOCOLS)}")
    return accept(key), spoken[0]


def _streams(request: Request) -> Streams:
    names = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
    return Streams(**{stream: request.query.get(name) == ["1"] for stream, name in names.items()})


def _not_found(program: str) -> str:
    """Return what containerd says, by way of the kubelet."""
    reason = f"stat {program}: no such file or directory" if "/" in program else "executable file not found in $PATH"
    return (
        "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec "
        f'failed: exec failed: unable to start container process: exec: "{program}": {reason}: unknown'
    )
