# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job as AWX runs it: the private data directory, transmitted to a worker, whose answer is processed.

Made after AWX 24.6.1 (awx/main/tasks: jobs.py, receptor.py, callback.py), by the same ansible-runner. What lies
between the two in a real AWX, receptor, passes bytes on; here a pipe does.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import ansible_runner
import yaml
from ansible_runner.utils import args2cmdline

from .credentials import Credential
from .pod import Pod
from .project import Project

GRACE = 30
"""Seconds that Kubernetes gives a pod to end."""
Data = dict[str, t.Any]
Event = dict[str, t.Any]


@dataclass(frozen=True)
class Job:
    """What a job template, its survey and a launch come to.

    ``extra_vars`` are the template's own; ``answers`` come from a survey or a launch, and may be anything.
    """

    playbook: str
    hosts: t.Mapping[str, Data]
    answers: t.Mapping[str, t.Any] = field(default_factory=dict)
    extra_vars: t.Mapping[str, t.Any] = field(default_factory=dict)
    credentials: t.Sequence[Credential] = ()
    job_type: t.Literal["run", "check"] = "run"
    diff_mode: bool = False
    limit: str = ""
    job_tags: str = ""
    verbosity: int = 0
    id: int = 1

    @property
    def arguments(self) -> list[str]:
        """What ansible-playbook gets beside the playbook, the inventory and the variables."""
        return [
            *(["--check"] if self.job_type == "check" else []),
            *("-u", "root"),
            *(["--diff"] if self.diff_mode else []),
            *(["-l", self.limit] if self.limit else []),
            *(["-t", self.job_tags] if self.job_tags else []),
            *([f"-{'v' * self.verbosity}"] if self.verbosity else []),
        ]


@dataclass(frozen=True)
class Finished:
    """A finished job, as AWX keeps it. ``command`` is what the worker ran."""

    status: str
    events: list[Event]
    command: list[str]

    @property
    def output(self) -> str:
        """What the job's page shows."""
        return "\n".join(event["stdout"] for event in self.events if event.get("stdout"))

    @property
    def artifacts(self) -> Data:
        """What the next nodes of a workflow get."""
        found = [event["event_data"].get("artifact_data") for event in self._with_data("playbook_on_stats")]
        return next(filter(None, reversed(found)), {})

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks that began, in order."""
        return [event["event_data"]["name"] for event in self._with_data("playbook_on_task_start")]

    @property
    def task_files(self) -> set[str]:
        """The files that the tasks are written in, without the line."""
        started = self._with_data("playbook_on_task_start")
        return {event["event_data"]["task_path"].rpartition(":")[0] for event in started}

    @property
    def changed(self) -> list[str]:
        """The tasks, or the items of one, that changed something or would."""
        return [
            event["event_data"]["task"]
            for kind in ("runner_on_ok", "runner_item_on_ok")
            for event in self._with_data(kind)
            if event["event_data"]["res"].get("changed") and "results" not in event["event_data"]["res"]
        ]

    @property
    def failure(self) -> str:
        """The last message that a task failed with, but for the end of the playbook; "" if none did."""
        failed = [event["event_data"] for event in self._with_data("runner_on_failed")]
        messages = [data["res"].get("msg", "") for data in failed if data["task"] != "Fail if the cluster stopped"]
        return str(messages[-1]) if messages else ""

    def _with_data(self, kind: str) -> t.Iterator[Event]:
        return (event for event in self.events if event["event"] == kind and event.get("event_data"))


class _Unsafe(yaml.SafeDumper):
    """Writes text that Ansible doesn't template."""

    def represent_data(self, data: t.Any) -> t.Any:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def run(
    job: Job, project: Project, pod: Pod, folder: Path, cancel_at: t.Callable[[Event], bool] = lambda _event: False
) -> Finished:
    """Run a job to its end, or cancel it at the first event for which ``cancel_at`` is true."""
    given = _parameters(job, _private_data(job, project, folder), pod)
    worker = pod.start()
    transmitter = threading.Thread(target=_transmit, args=(given, worker))
    transmitter.start()
    watch = _Watch(cancel_at, worker)
    # In a thread, as in AWX: in the first one, ansible-runner would take the process' signals over.
    processor = threading.Thread(target=watch.process, args=(given,))
    processor.start()
    for thread in (transmitter, processor):
        thread.join()
    _end(worker)
    return Finished(watch.status, watch.events, watch.command)


def _transmit(given: Data, worker: subprocess.Popen[bytes]) -> None:
    # A worker that ended early is the processor's to tell.
    with contextlib.suppress(BrokenPipeError), t.cast("t.IO[bytes]", worker.stdin) as stream:
        ansible_runner.interface.run(streamer="transmit", _output=stream, **given)


