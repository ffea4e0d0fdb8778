# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add-ons of the emulated EKS, over HTTP, each answer checked against botocore's model."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, Lab
from botocore.exceptions import ClientError

AGENT = "eks-pod-identity-agent"
DAEMON_SET = f"/apis/apps/v1/namespaces/kube-system/daemonsets/{AGENT}"
EBS = "aws-ebs-csi-driver"
EBS_ACCOUNT = "ebs-csi-controller-sa"
LONG = 600
"""Seconds that no test waits for; what takes that long is over once the weather says 0."""
BUSY, DONE = {"addon_seconds": LONG}, {"addon_seconds": 0}


def create(eks: t.Any, name: str = AGENT, **more: t.Any) -> t.Any:
    return eks.create_addon(clusterName="lab", addonName=name, **more)["addon"]


def describe(eks: t.Any, name: str = AGENT) -> t.Any:
    return eks.describe_addon(clusterName="lab", addonName=name)["addon"]


def update(eks: t.Any, name: str = AGENT, **more: t.Any) -> t.Any:
    return eks.update_addon(clusterName="lab", addonName=name, **more)["update"]


def refused(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def owned(eks: t.Any) -> list[t.Any]:
    listed = eks.list_pod_identity_associations(clusterName="lab")["associations"]
    found = [
        eks.describe_pod_identity_association(clusterName="lab", associationId=item["associationId"])["association"]
        for item in listed
    ]
    return [(item["serviceAccount"], item["roleArn"], item.get("ownerArn")) for item in found]


def test_agent_makes_and_removes_its_daemon_set(lab: Lab, eks: t.Any) -> None:
    arguments = {"agent": {"additionalArgs": {"-b": "169.254.170.23"}}}
    made = create(eks, configurationValues=json.dumps(arguments), tags={"team": "ops"})
    assert (made["status"], made["addonVersion"], made["tags"]) == ("CREATING", "v1.3.10-eksbuild.3", {"team": "ops"})
    spec = lab.kubernetes.objects[DAEMON_SET]["spec"]["template"]["spec"]
    assert spec["hostNetwork"]
    assert spec["containers"][0]["args"][-2:] == ["-b", "169.254.170.23"]
    assert describe(eks)["status"] == "ACTIVE"
    assert eks.list_addons(clusterName="lab")["addons"] == [AGENT]
    assert eks.delete_addon(clusterName="lab", addonName=AGENT)["addon"]["status"] == "DELETING"
    assert DAEMON_SET not in lab.kubernetes.objects
    assert refused(describe, eks)[0] == "ResourceNotFoundException"
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_the_agent_holds_its_ports_on_each_node(lab: Lab, eks: t.Any) -> None:
    create(eks)
    (container,) = lab.kubernetes.objects[DAEMON_SET]["spec"]["template"]["spec"]["containers"]
    held = {port["name"]: (port["containerPort"], port["hostPort"]) for port in container["ports"]}
    assert held == {"proxy": (80, 80), "probes-port": (2703, 2703)}


def test_health_follows_the_daemon_set(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "weather", {"health_grace_seconds": LONG})
    lab.kubernetes.ready = 1
    create(eks)
    assert describe(eks)["status"] == "CREATING"
    lab.control("PUT", "weather", {"health_grace_seconds": 0})
    degraded = describe(eks)
    assert degraded["status"] == "DEGRADED"
    assert [issue["code"] for issue in degraded["health"]["issues"]] == ["InsufficientNumberOfReplicas"]
    lab.kubernetes.ready = 2
    assert (describe(eks)["status"], describe(eks)["health"]) == ("ACTIVE", {"issues": []})
    lab.control("PUT", "weather", {"health_grace_seconds": LONG})
    del lab.kubernetes.objects[DAEMON_SET]
    assert describe(eks)["status"] == "ACTIVE"
    lab.control("PUT", "weather", {"health_grace_seconds": 0})
    assert describe(eks)["health"]["issues"][0]["code"] == "K8sResourceNotFound"


def test_busy_for_as_long_as_told(lab: Lab, eks: t.Any) -> None:
    lab.control("PUT", "weather", BUSY)
    create(eks)
    assert describe(eks)["status"] == "CREATING"
    assert refused(create, eks) == ("ResourceInUseException", "Addon already exists.")
    expected = f"Addon {AGENT} cannot be updated as it is currently in CREATING state"
    assert refused(update, eks) == ("ResourceInUseException", expected)
    lab.control("PUT", "weather", DONE)
    assert describe(eks)["status"] == "ACTIVE"
    lab.control("PUT", "weather", BUSY)
    assert update(eks, addonVersion="v1.3.10-eksbuild.2")["status"] == "InProgress"
    assert (describe(eks)["status"], describe(eks)["addonVersion"]) == ("UPDATING", "v1.3.10-eksbuild.3")
    lab.control("PUT", "weather", DONE)
    assert (describe(eks)["status"], describe(eks)["addonVersion"]) == ("ACTIVE", "v1.3.10-eksbuild.2")
    lab.control("PUT", "weather", BUSY)
    eks.delete_addon(clusterName="lab", addonName=AGENT)
    assert describe(eks)["status"] == "DELETING"
    lab.control("PUT", "weather", DONE)
    assert refused(describe, eks)[0] == "ResourceNotFoundException"


def test_updates_are_listed_and_described(lab: Lab, eks: t.Any) -> None:
    create(eks, "coredns")
    describe(eks, "coredns")
    started = update(eks, "coredns", configurationValues="replicaCount: 3", resolveConflicts="PRESERVE")
    assert {param["type"]: param["value"] for param in started["params"]} == {
        "ConfigurationValues": "replicaCount: 3",
        "ResolveConflicts": "PRESERVE",
    }
    finished = eks.describe_update(name="lab", addonName="coredns", updateId=started["id"])["update"]
    assert (finished["status"], finished["errors"]) == ("Successful", [])
    assert describe(eks, "coredns")["configurationValues"] == "replicaCount: 3"
    assert eks.list_updates(name="lab", addonName="coredns")["updateIds"] == [started["id"]]
    missing = {"name": "lab", "addonName": "coredns", "updateId": "none"}
    assert refused(eks.describe_update, **missing)[0] == "ResourceNotFoundException"


UNSUPPORTED = "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"addonName": "nothing"}, "InvalidParameterException", "Addon specified is not supported"),
        ({"addonVersion": "v0"}, "InvalidParameterException", "Addon version specified is not supported"),
        ({"addonVersion": "v1.3.8-eksbuild.2"}, "InvalidParameterException", "version specified is not supported"),
        ({"clusterName": "nope"}, "ResourceNotFoundException", "No cluster found for name: nope."),
        ({"resolveConflicts": "PRESERVE"}, "InvalidParameterException", "preserve is not supported"),
        ({"configurationValues": "{]"}, "InvalidParameterException", "neither JSON nor YAML"),
        (
            {"configurationValues": '{"agents": {}}'},
            "InvalidParameterException",
            UNSUPPORTED
            + "[$.agents: is not defined in the schema and the schema does not allow additional properties]",
        ),
        ({"configurationValues": "agent: 1"}, "InvalidParameterException", "[$.agent: integer found, object expected]"),
        ({"addonName": "external-dns"}, "InvalidParameterException", "$.txtOwnerId: is missing but it is required"),
        ({"tags": {"aws:x": "y"}}, "InvalidParameterException", "aws:"),
    ],
)
def test_create_refuses(lab: Lab, eks: t.Any, given: t.Any, code: str, words: str) -> None:
    found = refused(eks.create_addon, **{"clusterName": "lab", "addonName": AGENT, **given})
    assert found[0] == code
    assert words in found[1]
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_repeated_token_returns_the_first_result(lab: Lab, eks: t.Any) -> None:
    made = create(eks, "coredns", clientRequestToken="t1")
    assert create(eks, "coredns", clientRequestToken="t1")["addonArn"] == made["addonArn"]
    assert refused(create, eks, "kube-proxy", clientRequestToken="t1")[0] == "InvalidRequestException"
    describe(eks, "coredns")
    first = update(eks, "coredns", configurationValues="{}", clientRequestToken="u1")
    assert update(eks, "coredns", configurationValues="{}", clientRequestToken="u1")["id"] == first["id"]


