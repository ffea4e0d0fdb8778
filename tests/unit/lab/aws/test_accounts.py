# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several accounts and regions, each with clusters of its own, and who is let into which."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, Lab
from ansible_collections.enbuild.eks.tests.unit.lab.aws.test_token_review import review, token
from botocore.exceptions import ClientError

OTHER = "222222222222"
ROLE = f"arn:aws:iam::{OTHER}:role/operator"
CLUSTER = {"roleArn": f"arn:aws:iam::{OTHER}:role/eks", "resourcesVpcConfig": {"subnetIds": ["a", "b"]}}


def enter(lab: Lab, external_id: str = "") -> tuple[str, str, str]:
    """Open the other account, and return the operator's credentials in it."""
    assert lab.control("POST", "accounts", {"account_id": OTHER, "external_id": external_id}) == {"role_arn": ROLE}
    given = {"ExternalId": external_id} if external_id else {}
    session = lab.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="fleet", **given)["Credentials"]
    return session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]


def test_an_account_has_clusters_of_its_own_in_each_region(lab: Lab) -> None:
    credentials = enter(lab)
    there = {region: lab.client("eks", credentials, region) for region in ("us-east-1", "eu-west-1")}
    assert [client.list_clusters()["clusters"] for client in there.values()] == [[], []]
    made = there["eu-west-1"].create_cluster(name="lab", **CLUSTER)["cluster"]
    assert made["arn"] == f"arn:aws:eks:eu-west-1:{OTHER}:cluster/lab"
    assert there["us-east-1"].list_clusters()["clusters"] == []
    assert lab.client("eks").describe_cluster(name="lab")["cluster"]["arn"].split(":")[4] == ACCOUNT


def test_an_account_asks_for_its_external_id(lab: Lab) -> None:
    enter(lab, "sesame")
    with pytest.raises(ClientError, match="AccessDenied"):
        lab.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="fleet")


@pytest.mark.parametrize(("admitted", "good"), [(True, True), (False, False)])
def test_a_cluster_knows_its_creator_and_nobody_else(lab: Lab, admitted: bool, good: bool) -> None:
    credentials = enter(lab)
    entry = {"bootstrapClusterCreatorAdminPermissions": admitted}
    lab.client("eks", credentials).create_cluster(name="there", accessConfig=entry, **CLUSTER)
    answers = {name: review(lab, token(lab, name, credentials=credentials)) for name in ("lab", "there")}
    assert {name: answer["authenticated"] for name, answer in answers.items()} == {"lab": False, "there": good}
    assert not review(lab, token(lab, "there"))["authenticated"]


def test_an_access_entry_of_one_cluster(lab: Lab) -> None:
    credentials = lab.user("developer")
    arn = lab.client("eks").describe_cluster(name="auto")["cluster"]["arn"]
    entry = {
        "principal_arn": f"arn:aws:iam::{ACCOUNT}:user/developer",
        "username": "dev",
        "groups": [],
        "cluster_arn": arn,
    }
    assert lab.control("PUT", "access_entries", [entry])[-1] == entry
    known = {name: review(lab, token(lab, name, credentials=credentials))["authenticated"] for name in ("lab", "auto")}
    assert known == {"lab": False, "auto": True}


def test_a_cluster_can_be_out_of_reach_and_in_any_state(lab: Lab, eks: t.Any) -> None:
    arn = eks.describe_cluster(name="lab")["cluster"]["arn"]
    lab.control("PUT", "cluster", {"arn": arn, "status": "DELETING", "reachable": False})
    found = eks.describe_cluster(name="lab")["cluster"]
    assert (found["status"], found["endpoint"] == lab.kubernetes.host) == ("DELETING", False)
