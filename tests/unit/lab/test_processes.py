# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.errors import LabError, last_line, with_log
from ansible_collections.enbuild.eks.tests.lab.processes import end, end_orphans, spawn

SLEEP = ["sh", "-c", "echo up; sleep 600 & wait"]


def started(*words: str) -> subprocess.Popen[bytes]:
    process = spawn([*SLEEP, *words], environment=dict(os.environ), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def test_an_end_takes_the_children_along() -> None:
    process = started()
    end([process])
    assert process.returncode == -9
    assert process.stdout is not None
    assert process.stdout.read() == b""  # It would block while the child held the pipe.


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has ended")
def test_a_process_dies_with_the_one_that_started_it() -> None:
    code = """
import os, time
from ansible_collections.enbuild.eks.tests.lab.processes import spawn
spawn(["sleep", "600"], environment=dict(os.environ))
print("up", flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    parent.kill()
    assert parent.stdout.read() == b""  # It would block while the child held the pipe.
    parent.wait()


def test_what_cannot_run_is_named() -> None:
    with pytest.raises(LabError, match=r"^can't run /nowhere/etcd: No such file or directory$"):
        spawn(["/nowhere/etcd"], environment={})


def test_orphans_are_ended_but_not_who_has_got_their_number(tmp_path: Path) -> None:
    orphan, stranger = started(f"{tmp_path}/data"), started("something else")
    ids = tmp_path / "processes"
    ids.write_text(f"{orphan.pid}\n{stranger.pid}\n")
    end_orphans(ids, str(tmp_path))
    try:
        assert orphan.wait() == -9
        assert orphan.stdout is not None
        assert orphan.stdout.read() == b""
        assert stranger.poll() is None
    finally:
        end([orphan, stranger])
    end_orphans(tmp_path / "none", str(tmp_path))


@pytest.mark.parametrize(
    ("log", "said"),
    [("one\ntwo \n\n", "two"), ("", ""), ("x" * 300, "x" * 200)],
)
def test_the_last_line_that_says_anything(tmp_path: Path, log: str, said: str) -> None:
    path = tmp_path / "part.log"
    path.write_text(log)
    assert last_line(path) == said
    assert with_log("etcd ended", path) == (
        f"etcd ended; its log, {path}, ends with: {said}" if said else f"etcd ended; its log, {path}, is empty"
    )
