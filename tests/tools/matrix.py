# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries the supported versions: site.yml on the lab from the built tarball, in an environment for each cell.

``matrix.py [CELL …]`` tries the named ones. A cell whose Python or Helm isn't on this machine is said to be not tried.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools import installed

LAB = "matrix"


@dataclass(frozen=True)
class Cell:
    """One combination: the interpreter, the package ansible (which has kubernetes.core in it), Helm's program."""

    python: str
    ansible: str
    helm: str

    @property
    def interpreter(self) -> str:
        """The path of its Python; "" where this machine has none that starts."""
        program = shutil.which(self.python)
        command = [program or sys.executable, "-c", "import sys; print(sys.executable)"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if program and not done.returncode else ""

    @property
    def missing(self) -> str:
        """The program that this machine lacks for it; "" for none. The lab brings a Helm 3."""
        if not self.interpreter:
            return self.python
        return "" if self.helm == "helm" or shutil.which(self.helm) else self.helm


CELLS = {
    "core-2.19": Cell("python3.11", "ansible==12.3.0", "helm"),
    "core-2.20": Cell("python3.12", "ansible>=13,<14", "helm"),
    "core-2.21": Cell("python3.13", "ansible==14.5.0", "helm"),
    "core-2.21-helm4": Cell("python3.13", "ansible==14.5.0", "helm4"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(CELLS)} (default: all)")
    names = parser.parse_args().cells or [*CELLS]
    with tempfile.TemporaryDirectory() as folder:
        tarball = installed.build(Path(folder))
        outcomes = {name: _try(CELLS[name], tarball, Path(folder) / name) for name in names}
    for name, outcome in outcomes.items():
        print(f"{name:16} {outcome}")
    if any(outcome.startswith("FAILED") for outcome in outcomes.values()):
        sys.exit("enbuild.eks: a supported combination fails")


def _try(cell: Cell, tarball: Path, folder: Path) -> str:
    """Run site.yml in ``cell``; return what came of it, in a line."""
    if cell.missing:
        return f"not tried: no {cell.missing} on PATH"
    try:
        return f"passed: {_run(cell, tarball, folder)}"
    except installed.Failed as error:
        installed.say(str(error))
        return f"FAILED: {str(error).splitlines()[-1]}"


def _run(cell: Cell, tarball: Path, folder: Path) -> str:
    own = installed.pinned("boto3", "botocore", "kubernetes")
    environment = installed.Environment.create(folder, cell.interpreter, cell.ansible, *own)
    environment.install(tarball)
    helm: t.Sequence[str] = ()
    if cell.helm != "helm":
        helm = ("-e", f"enbuild_release_helm={shutil.which(cell.helm)}")
    with Lab.start(LAB, tied=True) as lab:
        environment.run_site(lab, *helm)
    return f"{cell.python}, {environment.versions()}, {cell.helm}"


if __name__ == "__main__":
    main()
