# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._workload import declaration, enbuild

CLUSTER = {
    "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
    "account_id": "123456789012",
    "partition": "aws",
    "region": "eu-west-1",
}
CHINA = {**CLUSTER, "arn": "arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod", "partition": "aws-cn"}
RELEASE: dict[str, t.Any] = {"ai": True, "ctf": True}


def test_the_services_of_a_release_by_default() -> None:
    ai, ctf = enbuild.workloads(RELEASE, CLUSTER)
    assert declaration.problems([ai, ctf]) == []
    assert (ai["namespace"], ai["deployment"], ai["role_name"]) == (
        "enbuild",
        "enbuild-enbuild-ai",
        "enbuild-ai-bedrock",
    )
    assert (ctf["deployment"], ctf["role_name"]) == ("enbuild-enbuild-ctf", "enbuild-ctf-s3")
    assert (ctf["managed_policies"], ctf["allowed"]) == (["AmazonS3FullAccess"], ["s3:ListBuckets"])


def test_buckets_narrow_what_the_ctf_service_may_do() -> None:
    _ai, ctf = enbuild.workloads({**RELEASE, "ctf_buckets": ["acme-ctf"]}, CLUSTER)
    assert "managed_policies" not in ctf
    assert ctf["policy"]["Statement"][0]["Resource"] == ["arn:aws:s3:::acme-ctf"]
    assert ctf["allowed"] == [{"bucket": "acme-ctf"}]


@pytest.mark.parametrize(
    ("switches", "names"), [({"ai": False}, ["ctf"]), ({"ctf": False}, ["ai"]), ({"ai": False, "ctf": False}, [])]
)
def test_a_service_that_is_switched_off_is_not_declared(switches: t.Any, names: list[str]) -> None:
    assert [item["name"] for item in enbuild.workloads({**RELEASE, **switches}, CLUSTER)] == names


def test_where_there_is_no_bedrock_nothing_optional_is_declared() -> None:
    assert enbuild.workloads(RELEASE, CHINA, optional=True) == []
    assert [item["name"] for item in enbuild.workloads({**RELEASE, "ai": False}, CHINA)] == ["ctf"]
    with pytest.raises(Refused, match="has no Amazon Bedrock"):
        enbuild.workloads(RELEASE, CHINA)
