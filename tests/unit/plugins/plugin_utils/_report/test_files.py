# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_and_its_files_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert files.write(str(folder), {"a.json": "{}", "a.html": "<p>"}) == [f"{folder}/a.json", f"{folder}/a.html"]
    assert (mode(folder), mode(folder / "a.json"), mode(folder / "a.html")) == (0o700, 0o600, 0o600)
    assert (folder / "a.html").read_text() == "<p>"


def test_what_is_there_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "a.json").write_text("old")
    (folder / "a.json").chmod(0o644)
    files.write(str(folder), {"a.json": "new", "b.json": "new"})
    assert (mode(folder), mode(folder / "a.json"), mode(folder / "b.json")) == (0o755, 0o644, 0o600)
    assert (folder / "a.json").read_text() == "new"
    assert sorted(path.name for path in folder.iterdir()) == ["a.json", "b.json"]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.write("", {"a.json": "{}"}) == []
    assert list(tmp_path.iterdir()) == []
    assert files.write("here", {"a.json": "{}"}) == [str(tmp_path / "here" / "a.json")]