def foreign_daemon_set(lab: Lab) -> None:
    manifest = {"kind": "DaemonSet", "metadata": {}, "spec": {"template": {"spec": {"containers": []}}}}
    lab.kubernetes.apply(DAEMON_SET, manifest, "helm")


def test_somebody_elses_agent_is_a_conflict(lab: Lab, eks: t.Any) -> None:
    foreign_daemon_set(lab)
    create(eks)
    failed = describe(eks)
    assert (failed["status"], failed["health"]["issues"][0]["code"]) == ("CREATE_FAILED", "ConfigurationConflict")
    assert lab.kubernetes.objects[DAEMON_SET]["spec"]["template"]["spec"]["containers"] == []
    assert "CREATE_FAILED" in refused(update, eks)[1]


def test_overwrite_takes_somebody_elses_agent_over(lab: Lab, eks: t.Any) -> None:
    foreign_daemon_set(lab)
    create(eks, resolveConflicts="OVERWRITE")
    assert describe(eks)["status"] == "ACTIVE"
    assert lab.kubernetes.objects[DAEMON_SET]["spec"]["template"]["spec"]["containers"]


def test_ordered_failures(lab: Lab, eks: t.Any) -> None:
    fault = {"addon": "coredns", "outcome": "CREATE_FAILED", "code": "AdmissionRequestDenied", "message": "no"}
    lab.control("PUT", "faults", [fault, {**fault, "outcome": "UPDATE_FAILED", "code": "AccessDenied"}])
    create(eks, "coredns")
    assert describe(eks, "coredns")["status"] == "CREATE_FAILED"
    eks.delete_addon(clusterName="lab", addonName="coredns")
    create(eks, "coredns")
    assert describe(eks, "coredns")["status"] == "ACTIVE"
    started = update(eks, "coredns", addonVersion="v1.13.2-eksbuild.1", configurationValues="replicaCount: 5")
    failed = describe(eks, "coredns")
    assert (failed["status"], failed["health"]["issues"][0]["message"]) == ("UPDATE_FAILED", "no")
    assert "configurationValues" not in failed
    ended = eks.describe_update(name="lab", addonName="coredns", updateId=started["id"])["update"]
    assert (ended["status"], ended["errors"][0]["errorCode"]) == ("Failed", "AccessDenied")
    update(eks, "coredns", configurationValues="replicaCount: 5")
    assert describe(eks, "coredns")["status"] == "ACTIVE"


