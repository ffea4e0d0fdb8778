# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a migration: from what was found of a service account to what is done with it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod
from ansible_collections.enbuild.eks.plugins.module_utils._migration.model import Account, Found, Scope, Wish, holder
from ansible_collections.enbuild.eks.plugins.module_utils._migration.plan import plan
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import migration as words
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._iam.test_trust_edit import (
    ACCOUNT,
    CLUSTER,
    DENY,
    POD_IDENTITY,
    document,
    irsa,
    of,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop"
FAR = "arn:aws:iam::210987654321:role/far"
BOUND = {"role_arn": ROLE, "target_role_arn": "", "association_id": "a-1", "owner_arn": ""}
WISH = Wish(CLUSTER)
ORDERS = ("shop", "orders")
OLD, NEW = document(irsa(*of(ORDERS))), document(irsa(*of(ORDERS)), POD_IDENTITY)
NODE = {"name": "orders", "deployment": "orders", "role_name": None, "role_arn": ROLE, "allowed": ["s3:ListBuckets"]}
Row = dict[str, t.Any]


def service_account(role_arn: str = ROLE, remembered: str = "", **metadata: t.Any) -> Row:
    known = {"eks.amazonaws.com/role-arn": role_arn, "enbuild.eks/irsa-role-arn": remembered}
    return {"metadata": {"annotations": {key: value for key, value in known.items() if value}, **metadata}}


def found(kind: str = "Deployment", name: str = "orders", template: t.Any = None, **metadata: t.Any) -> Found:
    spec = {"containers": [{"name": "main"}], **(template or {})}
    return Found(Owner(kind, "shop", name), {"metadata": metadata, "spec": {"template": {"spec": spec}}})


def pod(owner: Owner, injected: bool = False) -> Pod:
    return Pod("p", "shop", "orders", owner, () if injected else ("main",))


def account(trust: t.Any = None, injected: bool = False, **parts: t.Any) -> Account:
    """Service account shop/orders, annotated, with one Deployment; ``parts`` replace what it is otherwise."""
    runs = (found(),)
    usual: Row = {
        "object": service_account(),
        "workloads": runs,
        "pods": tuple(pod(each.owner, injected) for each in runs),
        "role": Role(ROLE, True, trust or OLD),
    }
    return Account("shop", "orders", **{**usual, **parts})


def kinds(texts: t.Iterable[str]) -> list[str]:
    """The first word of each: what is done."""
    return [text.split(" ")[0] for text in texts]


STATES: dict[str, tuple[Account, str, list[str], list[str]]] = {
    "IRSA": (account(), "to migrate", ["add", "associate", "restart"], ["annotation", "statement"]),
    "a trust that is open already": (
        account(NEW),
        "to migrate",
        ["associate", "restart"],
        ["annotation", "statement"],
    ),
    "associated, and not born again": (
        account(NEW, association=BOUND),
        "to migrate",
        ["restart"],
        ["annotation", "statement"],
    ),
    "migrated": (account(NEW, True, association=BOUND), "migrated", [], ["annotation", "statement"]),
    "cut off before the trust policy": (
        account(NEW, True, association=BOUND, object=service_account("", ROLE)),
        "migrated",
        [],
        ["statement"],
    ),
    "finished": (
        account(document(POD_IDENTITY), True, association=BOUND, object=service_account("", ROLE)),
        "finished",
        [],
        [],
    ),
    "a Job alone": (
        account(workloads=(found("Job"),), pods=(pod(Owner("Job", "shop", "orders")),)),
        "to migrate",
        ["add", "associate"],
        ["annotation", "statement"],
    ),
    "nothing that runs": (
        account(workloads=(), pods=()),
        "to migrate",
        ["add", "associate"],
        ["annotation", "statement"],
    ),
    "its node's role": (
        account(document(POD_IDENTITY), object=service_account(""), declared=(NODE,)),
        "to migrate",
        ["associate", "restart"],
        [],
    ),
    "a role to make": (
        account(object=service_account(""), declared=({**NODE, "role_name": "shop"},), role=Role(ROLE, False)),
        "to migrate",
        ["see", "associate", "restart"],
        [],
    ),
    "its node's network": (
        account(
            document(POD_IDENTITY),
            object=service_account(""),
            declared=(NODE,),
            workloads=(found(template={"hostNetwork": True}),),
        ),
        "to migrate",
        ["associate", "restart"],
        ["network"],
    ),
    "its node's network for another reason": (
        account(NEW, True, association=BOUND, workloads=(found(template={"hostNetwork": True}),)),
        "migrated",
        [],
        ["annotation", "statement"],
    ),
}
PARTS = {"annotation": "take away the annotation", "statement": "take IRSA's", "network": "take Deployment"}


@pytest.mark.parametrize(("before", "state", "steps", "left"), STATES.values(), ids=STATES)
def test_states(before: Account, state: str, steps: list[str], left: list[str]) -> None:
    row = plan(before, WISH)
    assert (row["state"], kinds(row["steps"]), row["problem"]) == (state, steps, "")
    assert len(row["left"]) == len(left)
    assert all(text.startswith(PARTS[part]) for text, part in zip(row["left"], left, strict=True))


OBSTACLES = {
    "no role": (account(role=Role(ROLE, False)), "blocked", "doesn't exist"),
    "a role that can't be read": (account(role=Role(ROLE)), "blocked", "allow GetRole"),
    "a trust that denies": (account(document(DENY)), "blocked", "denies sts:AssumeRole"),
    "another role": (account(association={**BOUND, "role_arn": f"{ROLE}2"}), "blocked", "make the two agree"),
    "another target": (account(association={**BOUND, "target_role_arn": FAR}), "blocked", f"target role {FAR}"),
    "AWS's own role": (
        account(
            object=service_account(f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/x"),
            role=Role(f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/x", True, OLD),
        ),
        "blocked",
        "AWS's own",
    ),
    "no service account": (account(object={}, declared=(NODE,)), "blocked", "doesn't exist"),
    "two roles": (
        account(object=service_account(""), declared=(NODE, {**NODE, "role_arn": f"{ROLE}2"})),
        "blocked",
        "with different roles",
    ),
    "another account": (account(object=service_account(FAR), role=None), "left alone", "another account"),
    "an add-on's association": (
        account(association={**BOUND, "owner_arn": "arn:aws:eks:::addon/prod/x/1"}),
        "left alone",
        "belongs to an add-on",
    ),
    "an add-on's annotation": (
        account(
            object=service_account(
                managedFields=[
                    {
                        "manager": "eks",
                        "fieldsV1": {"f:metadata": {"f:annotations": {"f:eks.amazonaws.com/role-arn": {}}}},
                    }
                ]
            )
        ),
        "left alone",
        "belongs to an add-on",
    ),
}


@pytest.mark.parametrize(("before", "state", "message"), OBSTACLES.values(), ids=OBSTACLES)
def test_obstacles(before: Account, state: str, message: str) -> None:
    row = plan(before, WISH)
    assert (row["state"], row["steps"], row["left"]) == (state, [], [])
    assert message in row["problem"]


def test_the_default_service_account_of_a_node_is_no_ones_but_by_name() -> None:
    by_workload = Account("shop", "default", service_account(""), declared=(NODE,), role=Role(ROLE, True, OLD))
    assert "every pod of the namespace" in plan(by_workload, WISH)["problem"]
    named = {"name": "all", "service_account": "default", "role_arn": ROLE}
    by_name = Account("shop", "default", service_account(""), declared=(named,), role=Role(ROLE, True, OLD))
    assert plan(by_name, WISH)["state"] == "to migrate"


def test_a_role_of_another_account_is_reached_through_one_of_the_clusters() -> None:
    wish = Wish(CLUSTER, targets={FAR: ROLE})
    row = plan(account(object=service_account(FAR)), wish)
    assert (row["role_arn"], row["target_role_arn"], kinds(row["steps"])) == (
        ROLE,
        FAR,
        ["add", "associate", "restart"],
    )
    assert f"through it role {FAR}" in row["steps"][1]


def test_warnings_name_who_would_bring_it_back() -> None:
    helm = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"}
    annotated = service_account()
    annotated["metadata"]["annotations"].update(helm)
    (warning,) = plan(account(object=annotated), WISH)["warnings"]
    assert (
        warning == "Helm release shop/shop holds the annotation of shop/orders: take it out there too, or it comes back"
    )


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"labels": {"app.kubernetes.io/managed-by": "eksctl"}}, "eksctl"),
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, "Argo CD"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux apps"),
        ({"managedFields": [{"manager": "kubectl-annotate", "fieldsV1": {"f:a": {"f:b": {}}}}]}, ""),
        ({"managedFields": [{"manager": "terraform", "fieldsV1": {"f:a": {"f:b": {}}}}]}, "field manager terraform"),
        ({"managedFields": [{"manager": "terraform", "fieldsV1": {"f:a": {"f:c": {}}}}]}, ""),
        ({}, ""),
    ],
)
def test_holder(metadata: Row, named: str) -> None:
    assert holder({"metadata": metadata}, ("a", "b")) == named


