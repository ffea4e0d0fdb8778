# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Podman with a configuration and a storage of its own, and images made of this machine's programs.

No registry of images is within reach of the tests: what the execution environment's definition takes from one is made
here, and given the same name. The base is Debian's, made by debootstrap. It holds what comes from neither Debian nor
PyPI: the collections that ours depends on, and this machine's certificate authorities.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.enbuild.eks.tests.tools.checkout import environment, link_neighbours

from .pod import RUNNER, Pod

PROGRAMS = ("podman", "runc", "debootstrap")
AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")
SETTINGS = {
    "containers.conf": """\
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=2048:2048"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
""",
    "storage.conf": """\
[storage]
driver = "overlay"
graphroot = "{folder}/images"
runroot = "{folder}/run"
""",
    "home/.config/containers/policy.json": '{{"default": [{{"type": "insecureAcceptAnything"}}]}}\n',
}


def missing() -> str:
    """What keeps images from being built here; "" if nothing does."""
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    if absent:
        return f"{' and '.join(absent)} are missing (on Debian: apt-get install {' '.join(absent)})"
    return "" if os.geteuid() == 0 else "only root can make a base image with debootstrap"


@dataclass(frozen=True)
class Podman:
    """Containers and images below ``folder``."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Podman:
        for name, text in SETTINGS.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(folder=folder))
        return cls(folder)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a podman, or who calls one, use this configuration."""
        return environment(
            HOME=str(self.folder / "home"),
            CONTAINERS_CONF=str(self.folder / "containers.conf"),
            CONTAINERS_STORAGE_CONF=str(self.folder / "storage.conf"),
        )

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command with this configuration; CalledProcessError carries what it printed."""
        done = subprocess.run(
            command,
            cwd=cwd,
            env=self.environment,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.stdout

    def load(self, root: Path, image: str, *changes: str) -> None:
        """Make an image of a folder."""
        archive = self.folder / "image.tar"
        self.run("tar", "--create", "--file", str(archive), "--directory", str(root), ".")
        self.run("podman", "import", *(f"--change={change}" for change in changes), str(archive), image)
        archive.unlink()

    def pod(self, image: str, variables: t.Mapping[str, str]) -> Pod:
        """A container group's pod of that image."""
        given = [f"--env={name}={value}" for name, value in variables.items()]
        return Pod(RUNNER, ["podman", "run", "--rm", "--interactive", *given, image], self.environment)


def debian(podman: Podman, image: str) -> None:
    """Make a base image of what Debian packages."""
    root = podman.folder / "debian"
    podman.run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root))
    podman.run("chroot", str(root), "apt-get", "update")
    shutil.copy2("/" / AUTHORITIES, root / AUTHORITIES)
    collections = root / "usr/share/ansible/collections/ansible_collections"
    link_neighbours(collections)
    for link in list(collections.iterdir()):
        target = link.resolve()
        link.unlink()
        shutil.copytree(target, link)
    podman.load(root, image, f"ENV PIP_CERT=/{AUTHORITIES}")
    shutil.rmtree(root)


def only(podman: Podman, program: Path, place: str, image: str) -> None:
    """Make an image with one program and nothing else."""
    root = podman.folder / "only"
    (root / place).parent.mkdir(parents=True)
    shutil.copy2(program.resolve(), root / place)
    podman.load(root, image)
    shutil.rmtree(root)
