# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What labs reserve: ports, and their own folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab import ports
from ansible_collections.enbuild.eks.tests.lab.errors import LabError
from ansible_collections.enbuild.eks.tests.lab.layout import lab_folder, write_private
from ansible_collections.enbuild.eks.tests.lab.lock import hold, holder
from ansible_collections.enbuild.eks.tests.lab.ports import BLOCK, FIRST, PortBlock, is_free


@pytest.fixture
def room_for_two(monkeypatch: pytest.MonkeyPatch) -> range:
    """Two blocks of ports that nobody listens on now."""
    first = next(base for base in range(FIRST, 32000, BLOCK) if all(map(is_free, range(base, base + 2 * BLOCK))))
    monkeypatch.setattr(ports, "FIRST", first)
    monkeypatch.setattr(ports, "LAST", first + 2 * BLOCK)
    return range(first, first + 2 * BLOCK)


def test_blocks_never_overlap_and_come_back(tmp_path: Path, room_for_two: range) -> None:
    one, two = PortBlock(tmp_path, 5), PortBlock(tmp_path, 5)
    assert not set(one.ports) & set(two.ports)
    assert {*one.ports, *two.ports} <= set(room_for_two)
    with pytest.raises(LabError, match="no 5 free ports"):
        PortBlock(tmp_path, 5)
    one.release()
    assert PortBlock(tmp_path, 5).ports == one.ports


def test_a_block_with_a_listener_is_passed_over(tmp_path: Path, room_for_two: range) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", room_for_two[2]))
        server.listen()
        assert PortBlock(tmp_path, 5).ports[0] == room_for_two[BLOCK]


def test_a_lock_tells_its_holder_until_that_ends(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert holder(lock) is None
    code = f"""
from pathlib import Path
from ansible_collections.enbuild.eks.tests.lab.lock import hold
with hold(Path({str(lock)!r})) as mine:
    print(mine, flush=True)
    input()
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"True\n"
    assert holder(lock) == other.pid
    with hold(lock) as mine:
        assert not mine
    other.kill()
    other.wait()
    assert holder(lock) is None
    with hold(lock) as mine:
        assert mine
        assert holder(lock) == os.getpid()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a b", "x" * 41, "a\n"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="can't name a lab"):
        lab_folder(name)


def test_a_private_file_stays_private_when_it_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a longer text that others may read")
    path.chmod(0o644)
    assert write_private(path, "secret").read_text() == "secret"
    assert path.stat().st_mode & 0o777 == 0o600
