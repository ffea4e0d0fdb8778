# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that is the parent of all of a lab's parts, and ends them with itself.

It speaks to whoever started it by lines of JSON on standard output: ``say`` while it starts, then ``ready`` (seconds)
or ``failed`` (a message). It stops on SIGTERM and SIGINT, when a part ends, and when its standard input closes while it
starts (``--tied``: whenever that happens, so that a lab can't outlive a test session).
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from .binaries import link
from .cluster import furnish, is_settled
from .environment import user_inventory, user_kubeconfig
from .errors import LabError, with_log
from .kubernetes_api import KubernetesApi, KubernetesError, answers
from .layout import Layout, cache_folder
from .lock import hold
from .parts import ACCOUNT_ID, CLUSTER, PACKAGE, PORTS, REGION, Part, Plan, all_parts, write_json
from .ports import PortBlock
from .processes import end, end_orphans, spawn

TICK = 0.05
"""Seconds between two looks at the parts while they start."""
WATCH = 0.5
"""Seconds between two looks at the parts once they run."""
DEADLINE = 90.0
"""Seconds that a lab may take to start: ten times what it needs on two idle cores."""
OUTLIVING = {"lock", "logs", "failure"}
"""What stays in the folder of a lab that has ended."""


class Stopped(Exception):
    """Somebody wants the lab to end."""


class Supervisor:
    """One lab, from its first process to the end of its last."""

    def __init__(self, layout: Layout, name: str, tied: bool) -> None:
        self._layout, self._name, self._tied = layout, name, tied
        self._parts: dict[str, Part] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ready: set[str] = set()
        self._alarm = _alarm()
        self._leash = True
        self._deadline = time.monotonic() + DEADLINE

    def run(self, programs: dict[str, str]) -> int:
        """Keep the lab until it is to end; return the exit status."""
        try:
            self._start({name: Path(path) for name, path in programs.items()})
            self._keep()
        except Stopped:
            return 0
        except (LabError, KubernetesError) as error:
            self._layout.failure.write_text(f"{error}\n", encoding="utf-8")
            tell(failed=str(error))
            return 1
        finally:
            end(self._processes.values())
            clear(self._layout)

    def _start(self, programs: dict[str, Path]) -> None:
        started = time.monotonic()
        end_orphans(self._layout.processes, str(self._layout.folder))
        clear(self._layout)
        link(programs, self._layout.bin)
        self._ports = PortBlock(cache_folder() / "ports", len(PORTS))
        plan = Plan(self._layout, self._name, self._ports)
        credentials = plan.write()
        self._ca = credentials.ca
        api = KubernetesApi(plan.kubernetes_host, credentials.ca, plan.token_file("admin"))
        self._launch_all(all_parts(plan, credentials))
        furnish(api, REGION, f"{plan.webhook_url}/mutate-pods", credentials.ca.read_bytes())
        self._await(set(self._parts), "")
        while not is_settled(api):
            self._tick("the nodes to be ready")
        write_json(self._layout.kubeconfig, user_kubeconfig(plan, credentials.ca))
        write_json(self._layout.inventory, user_inventory(plan))
        write_json(self._layout.facts, describe(plan, credentials.ca))
        tell(ready=round(time.monotonic() - started, 1))

    def _launch_all(self, parts: list[Part]) -> None:
        for part in parts:
            self._await(set(part.after), part.name)
            self._launch(part)

    def _launch(self, part: Part) -> None:
        tell(say=f"starting {part.name}")
        with self._layout.log(part.name).open("wb") as log:
            self._processes[part.name] = spawn(
                part.command,
                environment=parts_environment(self._layout),
                cwd=self._layout.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._parts[part.name] = part
        with self._layout.processes.open("a") as ids:
            ids.write(f"{self._processes[part.name].pid}\n")

    def _await(self, names: set[str], before: str) -> None:
        while not self._ready >= names:
            for name in self._parts.keys() - self._ready:
                if self._is_healthy(self._parts[name]):
                    self._ready.add(name)
            self._tick(" and ".join(sorted(names - self._ready)) + (f", which {before} needs" if before else ""))

    def _is_healthy(self, part: Part) -> bool:
        return not part.health or answers(part.health, self._ca)

    def _tick(self, awaited: str) -> None:
        self._check()
        if time.monotonic() > self._deadline:
            raise LabError(self._too_late(awaited))
        self._pause(TICK)

    def _too_late(self, awaited: str) -> str:
        message = f"waited {DEADLINE:.0f} s without success for {awaited}"
        slow = sorted(self._parts.keys() - self._ready)
        return with_log(message, self._layout.log(slow[0])) if slow else message

    def _keep(self) -> t.NoReturn:
        """Watch over the parts; ends by Stopped, or by LabError when one ends."""
        _fall_silent()
        self._leash = self._tied
        while True:
            self._check()
            self._pause(WATCH)

    def _check(self) -> None:
        for name, process in self._processes.items():
            status = process.poll()
            if status is not None:
                how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
                raise LabError(with_log(f"{name} {how}", self._layout.log(name)))

    def _pause(self, seconds: float) -> None:
        """Sleep, unless somebody wants the lab to end meanwhile."""
        inputs: list[t.Any] = [self._alarm, sys.stdin] if self._leash else [self._alarm]
        readable, _unused, _unused = select.select(inputs, [], [], seconds)
        if self._alarm in readable or (readable and not os.read(sys.stdin.fileno(), 1)):
            raise Stopped


def tell(**message: t.Any) -> None:
    """Write one line to whoever started the lab; Stopped if nobody reads it."""
    try:
        print(json.dumps(message), flush=True)
    except BrokenPipeError:
        raise Stopped from None


def clear(layout: Layout) -> None:
    """Remove what an ended lab leaves in its folder: nothing of it can be used again."""
    for path in layout.folder.iterdir():
        if path.name in OUTLIVING:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for folder in (layout.logs, layout.data, layout.config, layout.secrets):
        folder.mkdir(exist_ok=True)


def describe(plan: Plan, ca: Path) -> dict[str, t.Any]:
    """Return the content of lab.json."""
    layout = plan.layout
    return {
        "name": plan.name,
        "pid": os.getpid(),
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "cluster_name": CLUSTER,
        "aws_endpoint_url": plan.aws_url,
        "webhook_url": plan.webhook_url,
        "access_key_id": plan.access_key_id,
        "secret_access_key": plan.secret_access_key,
        "control_token_file": str(plan.control_token_file),
        "kubernetes": {
            "host": plan.kubernetes_host,
            "ca_file": str(ca),
            "admin_token_file": str(plan.token_file("admin")),
            "kubeconfig": str(layout.kubeconfig),
        },
        "chart_repository_url": plan.chart_repository_url,
        "bin_dir": str(layout.bin),
    }


def parts_environment(layout: Layout) -> dict[str, str]:
    """Return what the parts may know of the machine: where programs are, and nothing of the user's set-up."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(layout.data), "TMPDIR": str(layout.data), "NO_PROXY": "127.0.0.1"}


def _alarm() -> socket.socket:
    """Return a socket that becomes readable when the process is told to end."""
    alarm, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.detach())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_unused: None)
    return alarm


def _fall_silent() -> None:
    """Let go of the standard output: whoever started the lab waits for its end."""
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def main() -> int:
    """Run one lab; the arguments are for labs.py to give."""
    parser = argparse.ArgumentParser(prog=f"{PACKAGE}.supervisor", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--programs", type=json.loads, required=True)
    parser.add_argument("--tied", action="store_true")
    options = parser.parse_args()
    layout = Layout(options.folder)
    os.umask(0o077)  # What a lab writes, its parts included, is for its owner alone.
    with hold(layout.lock) as mine:
        if not mine:
            tell(failed=f"lab {options.name} is being started or stopped by somebody else")
            return 1
        layout.failure.unlink(missing_ok=True)
        return Supervisor(layout, options.name, options.tied).run(options.programs)


if __name__ == "__main__":
    sys.exit(main())