def test_list_of_associations_replaces_and_omission_keeps(lab: Lab, eks: t.Any) -> None:
    role, other = lab.role("a"), lab.role("b")
    given = [{"serviceAccount": EBS_ACCOUNT, "roleArn": role}]
    made = create(eks, EBS, podIdentityAssociations=given)
    assert owned(eks) == [(EBS_ACCOUNT, role, made["addonArn"])]
    assert len(describe(eks, EBS)["podIdentityAssociations"]) == 1
    update(eks, EBS, configurationValues="{}")
    assert owned(eks) == [(EBS_ACCOUNT, role, made["addonArn"])]
    assert describe(eks, EBS)["status"] == "ACTIVE"
    update(eks, EBS, podIdentityAssociations=[{"serviceAccount": EBS_ACCOUNT, "roleArn": other}])
    assert owned(eks) == [(EBS_ACCOUNT, other, made["addonArn"])]
    assert describe(eks, EBS)["status"] == "ACTIVE"
    update(eks, EBS, podIdentityAssociations=[])
    assert owned(eks) == []


@pytest.mark.parametrize(("preserve", "left"), [(False, 0), (True, 1)])
def test_delete_takes_associations_along_unless_preserved(lab: Lab, eks: t.Any, preserve: bool, left: int) -> None:
    create(eks, EBS, podIdentityAssociations=[{"serviceAccount": EBS_ACCOUNT, "roleArn": lab.role("a")}])
    eks.delete_addon(clusterName="lab", addonName=EBS, preserve=preserve)
    assert len(owned(eks)) == left


def test_preserve_leaves_the_daemon_set(lab: Lab, eks: t.Any) -> None:
    create(eks)
    eks.delete_addon(clusterName="lab", addonName=AGENT, preserve=True)
    assert DAEMON_SET in lab.kubernetes.objects
    create(eks)
    assert describe(eks)["status"] == "ACTIVE"


