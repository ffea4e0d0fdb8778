# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._core import fork


class Interrupted(BaseException):
    """What an alarm raises."""


def test_what_it_prints_is_returned() -> None:
    def prints() -> None:
        print("é" * 100_000)
        subprocess.run(["sh", "-c", "echo of a program >&2"], check=True)
        sys.exit(3)

    ended = fork.call(prints)
    assert (ended.status, ended.output, ended.errors) == (3, "é" * 100_000 + "\n", "of a program\n")


@pytest.mark.parametrize(
    ("ends", "status"),
    [(None, 0), (SystemExit(), 0), (SystemExit("why"), 1), (KeyError("orders"), 1), (Interrupted(), 1)],
    ids=["returns", "exits", "exits with a reason", "raises", "raises what no one catches"],
)
def test_it_never_returns_to_the_code_that_called_it(ends: BaseException | None, status: int) -> None:
    before = os.getpid()

    def ending() -> None:
        if ends:
            raise ends

    assert fork.call(ending).status == status
    assert os.getpid() == before


def test_a_traceback_is_among_the_errors() -> None:
    assert "ZeroDivisionError" in fork.call(lambda: print(1 // 0)).errors


def test_a_signal_that_ends_it_is_its_status() -> None:
    assert fork.call(lambda: os.kill(os.getpid(), signal.SIGTERM)).status == -signal.SIGTERM


def test_what_it_changes_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM", "shop")
    fork.call(lambda: os.environ.update(TEAM="another"))
    assert os.environ["TEAM"] == "shop"


def test_only_what_it_registers_itself_is_done_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "own").touch()

    def registering() -> None:
        atexit.register((tmp_path / "own").unlink)

    ours = atexit.register((tmp_path / "ours").touch)
    try:
        fork.call(registering)
    finally:
        atexit.unregister(ours)
    assert list(tmp_path.iterdir()) == []


def test_an_alarm_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    forked: list[int] = []
    plain = os.fork

    def recorded() -> int:
        forked.append(plain())
        return forked[-1]

    monkeypatch.setattr(os, "fork", recorded)

    def interrupt(*_of: t.Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    begun = time.monotonic()
    try:
        with pytest.raises(Interrupted):
            fork.call(lambda: time.sleep(60))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 30
    with pytest.raises(ProcessLookupError):
        os.kill(forked[0], 0)
