# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubeconfig is a private file for each host and cluster, and wins over what the environment says of others."""

from __future__ import annotations

import json
import os
import stat
import time
import typing as t
from pathlib import Path

import pytest
from ansible import constants
from ansible_collections.enbuild.eks.plugins.lookup.cluster_kubeconfig import LookupModule

SERVER = "https://cluster.example.com"


class Given(LookupModule):
    """The lookup with these options, as Ansible's plugin loader sets them; AWS credentials' tokens are numbered."""

    made = 0

    def __init__(self, options: dict[str, t.Any]) -> None:
        super().__init__()
        self._given = {"certificate_authority": "", "token": "t", "endpoint": SERVER, **options}

    def _signed(self, _name: str, _variables: t.Any, _options: t.Any) -> str:
        Given.made += 1
        return f"signed-{Given.made}"

    def get_options(self, hostvars: t.Any = None) -> dict[str, t.Any]:
        return self._given

    def set_options(self, *_arguments: t.Any, **_more: t.Any) -> None:
        """They are set."""

    def get_option(self, option: str, hostvars: t.Any = None) -> t.Any:
        return self._given[option]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


def look(name: str = "prod", host: str = "alpha", **options: t.Any) -> str:
    (path,) = Given(options).run([name], {"inventory_hostname": host})
    return path


def test_the_token_is_in_a_file_for_its_owner_only(folder: Path) -> None:
    path = Path(look(certificate_authority="UEVN"))
    made = json.loads(path.read_text())
    assert made["clusters"][0]["cluster"] == {"server": SERVER, "certificate-authority-data": "UEVN"}
    assert made["users"][0]["user"] == {"token": "t"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.parent == folder


def test_a_new_token_takes_the_place_of_the_old_one(folder: Path) -> None:
    assert look(token="old") == look(token="new")
    (path,) = folder.iterdir()
    assert json.loads(path.read_text())["users"][0]["user"]["token"] == "new"
    assert look(endpoint="https://other.example.com") != str(path)


def test_a_token_serves_the_next_tasks() -> None:
    assert _token(look(token="")) == _token(look(token=""))


@pytest.mark.parametrize("other", [{"profile": "b"}, {"assume_role_arn": "b"}, {"session_token": "b"}])
def test_a_token_serves_nobody_else(other: dict[str, str]) -> None:
    assert _token(look(token="", **dict.fromkeys(other, "a"))) != _token(look(token="", **other))


def test_an_older_token_is_replaced() -> None:
    path = look(token="")
    first = _token(path)
    os.utime(path, (time.time() - 31,) * 2)
    assert _token(look(token="")) != first


def test_what_the_file_says_of_its_maker_is_no_secret() -> None:
    assert "hush" not in Path(look(token="", secret_key="hush")).read_text()


def test_clusters_behind_one_endpoint_have_a_file_each() -> None:
    """What one host may do in a cluster is not what another may."""
    assert len({look(), look(name="test"), look(host="beta")}) == 3


def test_an_authority_may_be_a_file_or_the_machine_s_own(folder: Path) -> None:
    file = folder / "ca.crt"
    file.write_text("PEM")
    assert _cluster(look(certificate_authority=str(file)))["certificate-authority"] == str(file)
    assert _cluster(look()) == {"server": SERVER}


def test_what_the_environment_says_of_another_cluster_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "stray")
    look()
    assert "K8S_AUTH_API_KEY" not in os.environ


def _token(path: str) -> t.Any:
    return json.loads(Path(path).read_text())["users"][0]["user"]["token"]


def _cluster(path: str) -> t.Any:
    return json.loads(Path(path).read_text())["clusters"][0]["cluster"]
