# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the lab's programs with Go, saying how far it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from . import go_toolchain
from .errors import LabError, with_log
from .processes import end, spawn
from .programs import GoModule, Program, Version

Say = t.Callable[[str], None]
SCRATCH = "building-"
QUIET = 10.0
"""Seconds between two lines of progress."""
_TOLD = {
    "k8s.io/kubernetes": {
        "k8s.io/component-base/version.gitVersion": "v{}.{}.{}",
        "k8s.io/component-base/version.gitMajor": "{}",
        "k8s.io/component-base/version.gitMinor": "{1}",
        "k8s.io/component-base/version.gitTreeState": "archive",
    },
    "helm.sh/helm/v3": {"helm.sh/helm/v3/internal/version.version": "v{}.{}.{}"},
    "helm.sh/helm/v4": {"helm.sh/helm/v4/internal/version.version": "v{}.{}.{}"},
    "github.com/weaveworks/eksctl": {"github.com/weaveworks/eksctl/pkg/version.PreReleaseID": ""},
}
"""By module: the variables in which a program keeps its version, with the parts of the pinned one."""


def build(module: GoModule, programs: list[Program], folder: Path, say: Say) -> None:
    """Put ``programs`` of ``module`` into ``folder``, each at once and only when whole; LabError names the log."""
    started = time.monotonic()
    names = ", ".join(program.name for program in programs)
    say(f"building {names}: once for these versions, in minutes")
    go = go_toolchain.provide(module, folder.parents[1], say)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(f"{SCRATCH}*"):
        shutil.rmtree(stale)  # Of a build that was killed: nobody else builds here now.
    log = folder.parent / "build.log"
    log.write_text("")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=SCRATCH) as scratch:
        run = _Run(module, go, log, started, say)
        packages = run.list_packages(programs)
        run.compile(programs, packages, Path(scratch))
        for program in programs:
            (Path(scratch) / program.built_as).replace(folder / program.name)
    say(f"built {names} in {_clock(time.monotonic() - started)}")


def linker_flags(pinned: dict[str, Version]) -> str:
    """Return what makes the programs small and lets them know the version that they were built from."""
    flags = [
        f"-X {name}={value.format(*version)}"
        for module, version in pinned.items()
        for name, value in _TOLD.get(module, {}).items()
    ]
    return " ".join(["-s", "-w", *flags])


class _Run:
    """Runs of one Go toolchain with one log."""

    def __init__(self, module: GoModule, go: Path, log: Path, started: float, say: Say) -> None:
        self._module, self._go, self._log, self._started, self._say = module, go, log, started, say
        self._seen = 0

    def list_packages(self, programs: list[Program]) -> int:
        """Fetch the modules; return the number of packages that the programs are made of."""
        arguments = ["list", "-deps", *(program.package for program in programs)]
        output = self._go_run(arguments, lambda: f"fetched {self._seen} modules")
        return output.count("\n")

    def compile(self, programs: list[Program], packages: int, folder: Path) -> None:
        """Build into ``folder``."""
        flags = linker_flags(self._module.pinned)
        arguments = ["build", "-v", "-trimpath", "-ldflags", flags, "-o", f"{folder}{os.sep}"]

        def progress() -> str:
            done = sum((folder / program.built_as).exists() for program in programs)
            return f"{done} of {len(programs)} programs, {self._seen} of at most {packages} packages"

        self._go_run(arguments + [program.package for program in programs], progress)

    def _go_run(self, arguments: list[str], progress: t.Callable[[], str]) -> str:
        """Return standard output; LabError if Go fails."""
        command = [str(self._go), *arguments]
        with tempfile.TemporaryFile("w+") as output:
            process = spawn(
                command, environment=_environment(), cwd=self._module.folder, stdout=output, stderr=subprocess.PIPE
            )
            try:
                self._watch(process, progress)
            finally:
                end([process])
            if process.returncode:
                raise LabError(with_log(f"building the lab's programs failed (go {arguments[0]})", self._log))
            output.seek(0)
            return output.read()

    def _watch(self, process: subprocess.Popen[bytes], progress: t.Callable[[], str]) -> None:
        self._seen = 0
        reader = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(QUIET)
            if reader.is_alive():
                self._say(f"building: {progress()}, {_clock(time.monotonic() - self._started)}")
        process.wait()

    def _read(self, stream: t.IO[bytes]) -> None:
        """Go writes a line for each module that it fetches, and for each package that it compiles."""
        with self._log.open("ab") as log:
            for line in stream:
                log.write(line)
                self._seen += 1


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
