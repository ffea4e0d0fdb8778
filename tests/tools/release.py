# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds a release and tries it as a user does; what passed is in tests/output/release. Nothing is published.

pylint comes first, the one sanity test that `make test` leaves out. The tarball is built with its changelog rendered,
checked by galaxy-importer, and installed into an empty environment; playbooks run from there on a lab of their own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools import installed
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

IMPORTER = (installed.REQUIREMENTS / "release.txt").read_text().splitlines()
OUTPUT = CHECKOUT / "tests" / "output" / "release"
LAB = "release"
IMPORTER_CONFIG = "[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = False\nRUN_FLAKE8 = False\n"
SANITY = "ansible_collections.enbuild.eks.tests.tools.sanity"
PASSED = "Importer processing completed successfully"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        try:
            _release(Path(name))
        except installed.Failed as error:
            sys.exit(f"enbuild.eks: {error}")


def _release(folder: Path) -> None:
    judge_code()
    tarball = installed.build(folder)
    installed.say(f"built {tarball.name}")
    check(tarball, folder / "importer")
    try_out(tarball, folder / "user")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    shutil.copy2(tarball, OUTPUT)
    print(OUTPUT / tarball.name)


def judge_code() -> None:
    """Let ansible-test's pylint judge the code."""
    installed.say("running pylint")
    if subprocess.run([sys.executable, "-m", SANITY, "--test", "pylint"], check=False).returncode:
        raise installed.Failed("pylint found something (above)")


def check(tarball: Path, folder: Path) -> None:
    """Let galaxy-importer judge ``tarball``, as Galaxy does; each of its errors and warnings is shown."""
    packages = [*filter(_names_package, IMPORTER), *installed.pinned("ansible", "boto3", "botocore", "kubernetes")]
    importer = installed.Environment.create(folder, sys.executable, *packages)
    (folder / "importer.cfg").write_text(IMPORTER_CONFIG)
    config = {"GALAXY_IMPORTER_CONFIG": str(folder / "importer.cfg")}
    done = importer.run("python", "-m", "galaxy_importer.main", str(tarball), **config)
    output = installed.checked(done, "galaxy-importer")
    complaints = [line for line in output.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL)\b", line)]
    if complaints or PASSED not in output:
        raise installed.Failed(f"{output}\ngalaxy-importer found something (above)")
    installed.say("galaxy-importer has nothing to say against it")


def _names_package(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def try_out(tarball: Path, folder: Path) -> None:
    """Install ``tarball`` into an empty environment, and run playbooks from there."""
    packages = installed.pinned("ansible", "boto3", "botocore", "kubernetes")
    user = installed.Environment.create(folder, sys.executable, *packages)
    user.install(tarball)
    installed.say(f"installed into an empty environment: {user.versions()}")
    with Lab.start(LAB, tied=True) as lab:
        installed.try_playbooks(user, lab)


if __name__ == "__main__":
    main()
