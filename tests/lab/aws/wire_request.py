# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP request as it came over the wire, before anything decoded it."""

from __future__ import annotations

import io
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class WireRequest:
    """``path`` and ``query`` are still percent-encoded; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def arguments(self) -> dict[str, str]:
        """The query string's parameters, decoded; the last of equal names wins."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @classmethod
    def from_environ(cls, environ: dict[str, t.Any]) -> WireRequest:
        """Read the whole request, and leave a body that can be read again in ``environ``."""
        body = _body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        path, _unused, query = environ["RAW_URI"].partition("?")
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        headers["content-length"] = str(len(body))
        return cls(environ["REQUEST_METHOD"], path, query, headers, body)


def _body(environ: dict[str, t.Any]) -> bytes:
    if environ.pop("wsgi.input_terminated", False):
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return bytes(environ["wsgi.input"].read())
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
