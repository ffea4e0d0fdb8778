# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user has it: a tarball, installed into an empty environment, run on the lab from there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools import artifact
from ansible_collections.enbuild.eks.tests.tools.checkout import BIN, CHECKOUT, copy_as_collection, run

REQUIREMENTS = CHECKOUT / "tests" / "requirements"
KEPT = ("HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy")
"""What an empty environment has of this one's variables; pip's and uv's own besides."""


VERSIONS = """
import importlib.metadata, importlib.resources, json, platform
packages = ["ansible-core", "boto3", "kubernetes"]
found = {"Python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}}
for name in ("amazon.aws", "kubernetes.core"):
    manifest = importlib.resources.files("ansible_collections." + name).joinpath("MANIFEST.json")
    found[name] = json.loads(manifest.read_text())["collection_info"]["version"]
print(", ".join(f"{name} {version}" for name, version in found.items()))
"""
UNCHANGED = re.compile(r"^\S+ +: ok=\d+ +changed=0 ", re.MULTILINE)

PACKED = re.compile(r"\bAnsiballZ_(\w+)\.py\b")


class Failed(Exception):
    """Something that a release must do, it didn't; the message has the output."""


def version() -> str:
    """Return the version that galaxy.yml names."""
    return str(yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"])


def build(folder: Path) -> Path:
    """Build the tarball, its changelog rendered, from a copy of the checkout in ``folder``; return its path."""
    copy = copy_as_collection(folder / "source")
    checked(run("antsibull-changelog", "lint", cwd=copy), "antsibull-changelog lint")
    if version() not in _released(copy):
        checked(run("antsibull-changelog", "release", cwd=copy), "antsibull-changelog release")
    checked(run("ansible-galaxy", "collection", "build", "--output-path", str(folder), cwd=copy), "the build")
    tarball = folder / f"enbuild-eks-{version()}.tar.gz"
    if wrong := artifact.unlisted(artifact.names(tarball)):
        raise Failed(f"These files don't belong in the collection: {', '.join(wrong)}")
    return tarball


def _released(copy: Path) -> set[str]:
    known = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text())
    return set((known or {}).get("releases") or {})


def checked(done: tuple[int, str], what: str) -> str:
    """Return the output of a command that succeeded."""
    code, output = done
    if code:
        raise Failed(f"{output}\n{what} failed (above)")
    return output


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing of the checkout in reach, and a folder for collections beside it."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "venv" / "bin"

    @property
    def collections(self) -> Path:
        return self.folder / "collections"

    @classmethod
    def create(cls, folder: Path, python: str, *packages: str) -> Environment:
        """Make an environment for the interpreter ``python`` with ``packages``."""
        made = cls(folder)
        folder.mkdir(parents=True)
        uv = str(BIN / "uv")
        venv = (uv, "venv", "--quiet", "--no-python-downloads", "--python", python, str(folder / "venv"))
        checked(made.run(*venv), "uv venv")
        install = (uv, "pip", "install", "--quiet", "--python", str(made.bin / "python"))
        checked(made.run(*install, *packages), "uv pip install")
        return made

    def install(self, tarball: Path) -> None:
        """Install the collection; its dependencies come with the package ansible."""
        command = ("ansible-galaxy", "collection", "install", "--offline", "-p", str(self.collections), str(tarball))
        checked(self.run(*command), "ansible-galaxy collection install")
        code, output = self.run("ansible-galaxy", "collection", "list", "--format", "json", "enbuild.eks")
        places = list(json.loads(checked((code, output), "ansible-galaxy collection list")))
        if places != [str(self.collections / "ansible_collections")]:
            raise Failed(f"enbuild.eks is found in {', '.join(places)}, where {self.collections} alone should have it")

    def run(self, *command: str, **more: str) -> tuple[int, str]:
        """Run a program of this environment; return its exit code and all that it printed."""
        variables = {name: os.environ[name] for name in os.environ if name in KEPT or name.startswith(("PIP_", "UV_"))}
        path = os.pathsep.join([str(self.bin), os.defpath])
        own = {"PATH": path, "ANSIBLE_COLLECTIONS_PATH": str(self.collections), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [shutil.which(command[0], path=path) or command[0], *command[1:]],
            cwd=self.folder,
            env={**variables, **own, **more},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def run_playbook(self, lab: Lab, name: str, *arguments: str) -> str:
        """Run a playbook of the collection on ``lab`` as it is installed here; return what it printed."""
        path = os.pathsep.join([str(self.bin), str(lab.bin_dir), os.defpath])
        variables = {**lab.shell_variables(), "PATH": path}
        command = ("ansible-playbook", f"enbuild.eks.{name}", *arguments)
        return checked(self.run(*command, **variables), f"{name}.yml")

    def versions(self) -> str:
        """Return what is installed, such as ``Python 3.11.7, ansible-core 2.19.14, kubernetes.core 6.2.0``."""
        code, output = self.run("python", "-c", VERSIONS)
        return checked((code, output), "a look at what is installed").strip()


def pinned(*names: str) -> list[str]:
    """Return the requirements that the tests pin for ``names``, as they stand in runtime.txt."""
    lines = (REQUIREMENTS / "runtime.txt").read_text().splitlines()
    return [line for line in lines if line.split("=")[0] in names]


def try_playbooks(environment: Environment, lab: Lab, *arguments: str) -> None:
    """Run the playbooks of a cluster's life in their order: predict, make, make again, prove, compare, take away."""
    environment.run_playbook(lab, "site", "--check", "--diff", *arguments)
    environment.run_playbook(lab, "site", *arguments)
    for name in ("site", "verify", "diagnose", "drift"):
        _judge(name, environment.run_playbook(lab, name, "-vvv", *arguments))
    environment.run_playbook(lab, "teardown", "-e", "pod_identity_teardown_release=true", *arguments)
    say("site.yml predicted, made and proved; the second run changed nothing; teardown.yml removed it all")


def _judge(name: str, output: str) -> None:
    """Refuse a run after site.yml that changed something, or that packed a module instead of running it in a fork."""
    if not UNCHANGED.search(output):
        raise Failed(f"{output}\n{name}.yml after site.yml changed something")
    if packed := set(PACKED.findall(output)):
        raise Failed(f"{output}\n{name}.yml packed {', '.join(sorted(packed))}, which should have run in a fork")


def say(text: str) -> None:
    """Tell a person what goes on."""
    print(f"-- {text}", file=sys.stderr, flush=True)
