# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are: the checkout, the cache of built programs, and one folder for each lab."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

SOURCE = Path(__file__).resolve().parent
CHECKOUT = SOURCE.parents[1]
DEFAULT_NAME = "default"
PART_LOGS = "logs"

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?", re.IGNORECASE)


def cache_folder() -> Path:
    """Return the folder outside the clone that all labs of this user share."""
    override = os.environ.get("ENBUILD_LAB_CACHE")
    if override:
        return Path(override).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "enbuild-eks-lab"


def lab_folder(name: str) -> Path:
    """Return the folder of the lab called ``name``; LabError if that is no name for a folder."""
    if not _NAME.fullmatch(name):
        raise LabError(f"{name!r} can't name a lab: use up to 40 letters, digits, dots, dashes and underscores")
    return CHECKOUT / ".lab" / name


@dataclass(frozen=True)
class Layout:
    """The files of one lab; ``lock`` and ``logs`` outlive it, all else goes when it stops."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Locked by the supervisor for as long as it lives; holds its process id."""
        return self.folder / "lock"

    @property
    def failure(self) -> Path:
        """One line: why the lab ended by itself."""
        return self.folder / "failure"

    @property
    def logs(self) -> Path:
        return self.folder / PART_LOGS

    @property
    def facts(self) -> Path:
        """lab.json, there from the moment that everything is ready."""
        return self.folder / "lab.json"

    @property
    def processes(self) -> Path:
        """The ids of the parts, a line each: for the next start, where the system doesn't end orphans."""
        return self.folder / "processes"

    @property
    def bin(self) -> Path:
        """Links to the programs that this lab runs."""
        return self.folder / "bin"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """Configuration of the parts: kubeconfigs, stages, the emulator's file."""
        return self.folder / "config"

    @property
    def secrets(self) -> Path:
        """Private keys and tokens."""
        return self.folder / "secrets"

    @property
    def inventory(self) -> Path:
        """The inventory of a shell on the lab: one host, the cluster."""
        return self.folder / "inventory.yml"

    @property
    def kubeconfig(self) -> Path:
        """The user's: authenticates with AWS credentials, as on EKS."""
        return self.folder / "kubeconfig"

    @property
    def home(self) -> Path:
        """Where Helm and kubectl keep what they would keep in the home folder."""
        return self.folder / "home"

    @property
    def audit_log(self) -> Path:
        """The API server's: a line of JSON for each request of the users whom it audits."""
        return self.logs / "audit.log"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def log_of_supervisor(self) -> Path:
        return self.log("supervisor")


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    return path
