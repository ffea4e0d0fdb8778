# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages for people: every command is tried or says why not, links lead somewhere, numbers agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.tools import documents
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files

PAGES = [path for path in files() if path.suffix == ".md"]
FINDING = re.compile(r"^### `(\w+)`$", re.MULTILINE)
TEST = re.compile(r"(U )?`([\w/]*test_\w+\.py::\w+)`")
"""A test in a table; after U, of the unit tests."""
SAID = re.compile(r"\benbuild\.eks\.(\w+)|-e (\w+)=|(--check|--diff|--tags|--skip-tags|--limit|--graph|--forks)\b")
"""What a command says that the test of its mark has to say too: the playbook, its variables and options."""
FOLLOWED = "tests/integration/test_documentation.py::"
"""Runs the blocks as they stand."""
EVERYWHERE = {"eks_cluster_name", "eks_region"}
"""What the tests set for every playbook."""
REQUIREMENT = re.compile(r"\b(boto3|botocore|kubernetes) ?>= ?([\d.]+)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_is_run_by_a_test_or_says_why_not(page: Path) -> None:
    text = (CHECKOUT / page).read_text()
    assert documents.indented(text) == [], "put it between ``` with a language, so that it can carry a mark"
    shown = [block for block in documents.blocks(text) if block.language != documents.OUTPUT]
    assert [f"{page}:{block.line}" for block in shown if not block.mark] == []
    named = [block.mark[1] for block in shown if block.mark and block.mark[0] == "run"]
    assert [name for name in named if not _is_test(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_command_s_test_has_its_playbook_and_variables(page: Path) -> None:
    marked = [(block, *block.mark) for block in documents.blocks((CHECKOUT / page).read_text()) if block.mark]
    lacking = {
        f"{page}:{block.line}": missing
        for block, kind, test in marked
        if kind == "run" and not test.startswith(FOLLOWED) and (missing := _said(block.text) - _known(test))
    }
    assert lacking == {}


def _said(command: str) -> set[str]:
    return {word for found in SAID.findall(command) for word in found if word} - EVERYWHERE


def _known(test: str) -> set[str]:
    """The words of the test's file, and of the helpers beside it."""
    folder = (CHECKOUT / test.partition("::")[0]).parent
    own = (CHECKOUT / test.partition("::")[0]).read_text()
    helpers = [
        path.read_text() for path in folder.glob("*.py") if f"import {path.stem}" in own or f".{path.stem} " in own
    ]
    return set(re.findall(r"[\w-]+", " ".join([own, *helpers])))


def _is_test(name: str) -> bool:
    """Whether ``FILE::FUNCTION`` is there."""
    file, _separator, function = name.partition("::")
    path = CHECKOUT / file
    return path.is_file() and f"\ndef {function}(" in path.read_text()


def test_the_table_of_clusters_names_tests_that_are_there() -> None:
    table = (CHECKOUT / "tests" / "integration" / "README.md").read_text().partition("## Clusters that we")[2]
    named = [_in_full(*found) for found in TEST.findall(table)]
    assert named
    assert [name for name in named if not _is_test(name)] == []


def _in_full(unit: str, name: str) -> str:
    if unit:
        return f"tests/unit/plugins/module_utils/{name}"
    return name if "/" in name else f"tests/integration/{name}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert [link for link in documents.links((CHECKOUT / page).read_text()) if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"https?://|mailto:", link):
        return True
    file, _separator, anchor = link.partition("#")
    target = (CHECKOUT / page.parent / file) if file else CHECKOUT / page
    if not target.exists():
        return False
    return not anchor or anchor in documents.anchors(target.read_text())


def test_every_page_is_named_in_the_readme() -> None:
    linked = set(documents.links((CHECKOUT / "README.md").read_text()))
    assert [str(page) for page in PAGES if page.parent == Path("docs") and str(page) not in linked] == []


def test_troubleshooting_names_every_finding() -> None:
    findings = set(FINDING.findall((CHECKOUT / "docs" / "findings.md").read_text()))
    linked = documents.links((CHECKOUT / "docs" / "troubleshooting.md").read_text())
    assert findings <= {link.removeprefix("findings.md#") for link in linked}


def test_the_readme_declares_the_workload_that_getting_started_tries() -> None:
    first, other = (
        next(block.text for block in documents.blocks((CHECKOUT / page).read_text()) if "orders" in block.text)
        for page in ("README.md", "docs/on-your-cluster.md")
    )
    tried = [block.text for block in documents.blocks((CHECKOUT / "docs" / "getting-started.md").read_text())]
    assert first in tried
    assert [line.strip() for line in first.splitlines()[1:]] == [line.strip() for line in other.splitlines()[-6:]]


def test_python_requirements_agree_with_requirements_txt() -> None:
    required = dict(REQUIREMENT.findall((CHECKOUT / "requirements.txt").read_text()))
    sources = [path for path in files() if path.suffix in {".md", ".py"} and path.parts[0] != "tests"]
    found = {
        f"{path}: {name} {version}"
        for path in sources
        for name, version in REQUIREMENT.findall((CHECKOUT / path).read_text())
        if version != required[name]
    }
    assert not found, "\n".join(sorted(found))


def test_the_tarball_is_named_by_the_version() -> None:
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    named = {name for page in PAGES for name in re.findall(r"enbuild-eks-([\d.]+)\.tar", (CHECKOUT / page).read_text())}
    assert named == {version}
