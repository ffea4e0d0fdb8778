# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a kubelet that starts ephemeral containers: processes of this machine, with their state and log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..kubernetes_api import Document, KubernetesApi, KubernetesError
from .image import locate, tools_of_image
from .sandbox import Sandbox, Sandboxes, ephemeral_containers
from .session import LAUNCHER
from .variables import NotStarted, expand

PATH = "/api/v1/pods"
WATCH = 300
"""Seconds that one watch lasts."""
PAUSE = 0.5
"""Seconds between two watches."""
START_FAILED = 128
"""The exit code that a runtime reports of a container whose program it can't start."""

State = dict[str, Document]


@dataclass
class Place:
    """A pod that got ephemeral containers."""

    path: str
    states: dict[str, Document] = field(default_factory=dict)
    """The status of each, by the container's name."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    gone: bool = False


class EphemeralContainers:
    """Follows all pods of the lab's nodes; each container runs once, and ends with its pod."""

    def __init__(self, api: KubernetesApi, sandboxes: Sandboxes, logs: Path) -> None:
        self._api, self._sandboxes, self._logs = api, sandboxes, logs
        self._places: dict[str, Place] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Follow in a thread that ends with the process."""
        threading.Thread(target=self._follow, daemon=True).start()

    def log_file(self, uid: str, container: str) -> Path:
        """Return where the output of a container is, if it has any."""
        return self._logs / uid / f"{container}.log"

    def _follow(self) -> t.NoReturn:
        while True:
            try:
                for kind, pod in self._api.events(PATH, WATCH):
                    self.see(kind, pod)
            except KubernetesError as error:
                print(error, flush=True)
            time.sleep(PAUSE)

    def see(self, kind: str, pod: Document) -> None:
        """Start what is new in a pod, and end what ran in one that goes."""
        if kind == "ERROR":
            return
        uid, going = pod["metadata"]["uid"], kind == "DELETED" or "deletionTimestamp" in pod["metadata"]
        if going:
            self._end(uid)
        elif pod.get("status", {}).get("phase") == "Running":
            for container in _new(pod, self._places.get(uid)):
                self._begin(pod, container)

    def _end(self, uid: str) -> None:
        place = self._places.pop(uid, None)
        if place is None:
            return
        with self._lock:
            place.gone = True
            for process in place.processes:
                with contextlib.suppress(ProcessLookupError):
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)

    def _begin(self, pod: Document, container: Document) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        place = self._places.setdefault(metadata["uid"], Place(path))
        place.states[container["name"]] = {}
        # The process ends with the thread that starts it, so that this one stays.
        threading.Thread(target=self._run, args=(place, pod, container), daemon=True).start()

    def _run(self, place: Place, pod: Document, container: Document) -> None:
        """Run one container to its end, and report each of its states."""
        if obstacle := _obstacle(pod, container):
            self._report(place, container, {"waiting": obstacle})
            return
        try:
            sandbox = self._sandboxes.make(pod, container)
            process, began = self._process(place, pod, container, sandbox), _now()
        except (NotStarted, KubernetesError) as error:
            self._report(place, container, {"waiting": _waiting("CreateContainerError", str(error))})
            return
        if process is None:
            self._report(place, container, {"terminated": _not_started(container)})
            return
        self._report(place, container, {"running": {"startedAt": began}})
        code = process.wait()
        self._report(place, container, {"terminated": _terminated(code, began)})

    def _process(
        self, place: Place, pod: Document, container: Document, sandbox: Sandbox
    ) -> subprocess.Popen[bytes] | None:
        """Return the container's process; None if its image hasn't got the program."""
        words = _command(container, sandbox)
        program = locate(words[0], sandbox.image)
        if program is None:
            return None
        log = self.log_file(pod["metadata"]["uid"], container["name"])
        log.parent.mkdir(parents=True, exist_ok=True)
        launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(program), *words[1:]]
        streams: dict[str, t.Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        with self._lock, log.open("wb") as output:
            if place.gone:
                raise NotStarted("the pod is gone")
            process = subprocess.Popen(
                launched,
                stdout=output,
                **streams,
                cwd=sandbox.folder,
                env=sandbox.environment,
                start_new_session=True,
            )
            place.processes.append(process)
            return process

    def _report(self, place: Place, container: Document, state: State) -> None:
        """Write the state into the pod's status; the list there is replaced as a whole."""
        with self._lock:
            place.states[container["name"]] = _status(container, state)
            if place.gone:
                return
            statuses = [one for one in place.states.values() if one]
            with contextlib.suppress(KubernetesError):  # The pod may have gone.
                body = {"status": {"ephemeralContainerStatuses": statuses}}
                self._api.call("PATCH", place.path, body, "application/merge-patch+json")


def _new(pod: Document, place: Place | None) -> list[Document]:
    """Return the containers that nobody has started yet."""
    known = {one["name"] for one in pod["status"].get("ephemeralContainerStatuses") or []}
    known |= set(place.states) if place else set()
    return [one for one in ephemeral_containers(pod) if one["name"] not in known]


def _obstacle(pod: Document, container: Document) -> Document | None:
    """Return why a container waits for ever, as the kubelet says it."""
    image, name = container["image"], container["name"]
    if tools_of_image(image) is None:
        failed = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": not found'
        return _waiting("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {failed}')
    if _wanted(pod, container, "runAsNonRoot") and not _wanted(pod, container, "runAsUser"):
        said = f'container has runAsNonRoot and image will run as root (pod: "{pod["metadata"]["name"]}"'
        return _waiting("CreateContainerConfigError", f"{said}, container: {name})")
    return None


def _wanted(pod: Document, container: Document, name: str) -> t.Any:
    """Return a value of the security context: the container's own before the pod's."""
    own, whole = container.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    return own.get(name, whole.get(name))


def _command(container: Document, sandbox: Sandbox) -> list[str]:
    """Return program and arguments; a shell, which finds no input, where the image's own would run."""
    words = [*(container.get("command") or ["sh"]), *(container.get("args") or [])]
    return [expand(word, sandbox.environment) for word in words]


def _status(container: Document, state: State) -> Document:
    running = "running" in state
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": running,
        "restartCount": 0,
        "state": state,
    }


def _waiting(reason: str, message: str) -> Document:
    return {"reason": reason, "message": message}


def _not_started(container: Document) -> Document:
    program = (container.get("command") or ["sh"])[0]
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        f'unable to start container process: exec: "{program}": executable file not found in $PATH: unknown'
    )
    ended = {"startedAt": "1970-01-01T00:00:00Z", "finishedAt": _now()}
    return {"exitCode": START_FAILED, "reason": "StartError", "message": message, **ended}


def _terminated(code: int, began: str) -> Document:
    shown = 128 - code if code < 0 else code
    reason = "Error" if shown else "Completed"
    return {"exitCode": shown, "reason": reason, "startedAt": began, "finishedAt": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
