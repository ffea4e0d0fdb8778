# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that a lab runs: what is pinned, and which others do as well."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .layout import SOURCE

PROBE_TIMEOUT = 10
"""Seconds that a program may take to say its version."""

Version = tuple[int, int, int]
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Program:
    """A program, the module that go.mod pins for it, and how to ask another build of it for its version."""

    name: str
    package: str
    module: str
    ask: tuple[str, ...]
    fits: t.Callable[[Version, Version], bool]

    @property
    def built_as(self) -> str:
        """The name that Go gives the binary: the last element of the package's path that isn't a major version."""
        return [part for part in self.package.split("/") if not re.fullmatch(r"v\d+", part)][-1]


@dataclass(frozen=True)
class GoModule:
    """A folder with a go.mod, and the programs whose versions that pins."""

    folder: Path
    programs: tuple[Program, ...]

    @property
    def go_mod(self) -> str:
        """The text of its go.mod."""
        return (self.folder / "go.mod").read_text(encoding="utf-8")

    @property
    def pinned(self) -> dict[str, Version]:
        """The version of each module that go.mod requires."""
        return pinned_versions(self.go_mod)


def parse_version(text: str) -> Version | None:
    """Return the first version in what a program says about itself."""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _same_minor(pinned: Version, found: Version) -> bool:
    return found[:2] == pinned[:2]


def _minor_apart(pinned: Version, found: Version) -> bool:
    """Kubernetes' own rule for kubectl and the API server."""
    return found[0] == pinned[0] and abs(found[1] - pinned[1]) <= 1


def _helm_fits(pinned: Version, found: Version) -> bool:
    return found[0] == pinned[0] and found >= (3, 14, 0)


def _etcd_fits(pinned: Version, found: Version) -> bool:
    return found[0] == pinned[0] and found >= (3, 5, 0)


def _kubernetes(name: str, ask: tuple[str, ...], fits: t.Callable[[Version, Version], bool]) -> Program:
    return Program(name, f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", ask, fits)


LAB = GoModule(
    SOURCE / "go",
    (
        Program("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", ("--version",), _etcd_fits),
        _kubernetes("kube-apiserver", ("--version",), _same_minor),
        _kubernetes("kube-controller-manager", ("--version",), _same_minor),
        _kubernetes("kube-scheduler", ("--version",), _same_minor),
        _kubernetes("kubectl", ("version", "--client"), _minor_apart),
        Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok", ("--version",), _same_minor),
        Program("helm", "helm.sh/helm/v3/cmd/helm", "helm.sh/helm/v3", ("version", "--short"), _helm_fits),
    ),
)
"""What each lab runs."""
EKSCTL = GoModule(
    SOURCE / "go_eksctl",
    (
        Program(
            "eksctl",
            "github.com/weaveworks/eksctl/cmd/eksctl",
            "github.com/weaveworks/eksctl",
            ("version",),
            _same_minor,
        ),
    ),
)
"""What works on a lab from the outside. A module of its own: it pins another version of Kubernetes."""
HELM4 = GoModule(
    SOURCE / "go_helm4",
    (Program("helm", "helm.sh/helm/v4/cmd/helm", "helm.sh/helm/v4", ("version", "--short"), _helm_fits),),
)
"""The other Helm that the collection supports, for `make test-matrix`."""


def pinned_versions(go_mod: str) -> dict[str, Version]:
    """Return the version that the text of a go.mod requires of each module."""
    required = re.findall(r"^\s*(?:require\s+)?(\S+) (v\d+\.\d+\.\d+)\S*(?:\s+//.*)?$", go_mod, re.MULTILINE)
    return {module: t.cast("Version", parse_version(version)) for module, version in required}


def kubernetes_version() -> Version:
    """Return the version of Kubernetes that the lab is pinned to."""
    return LAB.pinned["k8s.io/kubernetes"]


def find_on_path(program: Program, pinned: Version, ignored: Path) -> tuple[Path, Version] | None:
    """Return the program on PATH and its version, if that fits; one that links into ``ignored`` is no other build."""
    found = shutil.which(program.name)
    if not found or Path(found).resolve().is_relative_to(ignored.resolve()):
        return None
    version = _version_of(found, program.ask)
    return (Path(found), version) if version and program.fits(pinned, version) else None


def _version_of(path: str, ask: tuple[str, ...]) -> Version | None:
    try:
        answer = subprocess.run([path, *ask], capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_version(answer.stdout)
