# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pod Identity agent of one node: AWS's HTTP contract, in front of EKS Auth."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from joserfc import jws
from joserfc.errors import JoseError

from .variables import LOOPBACK

HOSTS = ("169.254.170.23", "fd00:ec2::23")
RENEWAL = timedelta(hours=3)
"""How long credentials are handed out before new ones are asked for; AWS's default."""
MINIMUM = timedelta(seconds=15)
"""What credentials have to be good for to be handed out."""

Credentials = dict[str, str]


class AgentError(Exception):
    """No credentials; the message is the answer's body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Held:
    """Credentials in the cache."""

    token: str
    fetched: datetime
    expires: datetime
    credentials: Credentials

    def serve(self, token: str, now: datetime) -> bool:
        """Whether they can be handed out for ``token``."""
        fresh = now < self.fetched + RENEWAL and now < self.expires - MINIMUM
        return self.token == token and fresh


class Agent:
    """Exchanges tokens, as the node's role, and remembers for each pod what it got.

    Where AWS's renews what it remembers by itself, this one does when it is asked.
    """

    def __init__(self, eks_auth: t.Any, cluster: str) -> None:
        self._eks_auth, self._cluster = eks_auth, cluster
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def credentials(self, host: str, token: str) -> Credentials:
        """Return the answer to one request; AgentError."""
        _check_host(host)
        pod, now = _pod_of(token), datetime.now(UTC)
        with self._lock:
            held = self._held.get(pod)
            if not held or not held.serve(token, now):
                self._held.pop(pod, None)
                held = self._held[pod] = self._fetch(token, now)
        return held.credentials

    def _fetch(self, token: str, now: datetime) -> Held:
        try:
            found = self._eks_auth.assume_role_for_pod_identity(clusterName=self._cluster, token=token)
        except ClientError as error:
            raise _refusal(error.response) from error
        except BotoCoreError as error:
            raise AgentError(500, f"error getting credentials to cache: {error}") from error
        given = found["credentials"]
        return Held(token, now, given["expiration"], _shown(given, found["assumedRoleUser"]["arn"].split(":")[4]))


def _shown(given: dict[str, t.Any], account: str) -> Credentials:
    return {
        "AccessKeyId": given["accessKeyId"],
        "SecretAccessKey": given["secretAccessKey"],
        "Token": given["sessionToken"],
        "AccountId": account,
        "Expiration": given["expiration"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _check_host(host: str) -> None:
    """AWS's agent wants to be called by its own address; this one has another, on this machine."""
    called = urllib.parse.urlsplit(f"//{host}").hostname
    if called not in (*HOSTS, LOOPBACK):
        hosts = " ".join(HOSTS)
        message = f"Called agent through invalid address, please use either [{hosts}] address not {called}"
        raise AgentError(403, f"Access Denied. {message}")


def _pod_of(token: str) -> str:
    """Return the uid of the pod that a token says it is of, which EKS Auth checks."""
    if not token:
        raise AgentError(400, "Service account token cannot be empty")
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
        if datetime.fromtimestamp(claims["exp"], UTC) <= datetime.now(UTC):
            raise AgentError(400, "Service account token failed basic claim validations: token is expired")
        return str(claims["kubernetes.io"]["pod"]["uid"])
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise AgentError(400, f"Service account token cannot be parsed: {error}") from error


def _refusal(response: dict[str, t.Any]) -> AgentError:
    metadata, error = response["ResponseMetadata"], response["Error"]
    status = metadata["HTTPStatusCode"]
    fault = "client" if status < 500 else "server"
    request = metadata.get("RequestId", "")
    return AgentError(status, f"[{request}]: ({error['Code']}): {error['Message']}, fault: {fault}")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for the agent of its server."""

    server: Server

    def do_GET(self) -> None:
        """Hand out credentials; probes answer as long as the agent runs."""
        if not self.server.runs():
            self.close_connection = True
        elif self.path == "/v1/credentials":
            self._credentials()
        else:
            probe = self.path in ("/healthz", "/readyz")
            self._send(*((200, "text/plain", "") if probe else (404, "text/plain", "404 page not found\n")))

    def _credentials(self) -> None:
        try:
            found = self.server.agent.credentials(self.headers.get("Host", ""), self.headers.get("Authorization", ""))
            self._send(200, "application/json", json.dumps(found))
        except AgentError as error:
            self._send(error.status, "text/plain; charset=utf-8", f"{error}\n")

    def _send(self, status: int, kind: str, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: t.Any) -> None:
        """Log nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Listens for one agent, on a port of its own, for as long as ``runs`` says."""

    daemon_threads = True

    def __init__(self, agent: Agent, runs: t.Callable[[], bool]) -> None:
        super().__init__((LOOPBACK, 0), Handler)
        self.agent, self.runs = agent, runs

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{LOOPBACK}:{self.server_port}"
