# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.missing_role import missing_role
from ansible_collections.enbuild.eks.plugins.module_utils._iam.roles_api import IamRoles
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_iam import FakeIam, arn_of

TRUST = {"Version": "2012-10-17", "Statement": []}
NONE = "which IAM doesn't have"


@pytest.fixture
def fake() -> FakeIam:
    made = FakeIam()
    made.put("shop-orders", TRUST)
    made.put("shop-images", TRUST, Path="/shop/")
    return made


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        (arn_of("shop-orders"), ""),
        (arn_of("shop-order"), f"{NONE} (did you mean {arn_of('shop-orders')}?)"),
        (arn_of("shop-images"), f"{NONE} (did you mean {arn_of('shop-images', '/shop/')}?)"),
    ],
    ids=["it exists", "a typo", "no path"],
)
def test_a_role_that_iam_does_not_have(fake: FakeIam, arn: str, said: str) -> None:
    assert missing_role(IamRoles(fake.client), arn) == said


def test_who_may_not_list_roles_gets_no_name(fake: FakeIam) -> None:
    fake.refuse("list_roles", "AccessDenied")
    assert missing_role(IamRoles(fake.client), arn_of("shop-order")) == NONE


@pytest.mark.parametrize("code", ["AccessDenied", "ServiceFailure"])
def test_what_iam_does_not_tell_is_no_verdict(fake: FakeIam, code: str) -> None:
    fake.refuse("get_role", code)
    assert missing_role(IamRoles(fake.client), arn_of("shop-order")) == ""
