# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ansible-playbook as a user does, and read what it printed."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .process_tree import Guard, kill_whole
from .warm_python import INTERPRETER, WarmPython

SETTINGS = "[defaults]\ninternal_poll_interval = 0.01\n"
"""Ansible asks a thousand times a second whether a task has ended, which takes a tenth of its CPU."""
TASK = re.compile(r"^TASK \[(?P<name>.*)\] \**$", re.MULTILINE)


@dataclass(frozen=True)
class Warm:
    """What stands in for Python: for ansible-playbook itself, and for the modules of its playbooks."""

    controller: WarmPython
    modules: WarmPython

    @property
    def settings(self) -> Path:
        """Path of an ansible.cfg; it is written here."""
        path = self.controller.program.with_name("ansible.cfg")
        path.write_text(SETTINGS)
        return path


_warm: Warm | None = None


@dataclass(frozen=True)
class PlaybookRun:
    """A finished ansible-playbook: what it printed, how it ended, how long it took in seconds."""

    output: str
    returncode: int
    seconds: float

    def recap(self, key: str) -> int | None:
        """The sum over all hosts of one number of the recap, such as ``changed``; None without a recap."""
        found = re.findall(rf"\b{key}=(\d+)", self.output)
        return sum(int(number) for number in found) if found else None

    @property
    def tasks(self) -> dict[str, str]:
        """What each task printed, by its name; later tasks of the same name are added."""
        heads = list(TASK.finditer(self.output))
        ends = [head.start() for head in heads[1:]] + [self.output.find("\nPLAY RECAP")]
        found: dict[str, str] = {}
        for head, end in zip(heads, ends, strict=True):
            found[head["name"]] = found.get(head["name"], "") + self.output[head.end() : end]
        return found

    @property
    def changed(self) -> list[str]:
        """One entry for each change of an item or a task, as "task: item"; in the order of the run."""
        return [
            f"{name}: {item or ''}".rstrip(": ")
            for name, text in self.tasks.items()
            for item in re.findall(r"^changed: \[[^]]*\](?: => \(item=(.*?)\))?", text, re.MULTILINE)
        ]

    @property
    def stats(self) -> dict[str, t.Any]:
        """What the run passed on by set_stats; printed where ANSIBLE_SHOW_CUSTOM_STATS asks for it."""
        found = re.search(r"^\tRUN: (\{.*\})$", self.output, re.MULTILINE)
        return dict(json.loads(found[1])) if found else {}

    @property
    def failure(self) -> str:
        """Why the run failed: of a fleet the report's reasons, else those of the task that failed; "" if none did."""
        stopped = re.findall(r'^\S+ stopped at ".*', self.output, re.MULTILINE)
        found = list(dict.fromkeys(_messages(self.output)))
        end = re.search(r' stopped at "(.*?)", for the reason above', found[-1]) if found else None
        if stopped or not end:
            return "\n".join(stopped) or "".join(found[-1:])
        texts = [text for name, text in self.tasks.items() if name.rpartition(" : ")[2] == end[1]]
        return "\n".join([*_messages("".join(texts)), found[-1]])


def _messages(output: str) -> list[str]:
    """The messages of the tasks and items that failed, in order, each on one line."""
    failed = "\n".join(re.findall(r"^(?:fatal|failed): .*(?:\n[^\n]+)*", output, re.MULTILINE))
    found = re.findall(r'"msg": ("(?:[^"\\]|\\.)*")', failed)
    return [" ".join(str(json.loads(text)).split()) for text in found]


@contextlib.contextmanager
def warmed_by(warm: Warm | None) -> t.Iterator[None]:
    """Run playbooks and their modules by these meanwhile; None runs them as a user does."""
    global _warm
    before, _warm = _warm, warm
    try:
        yield
    finally:
        _warm = before


def run_playbook(
    arguments: t.Sequence[str],
    environment: t.Mapping[str, str],
    on_line: t.Callable[[str], bool | None] | None = None,
    cwd: str | None = None,
) -> PlaybookRun:
    """Run ``ansible-playbook`` to its end, or until ``on_line`` returns True for a line: then it is killed, whole.

    Whoever interrupts this, interrupts it, too: it is in a session of its own, which no Ctrl-C reaches.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [*_command(environment), *arguments],
        env={**_settings(cwd), **environment, "PYTHONUNBUFFERED": "1", "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        start_new_session=True,
    )
    lines = []
    with _guard().over(process.pid):
        try:
            for line in process.stdout or ():
                lines.append(line)
                if on_line and on_line(line):
                    _kill(process.pid)
                    break
            return PlaybookRun("".join(lines), process.wait(), time.monotonic() - started)
        except BaseException:
            _kill(process.pid)
            raise


def _command(environment: t.Mapping[str, str]) -> list[str]:
    program = shutil.which("ansible-playbook", path=environment.get("PATH"))
    if not _warm or program != str(Path(sys.executable).with_name("ansible-playbook")):
        return ["ansible-playbook"]
    return [str(_warm.controller.program), program]


def _settings(cwd: str | None) -> dict[str, str]:
    """Name the Python of warm runs, and their settings where the folder has none that these would hide."""
    if not _warm:
        return {}
    own = {} if Path(cwd or "", "ansible.cfg").exists() else {"ANSIBLE_CONFIG": str(_warm.settings)}
    return {**own, INTERPRETER: str(_warm.modules.program)}


def _kill(pid: int) -> None:
    kill_whole(pid)
    for server in (_warm.controller, _warm.modules) if _warm else ():
        server.settle()


@functools.cache
def _guard() -> Guard:
    return Guard()
