# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.programs import (
    EKSCTL,
    HELM4,
    LAB,
    GoModule,
    Program,
    Version,
    find_on_path,
    parse_version,
)

BY_NAME = {program.name: program for module in (LAB, EKSCTL) for program in module.programs}
PINNED = LAB.pinned


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Kubernetes v1.36.3\n", (1, 36, 3)),
        ("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0", (1, 32, 4)),
        ("etcd Version: 3.6.8\nGit SHA: Not provided", (3, 6, 8)),
        ("kwok version v0.8.0 go1.26.8 (linux/amd64)", (0, 8, 0)),
        ("v3.22+g1234567", (3, 22, 0)),
        ("no idea", None),
    ],
)
def test_the_first_version_in_what_a_program_says(said: str, version: Version | None) -> None:
    assert parse_version(said) == version


@pytest.mark.parametrize("module", [LAB, EKSCTL, HELM4], ids=["lab", "eksctl", "helm4"])
def test_go_mod_pins_the_module_of_each_program_and_builds_its_package(module: GoModule) -> None:
    tools = re.search(r"^tool (?:\((.*?)\)|(\S+))", module.go_mod, re.MULTILINE | re.DOTALL)
    assert tools
    assert {program.package for program in module.programs} == set((tools[1] or tools[2]).split())
    assert {program.module for program in module.programs} <= module.pinned.keys()


def test_a_program_is_called_as_go_names_it() -> None:
    assert BY_NAME["etcd"].built_as == "server"
    assert BY_NAME["helm"].built_as == "helm"


@pytest.mark.parametrize(
    ("name", "pinned", "found", "fits"),
    [
        ("kube-apiserver", (1, 36, 3), (1, 36, 0), True),
        ("kube-apiserver", (1, 36, 3), (1, 35, 9), False),
        ("kubectl", (1, 36, 3), (1, 35, 0), True),
        ("kubectl", (1, 36, 3), (1, 37, 0), True),
        ("kubectl", (1, 36, 3), (1, 32, 4), False),
        ("helm", (3, 22, 0), (3, 14, 0), True),
        ("helm", (3, 22, 0), (3, 13, 3), False),
        ("helm", (3, 22, 0), (4, 3, 1), False),
        ("helm", (4, 3, 2), (4, 0, 0), True),
        ("helm", (4, 3, 2), (3, 22, 0), False),
        ("etcd", (3, 6, 8), (3, 5, 0), True),
        ("etcd", (3, 6, 8), (3, 4, 23), False),
        ("kwok", (0, 8, 0), (0, 8, 2), True),
        ("kwok", (0, 8, 0), (0, 7, 0), False),
        ("eksctl", (0, 215, 0), (0, 215, 1), True),
        ("eksctl", (0, 215, 0), (0, 214, 0), False),
    ],
)
def test_which_versions_do_as_well(name: str, pinned: Version, found: Version, fits: bool) -> None:
    assert BY_NAME[name].fits(pinned, found) is fits


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl on PATH whose version fits."""
    place = tmp_path / "machine" / "kubectl"
    place.parent.mkdir()
    place.write_text("#!/bin/sh\necho Client Version: v{}.{}.{}\n".format(*PINNED["k8s.io/kubernetes"]))
    place.chmod(0o755)
    monkeypatch.setenv("PATH", str(place.parent))
    return place


def _find(program: Program, ignored: Path) -> Path | None:
    found = find_on_path(program, PINNED[program.module], ignored)
    return found[0] if found else None


def test_a_program_on_path_that_fits_is_found(kubectl: Path, tmp_path: Path) -> None:
    assert _find(BY_NAME["kubectl"], tmp_path / "cache") == kubectl
    assert _find(BY_NAME["helm"], tmp_path / "cache") is None


def test_a_link_into_the_cache_is_no_other_build(kubectl: Path, tmp_path: Path) -> None:
    cached = tmp_path / "cache" / "kubectl"
    cached.parent.mkdir()
    kubectl.rename(cached)
    kubectl.symlink_to(cached)
    assert _find(BY_NAME["kubectl"], cached.parent) is None


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho none\n", "garbage"])
def test_a_program_that_says_no_version_does_not_fit(kubectl: Path, tmp_path: Path, script: str) -> None:
    kubectl.write_text(script)
    assert _find(BY_NAME["kubectl"], tmp_path) is None
