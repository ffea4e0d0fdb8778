# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The supported versions: what is tried is what is promised, and a cell that can't be tried says why."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.tools import installed, matrix
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

CELLS = matrix.CELLS.values()


def test_the_readme_lists_the_cells() -> None:
    assert f"\n{matrix.table()}\n" in (CHECKOUT / "README.md").read_text()


def test_the_lowest_that_is_promised_is_tried_and_so_is_each_that_the_suite_runs_on() -> None:
    least = {cell.core for cell in CELLS if cell.lowest}, {cell.kubernetes_core for cell in CELLS if cell.lowest}
    needed = _yaml("meta/runtime.yml")["requires_ansible"], _yaml("galaxy.yml")["dependencies"]["kubernetes.core"]
    assert needed == tuple(f">={version}.0" for (version,) in least)
    pinned = re.findall(r"^ansible==(\S+)", (installed.REQUIREMENTS / "runtime.txt").read_text(), re.MULTILINE)
    assert set(pinned) <= {cell.ansible for cell in CELLS}
    assert {cell.helm for cell in CELLS} == {3, 4}


def test_the_lowest_libraries_are_those_of_the_requirements() -> None:
    assert [package.partition("==")[0] for package in matrix.lowest()] == list(matrix.LIBRARIES)
    assert {package.partition("==")[0] for package in matrix.CELLS["core-2.21"].packages} >= set(matrix.LIBRARIES)


def test_what_is_installed_is_compared_with_the_cell() -> None:
    cell = matrix.Cell("3.12", "13.5.0", "2.20", "6.3", 3)
    assert matrix.deviations(cell, "Python 3.12.1, ansible-core 2.20.9, kubernetes.core 6.3.0") == []
    assert matrix.deviations(cell, "Python 3.12.1, ansible-core 2.21.0, kubernetes.core 6.30.0") == [
        "ansible-core 2.20",
        "kubernetes.core 6.3",
    ]


@pytest.mark.parametrize("script", ["", "#!/bin/sh\necho 'pyenv: python3.99: command not found' >&2; exit 127\n"])
def test_a_cell_without_its_python_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "python3.99"
    program.write_text(script)
    program.chmod(0o755 if script else 0o644)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    outcome = matrix.try_cell(matrix.Cell("3.99", "1", "1", "1", 3), tmp_path / "none.tar.gz", tmp_path)
    assert outcome == "not tried: no python3.99 on PATH that starts"


def test_pyenv_is_asked_for_the_version_of_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python3.99"
    program.write_text('#!/bin/sh\n[ "$PYENV_VERSION" = 3.99 ] && echo "$0"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    assert matrix.Cell("3.99", "1", "1", "1", 3).interpreter == str(program)


def test_a_failure_is_told_by_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_unused: t.Any) -> str:
        raise installed.Failed("output\nsite.yml failed (above)")

    monkeypatch.setattr(matrix, "_run", fail)
    monkeypatch.setattr(matrix.Cell, "interpreter", "python3.99")
    outcome = matrix.try_cell(matrix.Cell("3.99", "1", "1", "1", 3), tmp_path / "none.tar.gz", tmp_path)
    assert outcome == "FAILED: site.yml failed (above)"


def _yaml(path: str) -> t.Any:
    return yaml.safe_load((CHECKOUT / path).read_text())
