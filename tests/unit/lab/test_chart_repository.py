# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.lab.chart_repository import CHART, VERSIONS, pack, write_repository

URL = "http://127.0.0.1:1"


def unpack(package: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(package)) as tar:
        return {name: t.cast("t.IO[bytes]", tar.extractfile(name)).read() for name in tar.getnames()}


def test_the_index_names_each_package_by_its_digest(tmp_path: Path) -> None:
    write_repository(tmp_path, URL)
    entries = yaml.safe_load((tmp_path / "index.yaml").read_text())["entries"]["enbuild"]
    assert [entry["version"] for entry in entries] == list(reversed(VERSIONS))
    for entry in entries:
        package = (tmp_path / entry["urls"][0].removeprefix(f"{URL}/")).read_bytes()
        assert hashlib.sha256(package).hexdigest() == entry["digest"]
        chart = yaml.safe_load(unpack(package)["enbuild/Chart.yaml"])
        assert chart == {key: entry[key] for key in chart}
        assert chart["kubeVersion"] == ">=1.25.0-0"


def test_the_same_source_is_the_same_package(tmp_path: Path) -> None:
    before = pack(CHART, "0.0.46")
    copy = tmp_path / "enbuild"
    for path in sorted(CHART.rglob("*"), reverse=True):
        if path.is_file():
            place = copy / path.relative_to(CHART)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
            os.utime(place, (1, 1))
            place.chmod(0o600)
    assert pack(copy, "0.0.46") == before


@pytest.mark.parametrize(("version", "known"), [("0.0.37", False), ("0.0.38", True), ("0.0.46", True)])
def test_from_which_version_on_values_know_service_accounts(version: str, known: bool) -> None:
    values = yaml.safe_load(unpack(pack(CHART, version))["enbuild/values.yaml"])
    for service in ("enbuildAI", "enbuildCTF"):
        assert ("serviceAccount" in values[service]) is known
        if known:
            assert values[service]["serviceAccount"] == {"create": False, "name": "", "annotations": {}}
    assert values["enbuildCTF"]["aws_region"] == "us-east-1"
