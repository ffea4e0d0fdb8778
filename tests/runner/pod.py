# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a container group's job runs: ``/runner``, a home of its own, and an environment with nothing of ours in it.

The pod has mounts of its own: this machine's folders, with ``/runner`` beside them, and without the link by which this
environment's Python finds the checkout. So a job has the collection that its project brings, or none. It has processes
of its own too: with the worker, all of them end. Where the system gives no such namespaces, the worker's folder is
what ``/runner`` would be, the link is there, and what a canceled job was at goes on to its end.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import typing as t
from dataclasses import dataclass
from pathlib import Path

RUNNER = "/runner"
LINKED = Path(sysconfig.get_path("purelib")) / "ansible_collections" / "enbuild"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# The arguments: a new root, the worker's folder, a folder to hide, and the command.
NAMESPACE = """
set -eu
root=$1 runner=$2 hidden=$3
shift 3
mount -t tmpfs pod "$root"
for each in /*; do
    if [ -L "$each" ]; then
        cp -P "$each" "$root/"
    elif [ "$each" != /proc ] && [ -d "$each" ]; then
        mkdir "$root$each"
        mount --rbind "$each" "$root$each"
    fi
done
mkdir -p "$root/proc" "$root/runner"
mount -t proc proc "$root/proc"
mount --bind "$runner" "$root/runner"
mount -t tmpfs nothing "$root$hidden"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Pod:
    """A place for one job's worker. ``runner`` is the private data directory as the job sees it."""

    runner: str
    prefix: list[str]
    environment: dict[str, str]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the worker, which reads what is transmitted, and writes what is to be processed."""
        return subprocess.Popen(
            [*self.prefix, "ansible-runner", "worker", f"--private-data-dir={self.runner}"],
            env=self.environment,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    @staticmethod
    def delete(worker: subprocess.Popen[bytes]) -> None:
        """Tell the worker to end, as Kubernetes does first when a pod is deleted."""
        os.killpg(worker.pid, signal.SIGTERM)  # unshare itself lets such signals pass.


def make(folder: Path, variables: t.Mapping[str, str], programs: t.Iterable[Path] = ()) -> Pod:
    """Make a pod whose environment has ``variables``, and whose image has ``programs`` beside this Python's."""
    runner, home, root, image = (folder / name for name in ("runner", "home", "root", "image"))
    for each in (runner, home, root, image):
        each.mkdir(parents=True, exist_ok=True)
    for program in programs:
        (image / program.name).symlink_to(program.resolve())
    path = os.pathsep.join([str(image), str(Path(sys.executable).parent), PATH])
    environment = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **variables}
    unshare = namespaces()
    if not unshare:
        return Pod(str(runner), [], environment)
    prefix = [*unshare, "sh", "-c", NAMESPACE, "pod", str(root), str(runner), str(LINKED)]
    return Pod(RUNNER, prefix, environment)


@functools.cache
def namespaces() -> tuple[str, ...]:
    """The command that gives a process mounts and processes of its own; nothing where this user or system can't."""
    tool = shutil.which("unshare")
    if not tool:
        return ()
    command = (tool, "--mount", "--pid", "--fork", "--kill-child")
    return next((each for each in (command, (*command, "--map-root-user")) if _works(each)), ())


def _works(command: t.Sequence[str]) -> bool:
    attempt = [*command, "mount", "-t", "tmpfs", "attempt", str(LINKED)]
    return subprocess.run(attempt, check=False, capture_output=True).returncode == 0