def test_what_the_tasks_get() -> None:
    ports = [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81}]
    spec = {"hostNetwork": True, "containers": [{"name": "main", "ports": ports}, {"name": "side"}]}
    runs = (found(template=spec), found("Job", "night"))
    here = account(workloads=runs, declared=(NODE,), pods=(pod(runs[0].owner),))
    row = plan(here, WISH)
    words_of = {"kind": "Deployment", "namespace": "shop", "name": "orders", "predicted": False}
    assert row["act"]["restart"] == [words_of]
    looked = {"name": "orders", "namespace": "shop", "deployment": "orders", "allowed": ["s3:ListBuckets"]}
    assert row["act"]["prove"] == [looked]
    assert [item["name"] for item in row["act"]["ahead"]] == ["orders", "night"]
    (off,) = row["finish"]["host_network"]
    assert off["definition"]["spec"]["template"]["spec"] == {
        "hostNetwork": False,
        "containers": [{"name": "main", "ports": [{"containerPort": 80, "hostPort": None}]}],
    }
    assert row["finish"]["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": None,
        "enbuild.eks/irsa-role-arn": ROLE,
    }
    assert plan(account(workloads=(), pods=()), WISH)["act"]["ahead"] == [
        {"name": "orders", "namespace": "shop", "service_account": "orders"}
    ]


