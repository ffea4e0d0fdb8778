# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.node.busybox_wget import USAGE, main


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was sent, or refuses."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/v1") else 404)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['Authorization']}".encode())

    def log_message(self, *args: t.Any) -> None:
        pass


@pytest.fixture
def url() -> t.Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_with_a_header(url: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["-q", "-T", "5", "-O", "-", "--header", "Authorization: x:y", f"{url}/v1/credentials?a=b"]) is None
    assert capfdbinary.readouterr().out == b"/v1/credentials?a=b x:y"


def test_a_file_that_is_not_overwritten(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([f"{url}/v1/page"]) is None
    assert (tmp_path / "page").read_text() == "/v1/page None"
    assert main([f"{url}/v1/page"]) == "can't open 'page': File exists"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--method=PUT", "{url}"], f"unrecognized option: method\n{USAGE}"),
        (["-nv", "{url}"], f"unrecognized option: n\n{USAGE}"),
        ([], "missing URL operand"),
        (["{url}/none"], "server returned error: HTTP/1.1 404 Not Found"),
        (["http://127.0.0.1:9/"], "can't connect to remote host (127.0.0.1): Connection refused"),
        (["https://127.0.0.1:9/"], "not an http or ftp url: https://127.0.0.1:9/"),
    ],
)
def test_how_it_fails(url: str, arguments: list[str], said: str) -> None:
    assert main([argument.format(url=url) for argument in arguments]) == said
