# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._association.plan import FLOORS
from ansible_collections.enbuild.eks.plugins.module_utils._core import botocore as botocore_support
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_eks import FakeEks

CREATE = "CreatePodIdentityAssociation"


def client_that_knows(*members: str) -> t.Any:
    operation = SimpleNamespace(input_shape=SimpleNamespace(members=dict.fromkeys(members)))
    return SimpleNamespace(meta=SimpleNamespace(service_model=SimpleNamespace(operation_model=lambda _name: operation)))


def test_an_option_that_botocore_lacks_is_named_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore_support, "BOTOCORE_VERSION", "1.38.40")
    old = client_that_knows("roleArn", "targetRoleArn", "disableSessionTags")
    botocore_support.require(old, CREATE, ["target_role_arn", "disable_session_tags"], FLOORS)
    with pytest.raises(Refused) as refused:
        botocore_support.require(old, CREATE, ["target_role_arn", "policy"], FLOORS)
    assert str(refused.value) == "policy needs botocore 1.42.46, found 1.38.40."


def test_this_botocore_knows_all() -> None:
    botocore_support.require(FakeEks().client, CREATE, FLOORS, FLOORS)
