# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the lab's programs: on PATH where the version fits, else in the cache, else build them into it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import platform
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import go_build
from .errors import LabError
from .layout import cache_folder
from .programs import LAB, GoModule, Program, find_on_path

Say = t.Callable[[str], None]


@dataclass(frozen=True)
class Binaries:
    """Where each program is, and which of them are the machine's own (with their version)."""

    paths: dict[str, Path]
    borrowed: dict[str, str]


def provide(say: Say, module: GoModule = LAB) -> Binaries:
    """Return the programs of ``module``, built if need be; LabError if one can't be had."""
    borrowed = _borrowed(module)
    own = [program for program in module.programs if program.name not in borrowed]
    folder = key_folder(module) / "bin"
    if _missing(own, folder):
        with _only_one_builds(folder.parent, say):
            missing = _missing(own, folder)  # Another lab may have built them meanwhile.
            if missing:
                go_build.build(module, missing, folder, say)
    paths = {program.name: folder / program.name for program in own}
    paths |= {name: path for name, (path, _unused) in borrowed.items()}
    return Binaries(paths, {name: version for name, (_unused, version) in borrowed.items()})


def key_folder(module: GoModule = LAB) -> Path:
    """Return the cache's folder for the versions that ``module`` pins, on this platform."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((module.folder / name).read_bytes())
    system = f"{platform.system()}-{platform.machine()}".lower()
    return cache_folder() / f"{digest.hexdigest()[:16]}-{system}"


def link(programs: dict[str, Path], folder: Path) -> None:
    """Make ``folder`` hold a link to each program; LabError names one that has gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in programs.items():
        if not path.is_file():
            raise LabError(f"{name} is missing: {path} is no file (remove its folder to build it again)")
        place = folder / name
        place.unlink(missing_ok=True)
        place.symlink_to(path)


def _borrowed(module: GoModule) -> dict[str, tuple[Path, str]]:
    pinned = module.pinned
    found = {}
    for program in module.programs:
        other = find_on_path(program, pinned[program.module], cache_folder())
        if other:
            found[program.name] = (other[0], ".".join(map(str, other[1])))
    return found


def _missing(programs: t.Iterable[Program], folder: Path) -> list[Program]:
    return [program for program in programs if not (folder / program.name).is_file()]


@contextlib.contextmanager
def _only_one_builds(folder: Path, say: Say) -> t.Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another lab, which builds the same programs")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
