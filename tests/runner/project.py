# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX's project update leaves for jobs: a checkout, and the collections that it asks for."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, environment, files, link_neighbours


@dataclass(frozen=True)
class Project:
    """A project that was updated. ``collections`` is copied to each of its jobs as requirements_collections."""

    checkout: Path
    collections: Path


def clone(source: Path, target: Path) -> Path:
    """Copy what git tracks below ``source``, or would if it were added: a clone of what is being worked on."""
    for path in files():
        if (CHECKOUT / path).is_relative_to(source):
            place = target / (CHECKOUT / path).relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / path, place, follow_symlinks=False)
    return target


def update(checkout: Path, stage: Path) -> Project:
    """Install collections/requirements.yml as AWX does: the project is the working directory.

    No Galaxy is within reach: what galaxy.yml depends on is found already installed.
    """
    collections, installed = stage / "requirements_collections", stage / "installed"
    collections.mkdir(parents=True)
    link_neighbours(installed / "ansible_collections")
    requirements = checkout / "collections" / "requirements.yml"
    done = subprocess.run(
        ["ansible-galaxy", "collection", "install", "-r", requirements, "--collections-path", collections],
        cwd=checkout,
        env=environment(
            ANSIBLE_COLLECTIONS_PATH=f"{collections}:{installed}",
            ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false",
            ANSIBLE_LOCAL_TEMP=str(stage / "tmp"),
        ),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ProjectUpdateFailed(done.stdout)
    return Project(checkout, collections)


class ProjectUpdateFailed(Exception):
    """Carries what ansible-galaxy said."""