def test_associations_that_an_add_on_cannot_have(lab: Lab, eks: t.Any) -> None:
    role = lab.role("a")
    for_agent = [{"serviceAccount": AGENT, "roleArn": role}]
    assert "not supported for addon version" in refused(create, eks, podIdentityAssociations=for_agent)[1]
    wrong = [{"serviceAccount": "nobody", "roleArn": role}]
    assert f"not supported for addon {EBS}" in refused(create, eks, EBS, podIdentityAssociations=wrong)[1]
    address = {"clusterName": "lab", "namespace": "kube-system", "serviceAccount": EBS_ACCOUNT}
    eks.create_pod_identity_association(**address, roleArn=role)
    right = [{"serviceAccount": EBS_ACCOUNT, "roleArn": role}]
    assert refused(create, eks, EBS, podIdentityAssociations=right)[0] == "ResourceInUseException"
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_namespace_is_set_at_creation(lab: Lab, eks: t.Any) -> None:
    assert create(eks, "metrics-server")["namespaceConfig"] == {"namespace": "kube-system"}
    made = create(eks, "coredns", namespaceConfig={"namespace": "dns"})
    assert made["namespaceConfig"] == {"namespace": "dns"}


def test_tags(lab: Lab, eks: t.Any) -> None:
    arn = create(eks, "coredns", tags={"a": "1"})["addonArn"]
    eks.tag_resource(resourceArn=arn, tags={"b": "2"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert describe(eks, "coredns")["tags"] == eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


def test_catalogue(lab: Lab, eks: t.Any) -> None:
    offers = eks.describe_addon_versions(kubernetesVersion="1.36")["addons"]
    for offer in offers:
        defaults = [
            version["addonVersion"]
            for version in offer["addonVersions"]
            for found in version["compatibilities"]
            if found["defaultVersion"] and found["clusterVersion"] == "1.36"
        ]
        assert len(defaults) == 1, offer["addonName"]
        for version in offer["addonVersions"]:
            given = {"addonName": offer["addonName"], "addonVersion": version["addonVersion"]}
            assert json.loads(eks.describe_addon_configuration(**given)["configurationSchema"])["properties"]
    assert AGENT in {offer["addonName"] for offer in offers}
    assert [offer["addonName"] for offer in eks.describe_addon_versions(addonName=EBS)["addons"]] == [EBS]
    assert eks.describe_addon_versions(types=["storage"])["addons"][0]["addonName"] == EBS
    pages = list(eks.get_paginator("describe_addon_versions").paginate(PaginationConfig={"PageSize": 3}))
    assert sum(len(page["addons"]) for page in pages) == len(offers)
    assert refused(eks.describe_addon_versions, addonName="nothing")[0] == "InvalidParameterException"


def test_recommended_policies(lab: Lab, eks: t.Any) -> None:
    version = create(eks, EBS)["addonVersion"]
    shown = eks.describe_addon_configuration(addonName=EBS, addonVersion=version)["podIdentityConfiguration"]
    policy = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
    assert shown == [{"serviceAccount": EBS_ACCOUNT, "recommendedManagedPolicies": [policy]}]
    assert lab.client("iam").get_policy(PolicyArn=policy)["Policy"]["Arn"] == policy


def test_clusters(lab: Lab, eks: t.Any) -> None:
    plain = eks.describe_cluster(name="lab")["cluster"]
    assert (plain["endpoint"], plain["status"], plain["version"]) == (lab.kubernetes.host, "ACTIVE", "1.36")
    assert plain["arn"] == f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/lab"
    assert plain["computeConfig"] == {"enabled": False}
    assert eks.describe_cluster(name="auto")["cluster"]["computeConfig"]["enabled"] is True
    new = {"name": "new", "roleArn": plain["roleArn"], "resourcesVpcConfig": {"subnetIds": ["a", "b"]}}
    assert eks.create_cluster(**new)["cluster"]["endpoint"] == lab.kubernetes.host
    assert eks.list_clusters()["clusters"] == ["auto", "lab", "new"]
    missing = refused(eks.describe_cluster, name="nope")
    assert missing == ("ResourceNotFoundException", "No cluster found for name: nope.")
