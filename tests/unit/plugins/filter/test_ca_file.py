# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate authority lands in the run's own folder, once, whole, and private."""

from __future__ import annotations

import base64
import os
import stat
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible import constants
from ansible.errors import AnsibleFilterError
from ansible_collections.enbuild.eks.plugins.filter.ca_file import ca_file

PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
DATA = base64.b64encode(PEM).decode()


@pytest.fixture(autouse=True)
def folder(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return str(tmp_path)


def test_the_file_holds_the_pem_for_its_owner_only(folder: str) -> None:
    path = ca_file(DATA)
    with open(path, "rb") as file:
        assert file.read() == PEM
    assert os.path.dirname(path) == folder
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_many_at_once_share_one_file(folder: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(ca_file, [DATA] * 40))
    assert [os.path.basename(path) for path in paths] == os.listdir(folder)


def test_another_authority_has_another_file() -> None:
    assert ca_file(DATA) != ca_file(base64.b64encode(PEM.replace(b"MIIB", b"MIIC")).decode())


@pytest.mark.parametrize("data", [None, "", "%%%", "aGVsbG8=", PEM.decode()])
def test_what_is_no_certificate_is_refused(data: t.Any, folder: str) -> None:
    with pytest.raises(AnsibleFilterError, match="PEM in base64"):
        ca_file(data)
    assert os.listdir(folder) == []
