# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance metadata service, as SDKs ask it."""

from __future__ import annotations

import typing as t
import urllib.error
import urllib.request

import pytest
from ansible_collections.enbuild.eks.tests.lab.node.metadata import ROLE_PATH, Metadata
from botocore.utils import InstanceMetadataFetcher

NODE = {"role_name": "lab-node", "access_key_id": "ASIA", "secret_access_key": "secret", "session_token": "token"}


@pytest.fixture
def metadata() -> t.Iterator[Metadata]:
    """One that listens."""
    server = Metadata(NODE)
    server.start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_sdk_gets_the_credentials_of_the_nodes_role(metadata: Metadata) -> None:
    found = InstanceMetadataFetcher(base_url=metadata.url, num_attempts=1).retrieve_iam_role_credentials()
    assert found["role_name"] == "lab-node"
    assert (found["access_key"], found["secret_key"], found["token"]) == ("ASIA", "secret", "token")


@pytest.mark.parametrize("path", [ROLE_PATH, f"{ROLE_PATH}lab-node"])
def test_nobody_is_answered_without_a_session(metadata: Metadata, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(metadata.url + path, timeout=5)
    assert refused.value.code == 401
