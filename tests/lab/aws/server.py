# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's listeners: AWS and control over HTTP, the Kubernetes webhooks over TLS."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import typing as t

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from . import account, control, webhooks
from .aws_endpoint import AwsEndpoint, LostReply
from .config import Config
from .state import Lab
from .wire_error import Answer
from .wire_request import WireRequest

HOST = "127.0.0.1"

Environ = dict[str, t.Any]
StartResponse = t.Callable[[str, list[tuple[str, str]]], t.Any]


class KeepAliveHandler(MotoRequestHandler):
    """Keeps connections open between requests, which is safe because each body is read to its end."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def run_wsgi(self) -> None:
        """Answer one request. Werkzeug's own version reads on after it, which eats the next request."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        started: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            chunks = self.server.app(self.make_environ(), lambda *start: started.append(t.cast(t.Any, start)))
        except LostReply:
            self.close_connection = True
            return
        status, headers = started[0]
        self.send_response_only(int(status.split()[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"".join(chunks))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: addresses can carry signatures, and ``/_lab/calls`` has every call."""

    def log(self, type: str, message: str, *args: t.Any) -> None:  # noqa: A002  (werkzeug's name)
        """Log errors to stderr."""
        print(message % args if args else message, file=sys.stderr)


class Emulator:
    """One emulated account with its two listeners."""

    def __init__(self, config: Config) -> None:
        self.lab: Lab = account.build(config)
        self._aws = AwsEndpoint(self.lab)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(config.tls_cert, config.tls_key)
        self._servers = [
            _listen(config.http_port, self.serve_aws, None),
            _listen(config.https_port, self.serve_webhooks, context),
        ]

    def start(self) -> None:
        """Serve in threads that end with the process, or with ``stop``."""
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def wait(self) -> None:
        """Serve until the process is told to end."""
        threading.Event().wait()

    def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def serve_aws(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer on the HTTP port (a WSGI application)."""
        request = WireRequest.from_environ(environ)
        if request.path.startswith(control.PREFIX):
            return _send(_json(*control.answer(self.lab, request)), start_response)
        return _send(self._aws.answer(environ, request), start_response)

    def serve_webhooks(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer on the TLS port (a WSGI application)."""
        return _send(_json(*webhooks.answer(self.lab, WireRequest.from_environ(environ))), start_response)


def _listen(port: int, application: t.Any, context: ssl.SSLContext | None) -> BaseWSGIServer:
    return make_server(HOST, port, application, threaded=True, request_handler=KeepAliveHandler, ssl_context=context)


def _json(status: int, body: t.Any) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _send(answer: Answer, start_response: StartResponse) -> list[bytes]:
    status, headers, body = answer
    sent = {name: value for name, value in headers.items() if name.lower() != "status"}
    if not any(name.lower() == "content-length" for name in sent):
        sent["Content-Length"] = str(len(body))
    start_response(str(status), list(sent.items()))
    return [body]
