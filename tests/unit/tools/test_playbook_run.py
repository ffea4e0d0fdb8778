# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.tools.playbook_run import run_playbook

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command: sleep {seconds}
"""


def alive(seconds: str) -> list[str]:
    """The processes that sleep so long."""
    return [each.parent.name for each in Path("/proc").glob("[0-9]*/cmdline") if _said(each) == ["sleep", seconds]]


def _said(path: Path) -> list[str]:
    try:
        return path.read_text().split("\0")[:2]
    except OSError:
        return []


@pytest.mark.parametrize("interrupted", [False, True])
def test_nothing_goes_on_after_a_run_is_cut_off(tmp_path: Path, interrupted: bool) -> None:
    seconds = f"30.{os.getpid()}{interrupted:d}"  # which no other process sleeps
    (tmp_path / "sleep.yml").write_text(PLAYBOOK.format(seconds=seconds))

    def watch(line: str) -> bool | None:
        if "TASK" not in line:
            return None
        assert eventually(lambda: alive(seconds))
        if interrupted:
            raise KeyboardInterrupt
        return True

    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            run_playbook([str(tmp_path / "sleep.yml")], environment, watch)
    else:
        assert run_playbook([str(tmp_path / "sleep.yml")], environment, watch).returncode == -9
    assert eventually(lambda: not alive(seconds)), "a killed process takes a moment to be gone, not longer"
