# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the tarball of a release: ``python -m …tests.tools.artifact FOLDER``.

It is made of what is committed alone, and holds only what is listed here. ``manifest`` in galaxy.yml would list it too,
but ansible-galaxy then needs distlib, which Ansible doesn't bring, also to install a checkout or a Git URL.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, run

BELONGS = (
    r"(MANIFEST|FILES)\.json",
    r"(README|CONTRIBUTING|SECURITY)\.md|CHANGELOG\.rst|LICENSE|Makefile|bindep\.txt|requirements\.txt|pyproject\.toml",
    r"awx/\w+\.yml|awx/surveys/\w+\.json",
    r"changelogs/(changelog\.yaml|config\.yaml|fragments/[\w.-]+\.yml)",
    r"collections/requirements\.yml",
    r"docs/[\w-]+\.md|docs/docsite/[\w.-]+|docs/docsite/static/[\w.-]+|docs/images/[\w-]+\.png",
    r"ee/execution-environment\.yml",
    r"examples/\w+\.yml",
    r"meta/(runtime|execution-environment)\.yml",
    r"permissions/\w+\.(iam\.json|rbac\.yaml)",
    r"playbooks/\w+\.yml",
    r"plugins/\w+/(\w+/)*\w+\.py|plugins/filter/\w+\.yml|plugins/plugin_utils/_report/assets/report\.(css|js|html\.j2)",
    r"roles/\w+/(README\.md|(defaults|handlers|meta|tasks|vars)/\w+\.yml)",
    r"tests/(\w+/)*([\w.-]+\.(py|yml|yaml|json|md|txt|tpl)|aliases|go\.(mod|sum))",
)
"""Regular expressions; each file matches one of them."""


def main() -> None:
    print(build(CHECKOUT, Path(sys.argv[1]).absolute()))


def build(checkout: Path, folder: Path) -> Path:
    """Builds the tarball of what ``checkout`` has committed into ``folder``; exits with what doesn't belong in it."""
    with tempfile.TemporaryDirectory() as committed:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=checkout, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", committed], input=archive, check=True)
        words = ("ansible-galaxy", "collection", "build", "--force", "--output-path", str(folder))
        code, output = run(*words, cwd=Path(committed))
    if code:
        sys.exit(output)
    tarball = Path(output.split()[-1])
    if wrong := unlisted(names(tarball)):
        tarball.unlink()
        sys.exit(f"These files don't belong in the collection, or BELONGS lacks them: {', '.join(wrong)}")
    return tarball


def names(tarball: Path) -> list[str]:
    """The files in it."""
    with tarfile.open(tarball) as opened:
        return [member.name for member in opened.getmembers() if not member.isdir()]


def unlisted(names: t.Iterable[str]) -> list[str]:
    """Those of ``names`` that match nothing of BELONGS."""
    return sorted(name for name in names if not any(re.fullmatch(pattern, name) for pattern in BELONGS))


if __name__ == "__main__":
    main()
