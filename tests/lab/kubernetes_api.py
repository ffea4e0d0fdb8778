# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw calls to the lab's API server, with the standard library alone."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import ssl
import typing as t
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

Document = dict[str, t.Any]


class KubernetesError(Exception):
    """The API server refused a call, or couldn't be reached (status 0)."""

    def __init__(self, call: str, status: int, message: str) -> None:
        super().__init__(f"{call}: {status or 'no answer'}: {message}")
        self.status = status


@dataclass(frozen=True)
class KubernetesApi:
    """An address, whom to trust, and the file of a bearer token."""

    host: str
    ca_file: Path
    token_file: Path

    def call(
        self, method: str, path: str, body: t.Any = None, content_type: str = "application/json", timeout: float = 30
    ) -> Document:
        """Return the answer; KubernetesError for anything but success, within ``timeout`` seconds."""
        with self._open(method, path, body, content_type, timeout) as response:
            return t.cast("Document", json.loads(response.read() or b"{}"))

    def apply(self, path: str, manifest: Document) -> Document:
        """Create or change the object at ``path`` to hold what ``manifest`` says."""
        return self.call("PATCH", f"{path}?fieldManager=lab&force=true", manifest, "application/apply-patch+yaml")

    def watch(self, path: str, seconds: int) -> t.Iterator[Document]:
        """Yield the object of each event, first of all that exist; ends after ``seconds``, or as a KubernetesError."""
        return (item for kind, item in self.events(path, seconds) if kind in ("ADDED", "MODIFIED"))

    def events(self, path: str, seconds: int) -> t.Iterator[tuple[str, Document]]:
        """Yield type and object of each event, first of all that exist; ends as ``watch`` does."""
        with self._open("GET", f"{path}?watch=1&timeoutSeconds={seconds}", None, "", seconds + 30) as response:
            for line in response:
                event = json.loads(line)
                yield event["type"], event["object"]

    @contextlib.contextmanager
    def _open(
        self, method: str, path: str, body: t.Any, content_type: str, timeout: float
    ) -> t.Iterator[http.client.HTTPResponse]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}", "Content-Type": content_type}
        request = urllib.request.Request(self.host + path, data, headers, method=method)
        try:
            with _opener(str(self.ca_file)).open(request, timeout=timeout) as response:
                yield response
        except urllib.error.HTTPError as error:
            raise KubernetesError(f"{method} {path}", error.code, _message(error)) from error
        except (OSError, http.client.HTTPException) as error:
            raise KubernetesError(f"{method} {path}", 0, str(error)) from error


def answers(url: str, ca_file: Path, timeout: float = 2.0) -> bool:
    """Whether ``url`` answers with success now."""
    try:
        with _opener(str(ca_file)).open(url, timeout=timeout):
            return True
    except (OSError, http.client.HTTPException):
        return False


@functools.cache
def _opener(ca_file: str) -> urllib.request.OpenerDirector:
    """Goes straight to the address, whatever proxy the environment names."""
    https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), https)


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text).get("message", text))
    except ValueError:
        return text