class _Watch:
    """Keeps what the worker says, until the job is canceled: then it is told to end, and heard no more."""

    def __init__(self, cancel_at: t.Callable[[Event], bool], worker: subprocess.Popen[bytes]) -> None:
        self.status = "running"
        self.events: list[Event] = []
        self.command: list[str] = []
        self._cancel_at, self._worker = cancel_at, worker

    def process(self, given: Data) -> None:
        handlers = {"event_handler": self._event, "status_handler": self._status}
        ansible_runner.interface.run(streamer="process", quiet=True, _input=self._worker.stdout, **handlers, **given)

    def _event(self, event: Event) -> bool:
        if self.status != "canceled":
            self.events.append(event)
            if self._cancel_at(event):
                self.status = "canceled"
                Pod.delete(self._worker)
        return False

    def _status(self, data: Data, runner_config: t.Any) -> None:
        if self.status != "canceled":
            self.status = data["status"]
            self.command = data.get("command", self.command)


def _end(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(GRACE)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _private_data(job: Job, project: Project, folder: Path) -> Path:
    """Write all that the job is, in the places where AWX writes it."""
    place = Path(tempfile.mkdtemp(prefix=f"awx_{job.id}_", dir=folder))
    for name in ("inventory", "env", "cp"):
        (place / name).mkdir(mode=0o700)
    shutil.copytree(project.checkout, place / "project", symlinks=True)
    shutil.copytree(project.collections, place / "requirements_collections", symlinks=True)
    (place / "requirements_roles").mkdir()
    (place / "env" / "extravars").write_text(_variables(job))
    (place / "env" / "cmdline").write_text(args2cmdline(*job.arguments))
    settings = {"job_timeout": 0, "suppress_ansible_output": True, "suppress_output_file": True}
    (place / "env" / "settings").write_text(json.dumps(settings))
    inventory = place / "inventory" / "hosts"
    inventory.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(_inventory(job))!r})\n")
    inventory.chmod(0o700)
    return place


def _inventory(job: Job) -> Data:
    tower = {"remote_tower_enabled": "true"}
    numbered = {
        name: {**given, **tower, "remote_tower_id": number} for number, (name, given) in enumerate(job.hosts.items(), 1)
    }
    return {"all": {"hosts": list(numbered)}, "_meta": {"hostvars": numbered}}


def _variables(job: Job) -> str:
    """Only what is the template's own, and not answered otherwise, may be templated."""
    about = {"job_id": job.id, "job_launch_type": "manual", "user_name": "admin", "project_revision": "0" * 40}
    meta = {f"{prefix}_{name}": value for prefix in ("awx", "tower") for name, value in about.items()}
    merged = {**job.extra_vars, **job.answers, **meta}
    return "".join(
        yaml.dump({name: value}, Dumper=yaml.SafeDumper if job.extra_vars.get(name) == value else _Unsafe)
        for name, value in merged.items()
    )


def _parameters(job: Job, place: Path, pod: Pod) -> Data:
    """What AWX hands to ansible-runner, for both of its ends."""
    return {
        "ident": job.id,
        "private_data_dir": str(place),
        "playbook": job.playbook,
        "inventory": str(place / "inventory" / "hosts"),
        "suppress_env_files": True,
        "envvars": {**_environment(place, pod), **_credentials(job, place, pod)},
        "fact_cache_type": "",
    }


def _environment(place: Path, pod: Pod) -> dict[str, str]:
    collections = [f"{pod.runner}/requirements_collections", "~/.ansible/collections", "/usr/share/ansible/collections"]
    roles = [f"{pod.runner}/requirements_roles", "~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles"]
    return {
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{pod.runner}/cp",
        "ANSIBLE_COLLECTIONS_PATH": ":".join(collections),
        "ANSIBLE_ROLES_PATH": ":".join(roles),
        "AWX_HOST": "https://awx.example.com",
        "AWX_PRIVATE_DATA_DIR": str(place),
        "INVENTORY_ID": "1",
        "JOB_ID": "1",
        "MAX_EVENT_RES": "700000",
        "PROJECT_REVISION": "0" * 40,
    }


def _credentials(job: Job, place: Path, pod: Pod) -> dict[str, str]:
    """Variables of the credentials; files lie in env/, and are named as the pod sees them."""
    found: dict[str, str] = {}
    for credential in job.credentials:
        found |= credential.variables
        for number, (name, text) in enumerate(credential.files.items()):
            file = f"env/tmp{len(found)}{number}"
            (place / file).write_text(text)
            found[name] = f"{pod.runner}/{file}"
    return found
