# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkout as the checks see it: its files, a copy of them, and the commands run on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def files() -> list[Path]:
    """What is tracked, or would be if it were added: paths relative to the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = sorted(set(filter(None, listed.stdout.split("\0"))))
    return [Path(path) for path in paths if (CHECKOUT / path).is_file()]


def copy_as_collection(root: Path) -> Path:
    """Copies the checkout's files to their place under ``root``, with the collections they need beside.

    Returns that place.
    """
    collections = root / "ansible_collections"
    copy = collections / "enbuild" / "eks"
    for path in files():
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / path, target, follow_symlinks=False)
    link_neighbours(collections)
    return copy


def link_neighbours(collections: Path) -> None:
    """Puts the collections that this one depends on into ``collections``, as the environment has them."""
    collections.mkdir(parents=True, exist_ok=True)
    for neighbour in ("amazon", "kubernetes"):
        (collections / neighbour).symlink_to(installed() / neighbour)


def installed() -> Path:
    """Where the environment's own collections are."""
    return next(Path(sys.prefix).glob("lib/python*/site-packages/ansible_collections"))


def environment(**more: str) -> dict[str, str]:
    """This process' environment with the programs beside this Python first, no colours, and ``more``."""
    variables = {
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)]),
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
        # antsibull-docs copies what git tracks, also of a collection in .venv, where git tracks nothing.
        "GIT_CEILING_DIRECTORIES": sys.prefix,
    }
    return {**os.environ, **variables, **more}


def run(*command: str, cwd: Path = CHECKOUT, **more: str) -> tuple[int, str]:
    """Runs a tool of this environment, with ``more`` environment variables.

    Returns its exit code and all it printed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**more),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout
