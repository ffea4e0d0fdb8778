# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pod identity associations of the emulated EKS, over HTTP, each answer checked against botocore's model."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.lab.aws import pod_identity
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, Lab, trust
from botocore.exceptions import ClientError

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
TARGET = "arn:aws:iam::210987654321:role/target"


def create(eks: t.Any, role: str, service_account: str = "orders", **more: t.Any) -> t.Any:
    given = {"clusterName": "lab", "namespace": "shop", "serviceAccount": service_account, "roleArn": role}
    return eks.create_pod_identity_association(**{**given, **more})["association"]


def refused(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_life_of_an_association(lab: Lab, eks: t.Any) -> None:
    role, other = lab.role("a"), lab.role("b")
    made = create(eks, role, tags={"team": "shop"})
    address = {"clusterName": "lab", "associationId": made["associationId"]}
    assert (
        made["associationArn"] == f"arn:aws:eks:us-east-1:{ACCOUNT}:podidentityassociation/lab/{made['associationId']}"
    )
    assert (len(made["associationId"]), made["tags"], "ownerArn" in made) == (19, {"team": "shop"}, False)
    changed = eks.update_pod_identity_association(**address, roleArn=other)["association"]
    assert changed == {**made, "roleArn": other, "modifiedAt": changed["modifiedAt"]}
    assert eks.describe_pod_identity_association(**address)["association"] == changed
    assert eks.delete_pod_identity_association(**address)["association"] == changed
    assert refused(eks.describe_pod_identity_association, **address)[0] == "ResourceNotFoundException"


def test_summaries_have_no_role_and_filter(lab: Lab, eks: t.Any) -> None:
    role = lab.role("a")
    create(eks, role)
    create(eks, role, "web")
    create(eks, role, namespace="other")
    listed = eks.list_pod_identity_associations(clusterName="lab", namespace="shop")["associations"]
    assert [item["serviceAccount"] for item in listed] == ["orders", "web"]
    assert set(listed[0]) == {"clusterName", "namespace", "serviceAccount", "associationArn", "associationId"}
    one = eks.list_pod_identity_associations(clusterName="lab", namespace="shop", serviceAccount="web")
    assert one["associations"] == listed[1:]


def test_pages_of_250(lab: Lab, eks: t.Any) -> None:
    role = lab.role("a")
    made = [create(eks, role, f"sa-{number}")["associationId"] for number in range(250)]
    pages = list(eks.get_paginator("list_pod_identity_associations").paginate(clusterName="lab"))
    assert [len(page["associations"]) for page in pages] == [100, 100, 50]
    assert [item["associationId"] for page in pages for item in page["associations"]] == made
    first = eks.list_pod_identity_associations(clusterName="lab", maxResults=7)
    eks.delete_pod_identity_association(clusterName="lab", associationId=made[0])
    second = eks.list_pod_identity_associations(clusterName="lab", maxResults=7, nextToken=first["nextToken"])
    assert second["associations"][0]["associationId"] == made[7]


def test_second_association_names_the_first(lab: Lab, eks: t.Any) -> None:
    made = create(eks, lab.role("a"))
    code, message = refused(create, eks, lab.role("b"))
    assert (code, message) == ("ResourceInUseException", f"Association already exists: {made['associationId']}")


def test_deleted_one_is_in_the_way_for_a_while(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "weather", {"association_delete_seconds": 600})
    role = lab.role("a")
    first = create(eks, role)["associationId"]
    eks.delete_pod_identity_association(clusterName="lab", associationId=first)
    assert refused(create, eks, role) == ("ResourceInUseException", f"Association already exists: {first}")
    lab.control("PUT", "weather", {"association_delete_seconds": 0})
    assert create(eks, role)["associationId"] != first


TRUST_ERROR = "Trust policy of the role provided is invalid."


@pytest.mark.parametrize(
    ("document", "accepted"),
    [
        (trust(), True),
        (trust(Principal={"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}), True),
        (trust(Action="sts:*"), True),
        (trust(Action="sts:AssumeRole"), False),
        (trust(Action="sts:TagSession"), False),
        (trust(Principal={"Service": "ec2.amazonaws.com"}), False),
        (trust(Principal={"AWS": "*"}), False),
        (trust(Effect="Deny"), False),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}), True),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "210987654321"}}), False),
        (trust(Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/lab"}}), True),
        (trust(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:eks:*:{ACCOUNT}:cluster/*"}}), True),
        (trust(Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/other"}}), False),
        (trust(Condition={"StringEquals": {"aws:RequestTag/kubernetes-namespace": "elsewhere"}}), True),
    ],
)
def test_trust_is_checked(lab: Lab, eks: t.Any, document: t.Any, accepted: bool) -> None:
    role = lab.role("a", document)
    if accepted:
        assert create(eks, role)["roleArn"] == role
    else:
        code, message = refused(create, eks, role)
        assert code == "InvalidParameterException"
        assert message.startswith(TRUST_ERROR)


def test_new_role_stays_unseen_for_a_while(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "weather", {"role_unseen_seconds": 600})
    role = lab.role("a")
    assert refused(create, eks, role) == ("InvalidParameterException", "Role provided in the request does not exist.")
    lab.control("PUT", "weather", {"role_unseen_seconds": 0})
    create(eks, role)


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"clusterName": "nope"}, "ResourceNotFoundException", "No cluster found for name: nope."),
        ({"roleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "InvalidParameterException", "does not exist"),
        ({"roleArn": TARGET}, "AccessDeniedException", "Cross-account pass role is not allowed"),
        ({"roleArn": "admin"}, "InvalidParameterException", "Invalid role ARN"),
        ({"targetRoleArn": "admin"}, "InvalidParameterException", "Invalid role ARN"),
        ({"policy": POLICY}, "InvalidParameterException", "disableSessionTags"),
        ({"policy": "{", "disableSessionTags": True}, "InvalidParameterException", "JSON"),
        ({"policy": "[]", "disableSessionTags": True}, "InvalidParameterException", "policy document"),
        ({"policy": " " * 2049, "disableSessionTags": True}, "InvalidParameterException", "2048"),
        ({"tags": {"aws:team": "x"}}, "InvalidParameterException", "aws:"),
        ({"tags": {f"k{n}": "" for n in range(51)}}, "InvalidParameterException", "50"),
        ({"tags": {"k" * 129: ""}}, "InvalidParameterException", "128"),
        ({"tags": {"k": "v" * 257}}, "InvalidParameterException", "256"),
        ({"namespace": ""}, "InvalidParameterException", "namespace"),
    ],
)
def test_create_refuses(lab: Lab, eks: t.Any, given: t.Any, code: str, words: str) -> None:
    role = lab.role("a")
    found = (
        refused(create, eks, **{"role": role, **given}) if "roleArn" not in given else refused(create, eks, "", **given)
    )
    assert found[0] == code
    assert words in found[1]
    assert eks.list_pod_identity_associations(clusterName="lab")["associations"] == []


def test_target_role_brings_an_external_id_and_empty_text_clears(lab: Lab, eks: t.Any) -> None:
    made = create(eks, lab.role("a"), targetRoleArn=TARGET, policy=POLICY, disableSessionTags=True)
    address = {"clusterName": "lab", "associationId": made["associationId"]}
    assert (made["targetRoleArn"], made["policy"]) == (TARGET, POLICY)
    assert made["externalId"] == f"us-east-1/{ACCOUNT}/lab/shop/orders"
    kept = eks.update_pod_identity_association(**address)["association"]
    assert {**kept, "modifiedAt": None} == {**made, "modifiedAt": None}
    cleared = eks.update_pod_identity_association(**address, targetRoleArn="", policy="")["association"]
    assert not {"targetRoleArn", "externalId", "policy"} & set(cleared)


def test_update_keeps_policy_and_session_tags_apart(lab: Lab, eks: t.Any) -> None:
    made = create(eks, lab.role("a"))
    address = {"clusterName": "lab", "associationId": made["associationId"]}
    update = eks.update_pod_identity_association
    assert refused(update, **address, policy=POLICY)[0] == "InvalidParameterException"
    assert update(**address, policy=POLICY, disableSessionTags=True)["association"]["policy"] == POLICY
    assert refused(update, **address, disableSessionTags=False)[0] == "InvalidParameterException"
    assert update(**address, disableSessionTags=False, policy="")["association"]["disableSessionTags"] is False


def test_repeated_token_returns_the_first_result(lab: Lab, eks: t.Any) -> None:
    role = lab.role("a")
    made = create(eks, role, clientRequestToken="t1")
    assert create(eks, role, clientRequestToken="t1") == made
    assert refused(create, eks, role, "other", clientRequestToken="t1")[0] == "InvalidRequestException"
    assert refused(create, eks, role, clientRequestToken="t2")[0] == "ResourceInUseException"
    eks.delete_pod_identity_association(clusterName="lab", associationId=made["associationId"])
    assert create(eks, role, clientRequestToken="t1")["associationId"] != made["associationId"]


def test_limit(lab: Lab, eks: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pod_identity.MAX_ASSOCIATIONS == 5000
    monkeypatch.setattr(pod_identity, "MAX_ASSOCIATIONS", 2)
    role = lab.role("a")
    create(eks, role)
    create(eks, role, "web")
    assert refused(create, eks, role, "third")[0] == "ResourceLimitExceededException"


def test_tags(lab: Lab, eks: t.Any) -> None:
    arn = create(eks, lab.role("a"), tags={"team": "shop"})["associationArn"]
    eks.tag_resource(resourceArn=arn, tags={"Tier": "1", "team": "web"})
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "web", "Tier": "1"}
    eks.untag_resource(resourceArn=arn, tagKeys=["team", "none"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"Tier": "1"}
    too_many = {f"k{number}": "" for number in range(50)}
    assert refused(eks.tag_resource, resourceArn=arn, tags=too_many)[0] == "BadRequestException"
    assert refused(eks.tag_resource, resourceArn=arn + "x", tags={"a": "b"})[0] == "NotFoundException"


def test_deleted_cluster_takes_its_associations_along(lab: Lab, eks: t.Any) -> None:
    create(eks, lab.role("a"))
    eks.delete_cluster(name="lab")
    assert refused(eks.list_pod_identity_associations, clusterName="lab")[0] == "ResourceNotFoundException"
