# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, Warm, run_playbook, warmed_by
from ansible_collections.enbuild.eks.tests.tools.warm_python import WarmPython
from ansible_collections.enbuild.eks.tests.unit.tools.sleepers import alive

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command: sleep {seconds}
"""


@pytest.fixture(scope="module")
def servers() -> t.Iterator[Warm]:
    with WarmPython.start("controller") as controller, WarmPython.start("modules") as modules:
        modules.await_ready()
        yield Warm(controller, modules)


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("interrupted", [False, True])
def test_nothing_goes_on_after_a_run_is_cut_off(tmp_path: Path, servers: Warm, warm: bool, interrupted: bool) -> None:
    seconds = f"330.{os.getpid()}{interrupted:d}{warm:d}"  # which no other process sleeps
    (tmp_path / "sleep.yml").write_text(PLAYBOOK.format(seconds=seconds))

    def watch(line: str) -> bool | None:
        if "TASK" not in line:
            return None
        assert eventually(lambda: alive(seconds))
        if interrupted:
            raise KeyboardInterrupt
        return True

    with warmed_by(servers if warm else None):
        if interrupted:
            with pytest.raises(KeyboardInterrupt):
                run_playbook([str(tmp_path / "sleep.yml")], ENVIRONMENT, watch)
        else:
            assert run_playbook([str(tmp_path / "sleep.yml")], ENVIRONMENT, watch).returncode == -9
    assert not alive(seconds)


SESSION = """
from ansible_collections.enbuild.eks.tests.tools.playbook_run import run_playbook
from ansible_collections.enbuild.eks.tests.unit.tools.test_playbook_run import ENVIRONMENT

def test_sleep():
    run_playbook(["sleep.yml"], ENVIRONMENT)
"""


@pytest.mark.parametrize(("end", "workers"), [(signal.SIGTERM, "0"), (signal.SIGTERM, "1"), (signal.SIGKILL, "0")])
def test_a_session_that_is_terminated_leaves_no_playbook_behind(tmp_path: Path, workers: str, end: int) -> None:
    seconds = f"333.{os.getpid()}{workers}{end}"
    (tmp_path / "sleep.yml").write_text(PLAYBOOK.format(seconds=seconds))
    (tmp_path / "test_session.py").write_text(SESSION)
    session = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-n", workers, "-p", "ansible_collections.enbuild.eks.tests.conftest", "."],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert eventually(lambda: alive(seconds), seconds=120)
        session.send_signal(end)
        session.wait(120)
        assert eventually(lambda: not alive(seconds))
    finally:
        session.kill()


STOPPED = """
TASK [enbuild.eks.eks_cluster : Read the cluster] ******************************
ok: [beta]
fatal: [{host}]: FAILED! => {{"changed": false, "msg": "No cluster named \\"prod\\".\\nName it."}}

TASK [Report the run] **********************************************************
{said}ok: [{host}]

TASK [Fail if the cluster stopped] *********************************************
fatal: [{host}]: FAILED! => {{"changed": false, "msg": "prod stopped at \\"Read the cluster\\", for the reason above."}}

PLAY RECAP *********************************************************************
"""
REASON = 'No cluster named "prod". Name it.'
END = 'prod stopped at "Read the cluster", for the reason above.'


def test_the_failure_of_one_cluster_is_its_tasks_and_of_a_fleet_the_reports() -> None:
    alone = PlaybookRun(STOPPED.format(host="localhost", said=""), 2, 1)
    assert alone.failure == f"{REASON}\n{END}"
    said = f'alpha stopped at "Read the cluster": {REASON}'
    assert PlaybookRun(STOPPED.format(host="alpha", said=f"{said}\n"), 2, 1).failure == said


def test_the_failure_without_a_report_is_the_last_message() -> None:
    output = 'TASK [Check] *\nfatal: [localhost]: FAILED! => {"msg": "awx.awx is missing."}\n\nPLAY RECAP *'
    assert PlaybookRun(output, 2, 1).failure == "awx.awx is missing."
    assert PlaybookRun("ok", 0, 1).failure == ""
