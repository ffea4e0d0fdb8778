# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask from within every pod of a namespace, again and again, whether an SDK's default chain finds credentials."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

ASKING = """
import time
import botocore.credentials
import botocore.session

session = botocore.session.get_session()
seen = None
while True:
    try:
        found = botocore.credentials.create_credential_resolver(session).load_credentials()
        keys = found.get_frozen_credentials()
        if keys != seen:
            caller = session.create_client(
                "sts", "us-east-1", aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.token,
            ).get_caller_identity()
            seen = keys
        print(time.time(), found.method, caller["Arn"].split("/")[1], flush=True)
    except Exception as error:
        print(time.time(), "none", type(error).__name__, flush=True)
    time.sleep(PAUSE)
"""
"""A new chain each time, as a process has that starts just then; whose credentials they are is asked of STS once."""


@dataclass(frozen=True)
class Answer:
    """What one pod found at a time: how, and whose credentials."""

    when: float
    app: str
    pod: str
    method: str
    role: str


class Poller:
    """Asks in each ready pod until that is on its way out. A context: it ends all that it started."""

    def __init__(self, lab: Lab, namespace: str, pause: float = 1) -> None:
        self._lab, self._namespace = lab, namespace
        self._code = ASKING.replace("PAUSE", str(pause))
        self._asking: dict[str, subprocess.Popen[str]] = {}
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self.answers: list[Answer] = []

    def __enter__(self) -> t.Self:
        self._start(self._watch)
        return self

    def __exit__(self, *_unused: object) -> None:
        self._ended.set()
        self._threads[0].join()
        for process in self._asking.values():
            process.terminate()
            process.wait()
        for thread in self._threads[1:]:
            thread.join()

    def _start(self, work: t.Callable[..., None], *given: t.Any) -> None:
        thread = threading.Thread(target=work, args=given)
        self._threads.append(thread)
        thread.start()

    def _watch(self) -> None:
        while not self._ended.is_set():
            pods = self._ready_pods()
            for name in set(self._asking) - set(pods):
                self._asking[name].terminate()
            for name in set(pods) - set(self._asking):
                self._ask(name, pods[name])
            time.sleep(0.3)

    def _ready_pods(self) -> dict[str, str]:
        found = self._lab.kubernetes_call(f"/api/v1/namespaces/{self._namespace}/pods")["items"]
        return {pod["metadata"]["name"]: pod["metadata"]["labels"]["app"] for pod in found if _is_ready(pod)}

    def _ask(self, pod: str, app: str) -> None:
        command = [str(self._lab.bin_dir / "kubectl"), "--context=lab-admin", "exec", "-n", self._namespace, pod, "--"]
        self._asking[pod] = process = subprocess.Popen(
            [*command, "python", "-c", self._code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
            env=self._lab.environment(),
        )
        self._start(self._listen, process, pod, app)

    def _listen(self, process: subprocess.Popen[str], pod: str, app: str) -> None:
        for line in process.stdout or ():
            when, method, role = line.split()
            if process.poll() is None:
                self.answers.append(Answer(float(when), app, pod, method, role))

    def await_answers(self, apps: t.Collection[str], seconds: float = 30) -> None:
        """Wait until each of the apps has answered anew."""
        since = time.time()
        answered = eventually(
            lambda: {answer.app for answer in list(self.answers) if answer.when > since}, set(apps).issubset, seconds
        )
        assert set(apps) <= answered, f"not every one of {apps} answers"

    def of(self, app: str) -> list[Answer]:
        """What its pods found, in the order of time."""
        return sorted((answer for answer in self.answers if answer.app == app), key=lambda answer: answer.when)


def _is_ready(pod: t.Any) -> bool:
    conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions") or ()}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def as_manifest(*objects: t.Any) -> str:
    """What kubectl apply takes."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
