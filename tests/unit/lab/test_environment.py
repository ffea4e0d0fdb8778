# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest
from ansible_collections.enbuild.eks.tests.lab.environment import merged, shell_lines

NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True).map("LAB_{}".format)
VALUES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
FOLDERS = [Path("/lab/bin"), Path("/venv/bin")]


@hypothesis.settings(max_examples=25)
@hypothesis.given(st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_shell_gets_exactly_the_values(own: dict[str, str]) -> None:
    script = "\n".join(shell_lines(own, {"PATH": "/usr/bin:/bin"}, [])) + "\nexec env -0"
    bare = {"PATH": "/usr/bin:/bin"}
    printed = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env=bare).stdout.decode()
    found = dict(entry.split("=", 1) for entry in printed.split("\0") if entry)
    assert {name: found.get(name) for name in own} == own


@pytest.mark.parametrize(
    "name",
    [
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_S3",
        "ANSIBLE_INVENTORY",
        "K8S_AUTH_HOST",
        "KUBECONFIG",
        "HELM_DRIVER",
    ],
)
def test_what_the_user_had_set_for_such_tools_is_gone(name: str) -> None:
    base = {name: "mine", "PATH": "/bin", "EDITOR": "vi"}
    assert name not in merged({"AWS_REGION": "r"}, base, FOLDERS)
    assert f"unset {name}" in shell_lines({"AWS_REGION": "r"}, base, FOLDERS)
    assert merged({name: "the lab's"}, base, FOLDERS)[name] == "the lab's"


def test_everything_else_stays_as_it_is() -> None:
    base = {"PATH": "/bin", "EDITOR": "vi"}
    assert merged({}, base, FOLDERS)["EDITOR"] == "vi"
    assert not [line for line in shell_lines({}, base, FOLDERS) if "EDITOR" in line]


def test_the_labs_programs_come_first_however_often() -> None:
    once = merged({}, {"PATH": "/bin:/venv/bin:/sbin"}, FOLDERS)
    assert once["PATH"] == "/lab/bin:/venv/bin:/bin:/sbin"
    assert merged({}, once, FOLDERS)["PATH"] == once["PATH"]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ({}, None),
        ({"no_proxy": "example.com"}, None),
        ({"HTTPS_PROXY": "http://proxy"}, "127.0.0.1,localhost"),
        ({"https_proxy": "http://proxy", "NO_PROXY": "example.com,localhost"}, "example.com,localhost,127.0.0.1"),
    ],
)
def test_calls_to_the_lab_pass_by_a_proxy(base: dict[str, str], expected: str | None) -> None:
    found = merged({}, base, [])
    if expected is None:
        assert found.get("NO_PROXY") == base.get("NO_PROXY")
    else:
        assert (found["NO_PROXY"], found["no_proxy"]) == (expected, expected)
