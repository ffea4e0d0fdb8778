# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a container's image: a folder of programs that is the whole PATH of what runs in it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import typing as t
from pathlib import Path, PurePosixPath

from ..environment import aws_cli
from .variables import Document, NotStarted

ANNOTATION = "lab.enbuild.eks/tools"
"""Of a pod: which tools its images have, separated by commas; ``none`` has none, not even a shell."""
DEFAULT = ("aws", "curl", "python", "wget")
OF_IMAGES: dict[str, tuple[str, ...]] = {
    "aws-cli": ("aws",),
    "busybox": ("busybox",),
    "curl": ("curl",),
    "python": ("python", "shell"),
    "static": ("none",),
}
"""The tools of images that an ephemeral container can have, by the last part of their name; there are no others."""
WITHOUT_SHELL = {"none", "python"}
"""Tools that are also found in images without a shell."""
PROGRAM_FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin")

SHELL = (
    "sh awk base64 basename cat cp cut date dirname echo env expr false grep head hostname id ls mkdir mktemp mv "
    "printenv printf pwd rm sed seq sleep sort tail tee test timeout touch tr true uname uniq wc which xargs"
)
_SYSTEM_PATH = os.pathsep.join(["/bin", "/usr/bin", "/usr/local/bin", os.environ.get("PATH", "")])

Programs = dict[str, "Path | list[str] | None"]
"""By name: one of this machine to link to; or words to which a call adds its arguments; None where there isn't one."""


def _of_machine(name: str) -> Path | None:
    found = shutil.which(name, path=_SYSTEM_PATH)
    return Path(found) if found else None


def _shell() -> Programs:
    return {name: found for name in SHELL.split() if (found := _of_machine(name))}


def _python() -> Programs:
    # A link to the Python of a virtual environment would run without what is installed there.
    return {"python": [sys.executable], "python3": [sys.executable]}


def _aws() -> Programs:
    found = aws_cli()
    return {"aws": [found] if found else None}


def _busybox() -> Programs:
    wget = str(Path(__file__).with_name("busybox_wget.py"))
    return {"busybox": [], "wget": [sys.executable, "-I", wget]}


TOOLS: dict[str, t.Callable[[], Programs]] = {
    "aws": _aws,
    "busybox": _busybox,
    "curl": lambda: {"curl": _of_machine("curl")},
    "none": dict,
    "python": _python,
    "shell": _shell,
    "wget": lambda: {"wget": _of_machine("wget")},
}


def tools_of(pod: Document) -> tuple[str, ...]:
    """Return what a pod's annotation names, or what this machine has of the default."""
    named = (pod["metadata"].get("annotations") or {}).get(ANNOTATION)
    if named is None:
        return tuple(tool for tool in DEFAULT if None not in TOOLS[tool]().values())
    return tuple(sorted({word.strip() for word in named.split(",") if word.strip()}))


def tools_of_image(image: str) -> tuple[str, ...] | None:
    """Return what an ephemeral container's image has, whatever its registry and tag; None if no registry has it."""
    repository = image.partition("@")[0].rsplit("/", 1)[-1]
    return OF_IMAGES.get(repository.partition(":")[0])


class Images:
    """Folders of programs, made when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, tools: tuple[str, ...]) -> Path:
        """Return the folder that has exactly these tools; NotStarted for one that isn't known, or not here."""
        place = self._folder / "-".join(tools or ("none",))
        if not place.exists():
            programs = _programs(tools)
            making = self._folder / f".{place.name}"
            making.mkdir(parents=True)
            for name, program in programs.items():
                _install(making / name, program)
            making.rename(place)
        return place


def locate(program: str, image: Path) -> Path | None:
    """Return the image's program of that name or path, or None if it has none."""
    path = PurePosixPath(program)
    if "/" in program and str(path.parent) not in PROGRAM_FOLDERS:
        return None
    found = image / path.name
    return found if found.is_file() else None


def _programs(tools: tuple[str, ...]) -> dict[str, Path | list[str]]:
    found: dict[str, Path | list[str]] = {}
    for tool in tools if set(tools) <= WITHOUT_SHELL else ("shell", *tools):
        if tool not in TOOLS:
            raise NotStarted(f"{ANNOTATION} names {tool}; the lab knows {', '.join(TOOLS)}")
        for name, program in TOOLS[tool]().items():
            if program is None:
                raise NotStarted(f"{ANNOTATION} names {tool}, which this machine hasn't got")
            found[name] = program
    return found


def _install(place: Path, program: Path | list[str]) -> None:
    if isinstance(program, Path):
        place.symlink_to(program)
        return
    words = shlex.join(program)
    place.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    place.chmod(0o700)
