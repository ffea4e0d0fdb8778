# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder makes of meta/ and ee/, and that ee/ has the versions that the tests run with."""

from __future__ import annotations

import json
import re
import shutil
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.lab.programs import LAB
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, copy_as_collection, installed, run

DEFINITION = yaml.safe_load((CHECKOUT / "ee" / "execution-environment.yml").read_text())
DEPENDENCIES = DEFINITION["dependencies"]
VERSION = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]


def test_the_build_context_is_complete(tmp_path: Path) -> None:
    """All that the definition names is there, once the collection is built."""
    shutil.copytree(CHECKOUT / "ee", tmp_path / "ee")
    code, output = run("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path))
    assert code == 0, output
    create = ("ansible-builder", "create", "-f", "ee/execution-environment.yml", "-c", "made")
    code, output = run(*create, "--output-filename", "Containerfile", cwd=tmp_path)
    assert code == 0, output
    assert "No matches" not in output
    assert (tmp_path / "made" / "_build" / "galaxy" / f"enbuild-eks-{VERSION}.tar.gz").is_file()
    for line in re.findall(r"^COPY (?!--from)(\S+)", (tmp_path / "made" / "Containerfile").read_text(), re.MULTILINE):
        assert (tmp_path / "made" / line).exists()


def test_what_the_collection_brings_along(tmp_path: Path) -> None:
    copy_as_collection(tmp_path)
    code, output = run("ansible-builder", "introspect", str(tmp_path))
    assert code == 0, output
    found = yaml.safe_load(output.partition("---")[2])
    assert _ours(found["python"]) == {"boto3>=1.38.40", "botocore>=1.38.40", "kubernetes>=29.0.0"}
    assert _ours(found["system"]) == {"ca-certificates [platform:dpkg platform:rpm]"}


def _ours(lines: list[str]) -> set[str]:
    found = (line.partition("  # from collection ") for line in lines)
    return {what for what, _sign, whose in found if whose == "enbuild.eks"}


def test_versions_are_those_of_the_tests() -> None:
    pinned = (CHECKOUT / "tests" / "requirements" / "constraints.txt").read_text().splitlines()
    for package in ("ansible_core", "ansible_runner"):
        wanted = DEPENDENCIES[package]["package_pip"]
        assert wanted in {line.partition(" ")[0] for line in pinned}
    helm = re.findall(r"^\s*helm\.sh/helm/v3 v(\S+)", LAB.go_mod, re.MULTILINE)
    assert re.findall(r"helm:(\S+)", " ".join(DEFINITION["additional_build_steps"]["append_final"])) == helm


def test_the_header_names_the_versions_that_are_pinned() -> None:
    text = (CHECKOUT / "ee" / "execution-environment.yml").read_text()
    header = " ".join(text.partition("version: 3")[0].replace("#", "").split())
    packages = [DEPENDENCIES[package]["package_pip"].split("==") for package in ("ansible_core", "ansible_runner")]
    listed = DEPENDENCIES["galaxy"]["collections"]
    collections = [(each["name"], each["version"]) for each in listed if "version" in each]
    helm = re.findall(r"helm:(\S+)", text)
    for name, version in (*packages, *collections, *(("Helm", each) for each in helm)):
        assert f"{name} {version}" in header


def test_a_thin_project_in_awx_installs_this_release() -> None:
    path = CHECKOUT / "examples" / ".awx_project" / "collections" / "requirements.yml"
    assert [each["version"] for each in yaml.safe_load(path.read_text())["collections"]] == [VERSION]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the versions are those that come with ansible on Python 3.11")
def test_collections_are_those_of_the_tests() -> None:
    wanted = {each["name"]: each.get("version") for each in DEPENDENCIES["galaxy"]["collections"]}
    ours = f"/build/galaxy/enbuild-eks-{VERSION}.tar.gz"
    assert wanted == {ours: None, **{name: _installed_version(name) for name in ("amazon.aws", "kubernetes.core")}}


def _installed_version(name: str) -> t.Any:
    manifest = installed().joinpath(*name.split("."), "MANIFEST.json")
    return json.loads(manifest.read_text())["collection_info"]["version"]
