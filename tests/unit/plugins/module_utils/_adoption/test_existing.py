# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands where a declaration is to be written, and what of it would stay."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.enbuild.eks.plugins.module_utils._adoption.existing import differences, obstacle

ROLE = "arn:aws:iam::123456789012:role/r"
ORDERS = {"namespace": "shop", "deployment": "orders", "role_arn": ROLE}
OTHER = {"namespace": "shop", "service_account": "other", "role_arn": ROLE}


def test_nothing_there_is_no_obstacle() -> None:
    assert obstacle("/v/prod/pod_identity.yml", "", "", [ORDERS]) == ""


def test_a_file_that_ansible_would_read_no_longer_is_named() -> None:
    assert "no longer read /v/prod.yml" in obstacle("/v/prod/pod_identity.yml", "", "/v/prod.yml", [ORDERS])


def test_what_stays_and_what_goes_is_said_without_values() -> None:
    old = {"pod_identity_workloads": [ORDERS, {**OTHER, "allowed": "s3:ListBuckets"}], "password": "secret"}
    said = obstacle("/v/prod/pod_identity.yml", yaml.safe_dump(old), "", [ORDERS, OTHER])
    assert "It would keep: Deployment shop/orders." in said
    assert "It would lose: ServiceAccount shop/other (allowed), variable password." in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "there", ["a: !vault x", "- 1", "{", "pod_identity_workloads: [1]", "pod_identity_workloads: [{}]"]
)
def test_what_is_no_plain_declaration_is_lost_as_a_whole(there: str) -> None:
    assert differences(there, [ORDERS]) == ([], ["all of it, which is not a plain declaration"])
