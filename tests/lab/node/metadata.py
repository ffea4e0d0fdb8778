# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance metadata service (version 2 alone), as far as it hands out the credentials of the nodes' role."""

from __future__ import annotations

import http.server
import json
import secrets
import threading
import typing as t
from datetime import UTC, datetime, timedelta

from .variables import LOOPBACK

TOKEN_PATH = "/latest/api/token"
ROLE_PATH = "/latest/meta-data/iam/security-credentials/"
LIFETIME = timedelta(hours=6)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers whoever has a session token first."""

    server: Metadata

    def do_PUT(self) -> None:
        """Hand out a session token."""
        if self.path == TOKEN_PATH and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
            self._send(200, self.server.token)
        else:
            self._send(400, "")

    def do_GET(self) -> None:
        """Hand out the role's name, or its credentials."""
        if self.headers.get("X-aws-ec2-metadata-token") != self.server.token:
            self._send(401, "")
        elif self.path == ROLE_PATH:
            self._send(200, self.server.role)
        elif self.path == ROLE_PATH + self.server.role:
            self._send(200, json.dumps(self.server.credentials()))
        else:
            self._send(404, "")

    def _send(self, status: int, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: t.Any) -> None:
        """Log nothing."""


class Metadata(http.server.ThreadingHTTPServer):
    """One for all nodes, which share a session of their role; on a port of its own."""

    daemon_threads = True

    def __init__(self, node: dict[str, str]) -> None:
        """``node`` is the nodes' session, as their configuration has it."""
        super().__init__((LOOPBACK, 0), Handler)
        self.role, self._keys = node["role_name"], node
        self.token = secrets.token_urlsafe(40)

    @property
    def url(self) -> str:
        """Where SDKs are to look for it."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def start(self) -> None:
        """Serve in a thread that ends with the process."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def credentials(self) -> dict[str, str]:
        """Return what an instance's role has now."""
        now = datetime.now(UTC)
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Expiration": (now + LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "AccessKeyId": self._keys["access_key_id"],
            "SecretAccessKey": self._keys["secret_access_key"],
            "Token": self._keys["session_token"],
        }
