# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the virtual environment that the Makefile's targets run in: ``venv.py FOLDER {runtime,test,docs}``.

Standard library only. It does nothing, fast, where the environment is there already; everything it says goes to
standard error, because ``make -s lab-env`` prints shell code on standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import platform
import subprocess
import sys
import time
import typing as t
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = CHECKOUT / "tests" / "requirements"
COLLECTION = Path("ansible_collections", "enbuild", "eks")
UV = "uv==0.13.9"
SOURCE_ONLY = (
    r"/(ansible_collections|tests?|sympy|mpmath|networkx|pip|setuptools|kubernetes/(aio|client/(api|models)))/"
)
"""What is not compiled: Ansible compiles collections by itself, and the rest is hardly ever imported."""
CONTENTS = {"runtime": "Ansible, boto3 and the AWS emulator", "test": "the tools that check", "docs": "Sphinx"}


class Failed(Exception):
    """The environment can't be built; the message says why."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("level", choices=[*CONTENTS])
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.parent / f"{folder.name}.lock"):
        try:
            build(folder, options.level)
        except Failed as error:
            sys.exit(f"enbuild.eks: {error}")


def build(folder: Path, level: str) -> None:
    """Brings the environment in ``folder`` to ``level``: from scratch where anything it depends on has changed."""
    key = _key()
    built = _read_stamp(folder, key)
    if level in built:
        return
    started = time.monotonic()
    if not built:
        _create(folder)
    _say(f"installing {CONTENTS[level]}")
    _install(folder, level)
    _link(folder)
    below = list(CONTENTS)[: list(CONTENTS).index(level)]
    levels = {*built, *below, level}
    _stamp(folder).write_text(json.dumps({"key": key, "levels": sorted(levels)}))
    _say(f"{folder.relative_to(CHECKOUT)} is ready after {time.monotonic() - started:.0f} s")


def _key() -> str:
    """All that an environment depends on: the interpreter, the place of the checkout and the requirements."""
    parts = [sys.version, platform.machine(), str(CHECKOUT), UV]
    parts += [path.read_text() for path in sorted(REQUIREMENTS.glob("*.txt"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _stamp(folder: Path) -> Path:
    return folder / "enbuild-eks.json"


def _read_stamp(folder: Path, key: str) -> set[str]:
    """The levels that ``folder`` has; none where it was built from something else, or not to the end."""
    try:
        stamp = json.loads(_stamp(folder).read_text())
    except (OSError, ValueError):
        return set()
    return set(stamp["levels"]) if stamp["key"] == key else set()


def _create(folder: Path) -> None:
    """An empty environment with uv, which installs in seconds what takes pip minutes."""
    _say(f"creating {folder.relative_to(CHECKOUT)} for Python {platform.python_version()}")
    if _run([sys.executable, "-m", "venv", "--clear", str(folder)]):
        raise Failed("this Python has no working venv module (on Debian: apt-get install python3-venv)")
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])


def _install(folder: Path, level: str) -> None:
    """By uv, or by pip where uv can't be had or doesn't reach the package index that pip is set up for.

    Nothing is installed whose hash constraints.txt doesn't have. pip refuses constraints with hashes, so that it takes
    the file as its requirements: what all levels need.
    """
    python, constraints = str(folder / "bin" / "python"), str(REQUIREMENTS / "constraints.txt")
    arguments = ["--requirement", str(REQUIREMENTS / f"{level}.txt"), "--constraint", constraints]
    uv = folder / "bin" / "uv"
    quiet = [] if sys.stderr.isatty() else ["--quiet"]  # Its progress bars are for terminals, its list for nobody.
    if uv.exists() and not _run([str(uv), "pip", "install", *arguments, "--python", python, *quiet]):
        _compile(folder)
        return
    _say("without uv: pip, which takes some minutes")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install"]
    if _run([*pip, "--require-hashes", "--requirement", constraints]):
        raise Failed("pip could not install the requirements (above): is the package index reachable?")


def _compile(folder: Path) -> None:
    """Compiles what uv leaves as source, as pip does by itself.

    Where PYTHONDONTWRITEBYTECODE is set, as in many images, every start of Ansible would compile it again: half of
    what a playbook takes. Some packages have templates among their files, which are no Python.
    """
    purelib = next((folder / "lib").glob("python*/site-packages"))
    silent = ["-qq", "-j", "0", "-x", SOURCE_ONLY]
    _run([str(folder / "bin" / "python"), "-m", "compileall", *silent, str(purelib)])


def _link(folder: Path) -> None:
    """Lets Ansible, Python and mypy find the checkout under its name as a collection, from any folder."""
    purelib = next((folder / "lib").glob("python*/site-packages"))
    # mypy refuses to be pointed at site-packages, so there is a second root with nothing but this collection.
    for root in (purelib, folder / "collections"):
        link = root / COLLECTION
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(CHECKOUT)


@contextlib.contextmanager
def _lock(path: Path) -> t.Iterator[None]:
    """Two targets started at once build one environment, one after the other."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another make, which builds the environment")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str]) -> int:
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode


def _say(text: str) -> None:
    print(f"-- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
