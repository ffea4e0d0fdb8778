# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start labs, find them, talk to them: what the command line and the tests use."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import typing as t
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ..lab.eventually import eventually
from . import binaries, environment
from .errors import LabError, last_line
from .kubernetes_api import Document, KubernetesApi
from .layout import DEFAULT_NAME, Layout, lab_folder, write_private
from .lock import holder
from .parts import PACKAGE
from .webhook import Harm, harmed

Say = t.Callable[[str], None]
STOP_TIMEOUT = 15.0
"""Seconds that a supervisor gets for its orderly end."""
LAST_BREATH = 0.5
"""Seconds for it to disappear then; in a container whose first process reaps nothing it never does."""
ANSWER_TIMEOUT = 30
"""Seconds for a call to a control endpoint."""


@dataclass(frozen=True)
class Kubernetes:
    """Where the API server is, and how to get in."""

    host: str
    ca_file: Path
    admin_token_file: Path
    kubeconfig: Path


@dataclass(frozen=True)
class Lab:
    """A lab that runs."""

    folder: Path
    name: str
    pid: int
    region: str
    account_id: str
    cluster_name: str
    aws_endpoint_url: str
    webhook_url: str
    access_key_id: str
    secret_access_key: str
    control_token_file: Path
    kubernetes: Kubernetes
    chart_repository_url: str
    bin_dir: Path

    @classmethod
    def start(cls, name: str = DEFAULT_NAME, *, tied: bool = False, say: Say = lambda _unused: None) -> Lab:
        """Start a lab, or return the one of that name that runs; LabError if it doesn't come up.

        A ``tied`` lab ends with this process at the latest.
        """
        layout = Layout(lab_folder(name))
        if find(name):
            say(f"lab {name} runs already")
        else:
            _start(layout, name, tied, say)
        return cls.load(name)

    @classmethod
    def load(cls, name: str = DEFAULT_NAME) -> Lab:
        """Return the lab of that name; LabError if it doesn't run."""
        found = find(name)
        if found is None:
            raise LabError(f"lab {name} {_state(name)} (make lab-up{_named(name)})")
        return found

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the lab with all of its processes; its logs stay."""
        stop(self.name)

    def environment(self, base: t.Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a process that is to work on this lab."""
        before = os.environ if base is None else base
        return environment.merged(environment.variables(self), before, environment.program_folders(self.bin_dir))

    def shell_variables(self) -> dict[str, str]:
        """Return the lab's own variables for a shell, among them an inventory that has the lab's cluster."""
        return environment.variables(self) | {"ANSIBLE_INVENTORY": str(Layout(self.folder).inventory)}

    def shell_lines(self) -> list[str]:
        """Return what a shell on the lab has to evaluate."""
        folders = environment.program_folders(self.bin_dir)
        return environment.shell_lines(self.shell_variables(), os.environ, folders)

    def aws(self, service: str, **options: t.Any) -> t.Any:
        """Return a boto3 client of the account's operator."""
        import boto3  # Slow to import, and the command line does without.

        session = boto3.session.Session(self.access_key_id, self.secret_access_key, region_name=self.region)
        return session.client(service, endpoint_url=self.aws_endpoint_url, **options)

    def open_account(self, account_id: str, external_id: str = "") -> str:
        """Let the operator into another account until the next reset, and return the role to assume there."""
        body = {"account_id": account_id, "external_id": external_id}
        return str(self.control("POST", "accounts", body)["role_arn"])

    def aws_as(self, role_arn: str, service: str, external_id: str = "", **options: t.Any) -> t.Any:
        """Return a boto3 client of the operator in the role of an account that was opened."""
        given = {"ExternalId": external_id} if external_id else {}
        session = self.aws("sts").assume_role(RoleArn=role_arn, RoleSessionName="lab", **given)["Credentials"]
        names = {
            "AccessKeyId": "access_key_id",
            "SecretAccessKey": "secret_access_key",
            "SessionToken": "session_token",
        }
        return self.aws(service, **{f"aws_{name}": session[key] for key, name in names.items()}, **options)

    def change_cluster(self, arn: str, status: str = "ACTIVE", reachable: bool = True) -> None:
        """Give an EKS cluster another status, or an endpoint where nobody answers."""
        self.control("PUT", "cluster", {"arn": arn, "status": status, "reachable": reachable})

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002  (subprocess's word)
        """Return what kubectl prints as the cluster's administrator; CalledProcessError carries what it says else."""
        return self._run(["kubectl", f"--context={environment.ADMIN_CONTEXT}", *arguments], input)

    def helm(self, *arguments: str) -> str:
        """Return what Helm prints as the cluster's administrator; CalledProcessError carries what it says else."""
        return self._run(["helm", f"--kube-context={environment.ADMIN_CONTEXT}", *arguments], None)

    def _run(self, command: list[str], given: str | None) -> str:
        command = [str(self.bin_dir / command[0]), *command[1:]]
        try:
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, input=given, env=self.environment()
            )
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr)  # What a traceback would keep to itself.
            raise
        return done.stdout

    def kubernetes_api(self) -> KubernetesApi:
        """Return a client of the cluster's administrator."""
        access = self.kubernetes
        return KubernetesApi(access.host, access.ca_file, access.admin_token_file)

    def kubernetes_call(self, path: str, method: str = "GET", body: t.Any = None) -> Document:
        """Make one call to the API server as the cluster's administrator; KubernetesError if it is refused."""
        return self.kubernetes_api().call(method, path, body)

    def webhook_harmed(self, harm: Harm) -> contextlib.AbstractContextManager[None]:
        """Let EKS's admission webhook be ``deleted``, ``altered`` or ``failing`` while this is entered."""
        return harmed(self.kubernetes_api(), harm)

    def weather(self, **seconds: float) -> Document:
        """Change the weather (see aws/weather.py) and return it."""
        return t.cast("Document", self.control("PUT", "weather", seconds))

    def faults(self, faults: list[Document]) -> t.Any:
        """Replace the list of faults to come (see aws/faults.py)."""
        return self.control("PUT", "faults", faults)

    def throttles(self, throttles: list[Document]) -> t.Any:
        """Replace the rates beyond which AWS throttles (see aws/throttles.py); shows what each has refused."""
        return self.control("PUT", "throttles", throttles)

    def calls(self) -> Document:
        """Return the AWS calls since the last reset: ``total``, ``calls`` by service and operation, ``log``."""
        return t.cast("Document", self.control("GET", "calls"))

    def forget_calls(self) -> None:
        """Start counting anew."""
        self.control("DELETE", "calls")

    def audited(self) -> list[Document]:
        """Return the requests that members of the group ``parts.AUDITED`` made to the API server, oldest first."""
        log = Layout(self.folder).audit_log
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    def reset(self) -> None:
        """Empty the AWS account, and turn weather, faults and throttles off; Kubernetes objects stay."""
        self.control("POST", "reset")

    def control(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """Call a control endpoint of the emulator; LabError with its answer if it refuses."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.aws_endpoint_url}/_lab/{path}"
        token = self.control_token_file.read_text(encoding="utf-8").strip()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(url, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=ANSWER_TIMEOUT) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise LabError(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error


def find(name: str) -> Lab | None:
    """Return the lab of that name if it is up, not merely starting."""
    layout = Layout(lab_folder(name))
    if holder(layout.lock) is None:
        return None
    try:
        facts = json.loads(layout.facts.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    access = facts.pop("kubernetes")
    bin_dir, token_file = Path(facts.pop("bin_dir")), Path(facts.pop("control_token_file"))
    files = {key: Path(value) for key, value in access.items() if key != "host"}
    kubernetes = Kubernetes(access["host"], **files)
    return Lab(folder=layout.folder, kubernetes=kubernetes, bin_dir=bin_dir, control_token_file=token_file, **facts)


def stop(name: str) -> bool:
    """End a lab that is up or starting, and return whether there was one; LabError if it resists."""
    layout = Layout(lab_folder(name))
    pid = holder(layout.lock)
    if pid is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if eventually(lambda: holder(layout.lock) is None, seconds=STOP_TIMEOUT):
            _await_end(name, pid)
            return True
    raise LabError(f"process {pid}, the supervisor of lab {name}, doesn't end")


def remove(name: str) -> None:
    """Forget what an ended lab left: its logs and its folder."""
    if holder(Layout(lab_folder(name)).lock) is None:
        shutil.rmtree(lab_folder(name), ignore_errors=True)


def _await_end(name: str, pid: int) -> None:
    """Wait until the system has forgotten the supervisor, which has let go of its lock with its last breath."""
    child = _STARTED.pop(name, None)
    if child:
        child.communicate()
    eventually(lambda: not _exists(pid), seconds=LAST_BREATH)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _start(layout: Layout, name: str, tied: bool, say: Say) -> None:
    programs = binaries.provide(say)
    for program, version in programs.borrowed.items():
        say(f"using the machine's {program} {version}: {programs.paths[program]}")
    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.folder.chmod(0o700)
    layout.logs.chmod(0o700)
    paths = {program: str(path) for program, path in programs.paths.items()}
    command = [sys.executable, "-m", f"{PACKAGE}.supervisor", str(layout.folder), "--name", name]
    command += ["--programs", json.dumps(paths), *(["--tied"] if tied else [])]
    with write_private(layout.log_of_supervisor(), "").open("wb") as log:
        supervisor = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    try:
        _listen(supervisor, layout, say)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise
    _STARTED[name] = supervisor


_STARTED: dict[str, subprocess.Popen[bytes]] = {}
"""Supervisors that this process started: tied ones need their standard input open, all need to be reaped."""


def _listen(supervisor: subprocess.Popen[bytes], layout: Layout, say: Say) -> None:
    """Pass on what the supervisor says until the lab is up; LabError if it doesn't get there."""
    for line in t.cast("t.IO[bytes]", supervisor.stdout):
        message = json.loads(line)
        if "failed" in message:
            raise LabError(f"lab not started: {message['failed']}")
        if "ready" in message:
            return
        say(message["say"])
    said = last_line(layout.log_of_supervisor())
    raise LabError(
        f"lab not started: its supervisor failed: {said}" if said else "lab not started: it was told to stop"
    )


def _state(name: str) -> str:
    layout = Layout(lab_folder(name))
    if holder(layout.lock) is not None:
        return "is on its way up or down"
    failure = last_line(layout.failure)
    return f"doesn't run any more ({failure})" if failure else "doesn't run"


def _named(name: str) -> str:
    return "" if name == DEFAULT_NAME else f" LAB={name}"
