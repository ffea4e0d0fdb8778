# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ``ansible-test sanity`` on the checkout, wherever the checkout is, with what reaches PyPI and nothing else.

ansible-test wants the collection at …/ansible_collections/enbuild/eks, so it gets a copy. It keeps its virtual
environments in the home folder, so it gets a home of its own, which lives in the user's cache and is shared by all
clones. It would fetch pip's installer from its makers' server, so it finds one that takes the pip that comes with
Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import subprocess
import sys
import tempfile
import types
import typing as t
from importlib import metadata
from pathlib import Path

from ansible_collections.enbuild.eks.tests.tools.checkout import copy_as_collection, environment

PYTHON = "{}.{}".format(*sys.version_info[:2])
GET_PIP = """\
import ensurepip

ensurepip.bootstrap()
"""


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # So that the copy is removed.
    home = _home()
    with tempfile.TemporaryDirectory(prefix="enbuild-eks-sanity-") as root, _alone(home):
        _put_pip_installer(home)
        collection = copy_as_collection(Path(root))
        sys.exit(_sanity(collection, home, sys.argv[1:]))


def _sanity(collection: Path, home: Path, arguments: list[str]) -> int:
    command = ["ansible-test", "sanity", "--local", "--python", PYTHON, "--color", "no", *arguments]
    variables = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PIP_QUIET": "1"}
    return subprocess.run(
        command, cwd=collection, env=environment(**variables), check=False, stdin=subprocess.DEVNULL
    ).returncode


def _home() -> Path:
    """A home folder for each pair of Python and ansible-core."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "enbuild-eks-sanity" / f"{platform.python_version()}-{metadata.version('ansible-core')}"


def _put_pip_installer(home: Path) -> None:
    """Puts it where ansible-test looks before it downloads, under the name of the pip version that it asks for."""
    from ansible_test._internal.python_requirements import get_venv_packages

    python = types.SimpleNamespace(version=PYTHON)  # As much of its PythonConfig as the choice depends on.
    version = get_venv_packages(python)["pip"].replace(".", "_")
    installer = home / ".ansible" / "test" / "cache" / f"get_pip_{version}.py"
    installer.parent.mkdir(parents=True, exist_ok=True)
    installer.write_text(GET_PIP)


@contextlib.contextmanager
def _alone(home: Path) -> t.Iterator[None]:
    """Two clones must not build the same virtual environment at once."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
