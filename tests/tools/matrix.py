# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries the supported versions: playbooks on the lab from the built tarball, in an environment for each cell.

``matrix.py [CELL …]`` tries the named ones. A cell whose Python isn't on this machine is said to be not tried. A Helm 4
is built once, as the lab's programs are. The README's table is made of ``CELLS``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.enbuild.eks.tests.lab import binaries, programs
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools import installed
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

LAB = "matrix"
LIBRARIES = ("boto3", "botocore", "kubernetes")


@dataclass(frozen=True)
class Cell:
    """One combination. The package ``ansible`` brings ``core`` and ``kubernetes_core``, both like ``2.19``."""

    python: str
    ansible: str
    core: str
    kubernetes_core: str
    helm: int
    lowest: bool = False
    """Whether the libraries are the oldest that requirements.txt allows, not those that the tests pin."""

    @property
    def interpreter(self) -> str:
        """The path of its Python; "" where this machine has none that starts."""
        program = shutil.which(f"python{self.python}")
        if not program:
            return ""
        own = {**os.environ, "PYENV_VERSION": self.python}  # pyenv's programs start only the version that is chosen.
        command = [program, "-c", "import sys; print(sys.executable)"]
        done = subprocess.run(command, capture_output=True, text=True, env=own, check=False)
        return done.stdout.strip() if not done.returncode else ""

    @property
    def packages(self) -> list[str]:
        """What to install into its environment."""
        return [f"ansible=={self.ansible}", *(lowest() if self.lowest else installed.pinned(*LIBRARIES))]


CELLS = {
    "core-2.19": Cell("3.11", "12.3.0", "2.19", "6.2", 3, lowest=True),
    "core-2.19-helm4": Cell("3.13", "12.3.0", "2.19", "6.2", 4),
    "core-2.20": Cell("3.12", "13.5.0", "2.20", "6.3", 3),
    "core-2.20-helm4": Cell("3.13", "13.8.0", "2.20", "6.4", 4),
    "core-2.21": Cell("3.12", "14.2.0", "2.21", "6.5", 3),
    "core-2.21-helm4": Cell("3.13", "14.5.0", "2.21", "6.6", 4),
}


def lowest() -> list[str]:
    """Return the requirements of the collection, each as its lowest version."""
    return re.findall(r"^\S+==\S+", (CHECKOUT / "requirements.txt").read_text().replace(">=", "=="), re.MULTILINE)


def table() -> str:
    """Return the table of the cells, in Markdown."""
    versions = ", ".join(package.replace("==", " ") for package in lowest())
    lines = [
        "| cell | ansible-core | Python | kubernetes.core | Helm | Python libraries |",
        "|---|---|---|---|---|---|",
    ]
    for name, cell in CELLS.items():
        core = f"{cell.core} (`ansible` {cell.ansible})"
        libraries = versions if cell.lowest else "those of `tests/requirements`"
        lines.append(f"| `{name}` | {core} | {cell.python} | {cell.kubernetes_core} | {cell.helm} | {libraries} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(CELLS)} (default: all)")
    names = parser.parse_args().cells or [*CELLS]
    if unknown := [name for name in names if name not in CELLS]:
        parser.error(f"there is no cell {unknown[0]}; there are {', '.join(CELLS)}")
    with tempfile.TemporaryDirectory() as folder:
        tarball = installed.build(Path(folder))
        outcomes = {name: try_cell(CELLS[name], tarball, Path(folder) / name) for name in names}
    for name, outcome in outcomes.items():
        print(f"{name:16} {outcome}")
    if any(outcome.startswith("FAILED") for outcome in outcomes.values()):
        sys.exit("enbuild.eks: a supported combination fails")


def try_cell(cell: Cell, tarball: Path, folder: Path) -> str:
    """Run the playbooks in ``cell``; return what came of it, in a line."""
    if not cell.interpreter:
        return f"not tried: no python{cell.python} on PATH that starts"
    started = time.monotonic()
    try:
        versions = _run(cell, tarball, folder)
    except installed.Failed as error:
        installed.say(str(error))
        return f"FAILED: {str(error).splitlines()[-1]}"
    return f"passed in {time.monotonic() - started:.0f} s: {versions}"


def _run(cell: Cell, tarball: Path, folder: Path) -> str:
    environment = installed.Environment.create(folder, cell.interpreter, *cell.packages)
    environment.install(tarball)
    versions = environment.versions()
    installed.say(f"installed {versions}")
    if wrong := deviations(cell, versions):
        raise installed.Failed(f"{', '.join(wrong)}: not what the cell says ({versions})")
    helm = binaries.provide(installed.say, programs.HELM4 if cell.helm == 4 else programs.LAB).paths["helm"]
    with Lab.start(LAB, tied=True) as lab:
        installed.try_playbooks(environment, lab, "-e", f"enbuild_release_helm={helm}")
    return f"{versions}, {helm_version(helm)}"


def deviations(cell: Cell, versions: str) -> list[str]:
    """Return what of ``cell`` isn't in what is installed."""
    stated = (f"Python {cell.python}", f"ansible-core {cell.core}", f"kubernetes.core {cell.kubernetes_core}")
    return [each for each in stated if f"{each}." not in versions]


def helm_version(helm: Path) -> str:
    """Return what ``helm`` says about itself, such as ``Helm 4.3.2``."""
    done = subprocess.run([str(helm), "version", "--template={{.Version}}"], capture_output=True, text=True, check=True)
    return f"Helm {done.stdout.strip().removeprefix('v')}"


if __name__ == "__main__":
    main()