def test_the_way_back_is_what_was_remembered() -> None:
    run = found(annotations={"enbuild.eks/host-network": "true"})
    row = plan(account(NEW, True, object=service_account("", ROLE), association=BOUND, workloads=(run,)), WISH)
    back = row["back"]
    assert (back["irsa"], back["association_id"]) == (ROLE, "a-1")
    assert back["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ROLE, "enbuild.eks/irsa-role-arn": None}
    (on,) = back["host_network"]
    assert on["definition"]["spec"]["template"]["spec"] == {"hostNetwork": True}
    assert back["kept"]
    untouched = plan(account(), WISH)["back"]
    assert (untouched["metadata"], untouched["kept"], untouched["bound"]) == ({}, False, False)


def test_scope() -> None:
    scope = Scope(frozenset({"shop"}), ("shop/*",), ("*/legacy-*",))
    assert [scope.has(place) for place in (ORDERS, ("shop", "legacy-1"), ("mill", "orders"))] == [True, False, False]
    assert Scope().has(("any", "thing"))


def test_words() -> None:
    rows = [plan(account(), WISH), plan(account(object=service_account(FAR), role=None), WISH)]
    lines = words.lines(rows)
    assert lines[0] == "shop/orders (IRSA): to migrate"
    assert lines[3] == "  3. restart Deployment shop/orders"
    assert "another account" in lines[-1]
    assert words.lines([]) == ["No service account has its role by IRSA, and no workload is declared"]
    assert words.trusts(rows) == [{"role_arn": ROLE, "service_accounts": ["shop/orders"], "pod_identity": True}]
    assert [row["name"] for row in words.declared(rows)] == ["shop/orders"]
    assert words.record(rows, {"shop/orders": "migrated"})[0]["done"] == "migrated"


@pytest.mark.parametrize(
    ("done", "prepared", "changed"),
    [
        ("", False, []),
        ("", True, ["add"]),
        ("migrated", True, ["add", "associate", "restart"]),
        ("finished", True, ["add", "associate", "restart", "take", "take"]),
        ("finished", False, ["take", "take"]),
        ("back", False, ["bring"]),
    ],
)
def test_changes_are_what_was_done(done: str, prepared: bool, changed: list[str]) -> None:
    said = words.changes([plan(account(), WISH)], {"shop/orders": done}, prepared)
    assert kinds(text.removeprefix("shop/orders: ") for text in said) == changed


def test_a_workload_without_pods_is_not_asked_for_a_proof() -> None:
    row = plan(account(workloads=(found(), found(name="idle"))), WISH)
    assert [item["name"] for item in row["act"]["prove"]] == ["orders"]
    assert [item["name"] for item in row["act"]["ahead"]] == ["orders", "idle"]
