# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the site into tests/output/site: the pages of docs/, and the documentation of the plugins and roles.

A warning, among them a link that leads nowhere, ends it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import yaml
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, run

SITE = CHECKOUT / "tests" / "output" / "site"
ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
MENU = {
    "Start": ("docs/getting-started", "docs/on-your-cluster", "docs/concepts", "docs/coming-from", "docs/glossary"),
    "Use": (
        *("docs/migration", "docs/drift", "docs/teardown", "docs/report", "docs/fleet", "docs/awx"),
        *("docs/troubleshooting", "docs/findings", "docs/permissions", "docs/performance"),
        "docs/security",
    ),
    "Reference": ("plugins/index",),
    "Change": ("docs/architecture", "CONTRIBUTING", "SECURITY"),
}
"""The site's menu: pages by section."""
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")

TITLE = re.compile(r"^Enbuild\.Eks\n=+$", re.MULTILINE)
REFERENCE = "Modules, plugins and roles\n" + "=" * 26
"""The heading of the plugins' index, in place of the collection's name."""
CONTENTS = re.compile(r"^\.\. contents::\n(?: +:.*\n)*", re.MULTILINE)


def main() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    source = SITE / "source"
    (source / "plugins").mkdir(parents=True)
    (source / "plugins").chmod(0o700)  # antsibull-docs wants a folder that nobody else can write to
    copy_pages(source)
    _tool(
        *("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"),
        *("--dest-dir", str(source / "plugins"), "enbuild.eks"),
    )
    for page in (source / "plugins").glob("*.rst"):  # Furo shows each page's contents beside it.
        page.write_text(TITLE.sub(REFERENCE, CONTENTS.sub("", page.read_text())))
    config = str(CHECKOUT / "docs" / "docsite")
    _tool("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "-c", config, str(source), str(SITE / "html"))
    print(SITE / "html" / "index.html")


def copy_pages(source: Path) -> None:
    """Write the Markdown pages to ``source`` as the site has them: the README is its first page."""
    pages = sorted((CHECKOUT / "docs").glob("*.md"))
    (source / "docs").mkdir(parents=True, exist_ok=True)
    shutil.copytree(CHECKOUT / "docs" / "images", source / "docs" / "images")
    for page in [*pages, *(CHECKOUT / name for name in ROOT_PAGES)]:
        path = page.relative_to(CHECKOUT)
        (source / path).write_text(with_links(path, page.read_text()))
    (source / "README.md").rename(source / "index.md")
    with (source / "index.md").open("a") as index:
        index.write("".join(map(_toctree, MENU)))


def with_links(page: Path, text: str) -> str:
    """Return ``text`` with links to files that aren't pages of the site leading to the repository."""
    repository = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["repository"]

    def lead(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(page.parent / found[1]))
        if str(path) == "README.md":
            return os.path.relpath("index.md", page.parent) + (found[2] or "")
        if str(path) in ROOT_PAGES or path.parts[0] == "docs":
            return found[0]
        kind = "tree" if (CHECKOUT / path).is_dir() else "blob"
        return f"{repository}/{kind}/main/{path}{found[2] or ''}"

    return LINK.sub(lead, text)


def _toctree(section: str) -> str:
    entries = "\n".join(MENU[section])
    return f"\n```{{toctree}}\n:hidden:\n:caption: {section}\n:maxdepth: 1\n\n{entries}\n```\n"


def _tool(*command: str) -> None:
    code, output = run(*command)
    if code:
        sys.exit(f"{output}\nenbuild.eks: {command[0]} failed (above)")


if __name__ == "__main__":
    main()
