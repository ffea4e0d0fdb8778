# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools import venv


class Commands(list[list[str]]):
    """Stands in for running programs: makes the folders that they would make, fails those named in ``failing``."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: set[str] = set()

    def run(self, command: list[str]) -> int:
        self.append(command)
        folder = Path(command[-1])
        if "venv" in command:
            (folder / "lib" / "python3.0" / "site-packages").mkdir(parents=True, exist_ok=True)
            (folder / "bin").mkdir(exist_ok=True)
        if venv.UV in command and venv.UV not in self.failing:
            (Path(command[0]).parent / "uv").touch()
        return int(bool(self.failing.intersection([Path(command[0]).name, *command])))

    @property
    def created(self) -> int:
        return sum("venv" in command for command in self)

    @property
    def installed(self) -> list[str]:
        return [
            Path(command[command.index("--requirement") + 1]).stem for command in self if "--requirement" in command
        ]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    commands = Commands()
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    for name in ("runtime", "test", "docs", "constraints"):
        (requirements / f"{name}.txt").write_text(f"{name}==1\n")
    monkeypatch.setattr(venv, "_run", commands.run)
    monkeypatch.setattr(venv, "CHECKOUT", tmp_path)
    monkeypatch.setattr(venv, "REQUIREMENTS", requirements)
    return commands


def test_built_once(commands: Commands, tmp_path: Path) -> None:
    venv.build(tmp_path / "v", "runtime")
    commands.clear()
    venv.build(tmp_path / "v", "runtime")
    assert commands == []


def test_what_is_installed_is_compiled(commands: Commands, tmp_path: Path) -> None:
    """Environments may forbid Python to keep what it compiles; each start would compile it again."""
    venv.build(tmp_path / "v", "runtime")
    assert "compileall" in commands[-1]
    assert commands[-1][-1] == str(tmp_path / "v" / "lib" / "python3.0" / "site-packages")


def test_test_level_is_added_to_the_runtime(commands: Commands, tmp_path: Path) -> None:
    for level in ("runtime", "test", "runtime", "test"):
        venv.build(tmp_path / "v", level)
    assert commands.created == 1
    assert commands.installed == ["runtime", "test"]


def test_test_level_alone_serves_as_runtime(commands: Commands, tmp_path: Path) -> None:
    venv.build(tmp_path / "v", "test")
    venv.build(tmp_path / "v", "runtime")
    assert commands.installed == ["test"]


def test_docs_level_serves_as_all_others(commands: Commands, tmp_path: Path) -> None:
    for level in ("docs", "test", "runtime"):
        venv.build(tmp_path / "v", level)
    assert commands.installed == ["docs"]


def test_another_requirement_builds_it_anew(commands: Commands, tmp_path: Path) -> None:
    venv.build(tmp_path / "v", "runtime")
    (venv.REQUIREMENTS / "constraints.txt").write_text("constraints==2\n")
    venv.build(tmp_path / "v", "runtime")
    assert commands.created == 2


def test_half_built_is_built_anew(commands: Commands, tmp_path: Path) -> None:
    commands.failing = {"--requirement"}
    with pytest.raises(venv.Failed, match="package index"):
        venv.build(tmp_path / "v", "runtime")
    commands.failing = set()
    venv.build(tmp_path / "v", "runtime")
    assert commands.created == 2


@pytest.mark.parametrize("failing", [venv.UV, "uv"], ids=["uv can't be had", "uv fails"])
def test_pip_takes_over(commands: Commands, tmp_path: Path, failing: str) -> None:
    commands.failing = {failing}
    venv.build(tmp_path / "v", "runtime")
    assert "pip" in commands[-1]
    assert commands[-1][0].endswith("python")
    # It takes no hashes from constraints.
    assert "--constraint" not in commands[-1]
    assert commands[-1][-3:] == ["--require-hashes", "--requirement", str(venv.REQUIREMENTS / "constraints.txt")]


@pytest.mark.usefixtures("commands")
def test_checkout_is_found_under_its_name(tmp_path: Path) -> None:
    venv.build(tmp_path / "v", "runtime")
    links = [path for path in (tmp_path / "v").rglob("eks") if path.is_symlink()]
    assert len(links) == 2
    assert {path.resolve() for path in links} == {tmp_path}


def test_no_venv_module_is_said(commands: Commands, tmp_path: Path) -> None:
    commands.failing = {"venv"}
    with pytest.raises(venv.Failed, match="python3-venv"):
        venv.build(tmp_path / "v", "runtime")
