# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as Ansible's own tools judge it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, run

SANITY = "ansible_collections.enbuild.eks.tests.tools.sanity"


def test_changelog() -> None:
    code, output = run("antsibull-changelog", "lint")
    assert code == 0, output


@pytest.mark.parametrize("path", sorted((CHECKOUT / "plugins/modules").glob("*.py")), ids=lambda path: path.stem)
def test_a_module_runs_in_a_fork(path: Path) -> None:
    action = CHECKOUT / "plugins/action" / path.name
    assert action.exists()
    assert ("module = load(__name__)" in action.read_text()) == ("\ndef main()" in path.read_text())


def test_no_ignore_files() -> None:
    ignored = sorted(path.name for path in CHECKOUT.glob("tests/sanity/*"))
    assert not ignored, "what sanity finds is mended, not ignored"


@pytest.mark.background(
    "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=dependent", "."
)
def test_documentation(background_result: tuple[int, str]) -> None:
    code, output = background_result
    assert code == 0, output


@pytest.mark.background("ansible-lint", "--nocolor", "--offline", "-q")
def test_ansible_lint(background_result: tuple[int, str]) -> None:
    code, output = background_result
    assert code == 0, output


# Without pylint, which takes longer than all others and finds little beside ruff and mypy: make release runs it.
@pytest.mark.background(sys.executable, "-m", SANITY, "--skip-test", "pylint")
def test_sanity(background_result: tuple[int, str]) -> None:
    code, output = background_result
    assert code == 0, output
