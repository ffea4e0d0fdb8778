# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A script must not notice that a fork runs it, but for the time that it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.tools.warm_python import WarmPython
from ansible_collections.enbuild.eks.tests.unit.tools.sleepers import alive

SEEN = """
import json, os, sys
seen = {
    "arguments": sys.argv, "folder": os.getcwd(), "variables": dict(os.environ), "umask": os.umask(0),
    "input": sys.stdin.read(), "name": __name__, "file": __file__, "path": sys.path[0], "python": sys.executable,
}
print(json.dumps(seen))
print("a warning", file=sys.stderr)
sys.exit(3)
"""
ENDS = {
    "pass": (0, ""),
    "raise SystemExit": (0, ""),
    "raise SystemExit(300)": (44, ""),
    "raise SystemExit('a reason')": (1, "a reason\n"),
    "import os; os.kill(os.getpid(), 15)": (143, ""),
}
STILL_RUNS = """
import atexit, threading, time
atexit.register(print, "at exit")
threading.Thread(target=lambda: (time.sleep(0.2), print("in a thread"))).start()
"""
Run = t.Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def warm() -> t.Iterator[WarmPython]:
    with WarmPython.start("modules") as started:
        started.await_ready()
        yield started


@pytest.fixture
def run(warm: WarmPython, tmp_path: Path) -> Run:
    def call(script: str, *arguments: str, python: str = "", **more: t.Any) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "script.py"
        file.write_text(script)
        command = [python or str(warm.program), str(file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, **more)

    return call


def test_it_sees_what_plain_python_shows_it(run: Run, tmp_path: Path) -> None:
    given = {
        "cwd": tmp_path,
        "env": {"PATH": "/usr/bin", "COLOUR": "blue", "LC_CTYPE": "C.UTF-8"},
        "input": "a line\n",
        "umask": 0o27,
    }
    warm, plain = run(SEEN, "one", "two", **given), run(SEEN, "one", "two", python=sys.executable, **given)
    assert json.loads(warm.stdout) == json.loads(plain.stdout)
    assert (warm.returncode, warm.stderr) == (plain.returncode, plain.stderr) == (3, "a warning\n")


@pytest.mark.parametrize("script", ENDS)
def test_it_ends_as_the_script_does(run: Run, script: str) -> None:
    done = run(script)
    assert (done.returncode, done.stderr) == ENDS[script]


def test_a_traceback_is_shown(run: Run) -> None:
    done = run("raise KeyError('orders')")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "KeyError: 'orders'")


def test_threads_and_what_is_registered_for_the_end_are_awaited(run: Run) -> None:
    assert run(STILL_RUNS).stdout == "in a thread\nat exit\n"


def test_the_script_may_come_by_standard_input(warm: WarmPython) -> None:
    done = subprocess.run([warm.program], input="print(__name__)", capture_output=True, text=True, check=True)
    assert done.stdout == "__main__\n"


def test_what_modules_import_is_there_and_nothing_of_a_controller(run: Run) -> None:
    done = run("import sys; print(json.dumps(list(sys.modules)))".replace("json", "__import__('json')"))
    there = set(json.loads(done.stdout))
    assert {"boto3", "kubernetes.dynamic", "yaml", "ansible.module_utils.basic"} <= there
    assert not {name for name in there if name.startswith(("ansible._internal", "ansible.constants"))}


def test_each_caller_has_its_own_kubeconfig(run: Run) -> None:
    script = "from kubernetes import config; print(config.KUBE_CONFIG_DEFAULT_LOCATION)"
    for name in ("one", "two"):
        assert run(script, env={**os.environ, "KUBECONFIG": name}).stdout == f"{name}\n"
    without = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    assert run(script, env=without).stdout == "~/.kube/config\n"


def test_forks_do_not_share_chance(run: Run) -> None:
    script = "import random, uuid, tempfile; print(random.random(), uuid.uuid4(), tempfile.mktemp())"
    assert not set(run(script).stdout.split()) & set(run(script).stdout.split())


def test_whoever_ends_a_script_ends_what_it_started(warm: WarmPython, tmp_path: Path) -> None:
    seconds = f"331.{os.getpid()}"
    file = tmp_path / "script.py"
    file.write_text(f"import subprocess; subprocess.run(['sleep', '{seconds}'], start_new_session=True)")
    started = subprocess.Popen([warm.program, file])
    assert eventually(lambda: alive(seconds))
    started.kill()
    started.wait()
    warm.settle()
    assert not alive(seconds)


def test_without_its_server_it_is_a_plain_python(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys; print('boto3' in sys.modules)")
    with WarmPython.start("controller") as started:
        started.await_ready()
        command = [started.program, tmp_path / "script.py"]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"
        started.process.kill()
        started.process.wait()
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
        asked = subprocess.run([started.program, "-c", "print(7)"], capture_output=True, text=True, check=True)
        assert asked.stdout == "7\n"


def test_its_end_ends_what_it_runs(tmp_path: Path) -> None:
    seconds = f"332.{os.getpid()}"
    (tmp_path / "script.py").write_text(f"import subprocess; subprocess.run(['sleep', '{seconds}'])")
    with WarmPython.start("controller") as started:
        started.await_ready()
        running = subprocess.Popen([started.program, tmp_path / "script.py"])
        assert eventually(lambda: alive(seconds))
    assert running.wait(10) != 0
    assert eventually(lambda: not alive(seconds))


def test_ansible_packs_a_module_once_for_all_runs(warm: WarmPython, tmp_path: Path) -> None:
    with WarmPython.start("controller") as started:
        started.await_ready()
        ansible = str(Path(sys.executable).with_name("ansible"))
        ping = ["localhost", "-m", "ping", "-e", f"ansible_python_interpreter={warm.program}"]
        variables = {**os.environ, "ANSIBLE_LOCAL_TEMP": str(tmp_path)}
        packed, times = started.program.parent / "packed", []
        for _run in range(2):
            command = [str(started.program), ansible, *ping]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
            assert '"ping": "pong"' in done.stdout
            times.append([path.stat().st_mtime_ns for path in packed.glob("*ping*DEFLATED*")])
        assert times[0]
        assert times[0] == times[1]
        assert not list(tmp_path.iterdir()), "each run removes its own folder, and not what is shared"
