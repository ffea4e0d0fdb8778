# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Issued
from ansible_collections.enbuild.eks.plugins.module_utils._identity.exec_probe import (
    COMMANDS,
    compared,
    plays,
    read,
)

TOKEN = "the-pods-own-token"
GIVEN = {
    "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "the-secret-key",
    "Token": "the-session-token",
    "AccountId": "123456789012",
    "Expiration": "2030-01-01T00:00:00Z",
}
ROLE = "arn:aws:iam::123456789012:role/team/orders"
SESSION = "arn:aws:sts::123456789012:assumed-role/orders/eks-lab-x"


class Agent(http.server.BaseHTTPRequestHandler):
    """Gives credentials to whoever has the token, as AWS's agent does."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == TOKEN
        body = json.dumps(GIVEN, indent=1).encode() if known else b"(AccessDenied): no"
        self.send_response(200 if known else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: t.Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def agent() -> t.Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/credentials"
    server.shutdown()
    server.server_close()


def image(folder: Path, *programs: str) -> str:
    """A PATH with these programs alone, and what every image with a shell has."""
    for program in ("sh", "cat", *programs):
        if (found := shutil.which(program)) is None:
            pytest.skip(f"{program} isn't on this machine")
        (folder / program).symlink_to(found)
    return str(folder)


def ask(command: t.Sequence[str], path: str, uri: str, token_file: Path) -> str:
    given = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token_file)}
    environment = {"PATH": path, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", **given, "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    for secret in (GIVEN["AccessKeyId"], GIVEN["SecretAccessKey"], GIVEN["Token"], TOKEN):
        assert secret not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("program", ["curl", "wget", "busybox"])
@pytest.mark.parametrize("token", [TOKEN, "another"])
def test_a_pod_asks_with_what_its_image_has(program: str, token: str, agent: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token)
    (tmp_path / "bin").mkdir()
    printed = ask(COMMANDS[0], image(tmp_path / "bin", program), agent, tmp_path / "token")
    found = read(printed, "a")
    assert found
    assert (found.tool, found.good) == (program, token == TOKEN)
    assert ("proof.account=123456789012" in printed) == (token == TOKEN)


@pytest.mark.parametrize("token", [TOKEN, "another"])
def test_python_asks_first_where_it_is(token: str, agent: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(Path(sys.executable).resolve())
    printed = ask(COMMANDS[0], f"{image(tmp_path / 'bin')}{os.pathsep}", agent, tmp_path / "token")
    found = read(printed, "a")
    assert found
    assert (found.tool, found.good) == ("python", token == TOKEN)
    assert found.message == (
        "" if token == TOKEN else "Pod a asked the agent by python, and got no credentials (HTTPError 400)"
    )


def test_an_image_with_nothing_says_so(agent: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert read(ask(COMMANDS[0], image(tmp_path / "bin"), agent, tmp_path / "token"), "a") is None


def test_what_the_pod_says_is_cleaned() -> None:
    """Its image decides what it prints: an end of the line, a mark that turns the text around, very much of it."""
    found = read(
        "\n".join(["proof.tool=cu\u202erl\x1b[2J", "proof.came=no", f"proof.error={'x' * 9000}", "other=1"]), "a"
    )
    assert found
    assert found.tool == "curl[2J"
    assert len(found.message) < 400


@pytest.mark.parametrize(
    ("assumed", "role", "same"),
    [
        (SESSION, ROLE, True),
        (SESSION, ROLE + "-old", False),
        (SESSION, ROLE.replace("123456789012", "210987654321"), False),
        ("arn:aws:iam::123456789012:user/orders", ROLE, False),
        ("nonsense", ROLE, False),
    ],
)
def test_a_session_is_known_by_account_and_role(assumed: str, role: str, same: bool) -> None:
    assert plays(assumed, role) is same


def test_another_role_than_the_associations_is_no_proof() -> None:
    found = Issued("exec", True, SESSION, pod="a")
    assert compared(found, {"role_arn": ROLE}) == found
    assert compared(found, {"role_arn": ROLE, "target_role_arn": ROLE + "-x"}).good is False
    assert compared(Issued("exec", True), {"role_arn": ROLE}).good


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        ("NoCredentialsError", True),
        ("ValueError", True),
        ("ModuleNotFoundError", False),
        ("EndpointConnectionError", False),
    ],
)
def test_an_sdk_that_finds_no_credentials_is_told_from_one_that_is_not_there(error: str, kept: bool) -> None:
    found = read(f"proof.tool=python\nproof.came=yes\nproof.sdk={error}", "a")
    assert found
    assert found.sdk_error == (error if kept else "")
