# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a migration: from what was found of a service account to what is done with it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_edit import irsa_parts
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod
from ansible_collections.enbuild.eks.plugins.module_utils._migration import summary
from ansible_collections.enbuild.eks.plugins.module_utils._migration.memory import memory, remembered_statements
from ansible_collections.enbuild.eks.plugins.module_utils._migration.model import (
    Account,
    Desired,
    Running,
    Scope,
    Target,
    holder,
)
from ansible_collections.enbuild.eks.plugins.module_utils._migration.plan import plan, plans
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import migration
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._iam.test_trust_edit import (
    ACCOUNT,
    CLUSTER,
    DENY,
    POD_IDENTITY,
    PROVIDER,
    document,
    irsa,
    of,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop"
FAR = "arn:aws:iam::210987654321:role/far"
BOUND = {"role_arn": ROLE, "target_role_arn": "", "association_id": "a-1", "owner_arn": ""}
DESIRED = Desired(CLUSTER)
MANAGED = {"enbuild.eks/managed-by": "enbuild.eks", "enbuild.eks/migration": "proven"}
PARTS = [irsa("system:serviceaccount:shop:orders", Sid="Corp")]
REMEMBERING = {**BOUND, "tags": {**MANAGED, **memory(ROLE, PARTS)}}
ORDERS = ("shop", "orders")
OLD, NEW = document(irsa(*of(ORDERS))), document(irsa(*of(ORDERS)), POD_IDENTITY)
NODE = {"name": "orders", "deployment": "orders", "role_name": None, "role_arn": ROLE, "allowed": ["s3:ListBuckets"]}
Row = dict[str, t.Any]


def service_account(role_arn: str = ROLE, remembered: str = "", audience: str = "", **metadata: t.Any) -> Row:
    known = {
        "eks.amazonaws.com/role-arn": role_arn,
        "enbuild.eks/irsa-role-arn": remembered,
        "eks.amazonaws.com/audience": audience,
    }
    return {"metadata": {"annotations": {key: value for key, value in known.items() if value}, **metadata}}


def found(kind: str = "Deployment", name: str = "orders", template: t.Any = None, **metadata: t.Any) -> Running:
    spec = {"containers": [{"name": "main"}], **(template or {})}
    return Running(Owner(kind, "shop", name), {"metadata": metadata, "spec": {"template": {"spec": spec}}})


def pod(owner: Owner, injected: bool = False) -> Pod:
    return Pod("p", "shop", "orders", owner, () if injected else ("main",), ready=True)


def raw_pod(name: str, injected: bool = False, phase: str = "Running", **parts: t.Any) -> Row:
    """A pod of shop/orders as the API gives it."""
    variables = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") if injected else ()
    main = {
        "name": "main",
        "env": [{"name": variable, "value": "x"} for variable in variables],
        "volumeMounts": [{"name": "eks-pod-identity-token"}],
    }
    metadata = {"name": name, "namespace": "shop", **parts.pop("metadata", {})}
    spec = {"serviceAccountName": "orders", "containers": [main], "volumes": [{"name": "eks-pod-identity-token"}]}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase}, **parts}


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
    "associated, and not restarted": (
        account(NEW, association=BOUND),
        "to migrate",
        ["restart"],
        ["annotation", "statement"],
    ),
    "migrated": (account(NEW, True, association=BOUND), "migrated", [], ["annotation", "statement"]),
    "cut off before the trust policy": (
        account(NEW, True, association=REMEMBERING, object=service_account("", ROLE)),
        "migrated",
        [],
        ["statement"],
    ),
    "finished": (
        account(document(POD_IDENTITY), True, association=REMEMBERING, object=service_account("", ROLE)),
        "finished",
        [],
        [],
    ),
    "a Job alone": (
        account(workloads=(found("Job"),), pods=(pod(Owner("Job", "shop", "orders")),), raw_pods=(raw_pod("p"),)),
        "to migrate",
        ["add", "associate"],
        [],
    ),
    "nothing that runs": (account(workloads=(), pods=()), "to migrate", ["add", "associate"], []),
    "its node's role": (
        account(document(POD_IDENTITY), object=service_account(""), declared=(NODE,)),
        "to migrate",
        ["associate", "restart"],
        [],
    ),
    "a role to make": (
        account(object=service_account(""), declared=({**NODE, "role_name": "shop"},), role=Role(ROLE, False)),
        "to migrate",
        ["create", "associate", "restart"],
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
WORDS = {"annotation": "take away the annotation", "statement": "take IRSA's", "network": "take Deployment"}


@pytest.mark.parametrize(("before", "state", "steps", "left"), STATES.values(), ids=STATES)
def test_states(before: Account, state: str, steps: list[str], left: list[str]) -> None:
    row = plan(before, DESIRED)
    assert (row["state"], kinds(row["steps"]), row["problem"]) == (state, steps, "")
    assert len(row["left"]) == len(left)
    assert all(text.startswith(WORDS[part]) for text, part in zip(row["left"], left, strict=True))


OBSTACLES = {
    "no role": (account(role=Role(ROLE, False)), "blocked", "doesn't exist"),
    "a role that can't be read": (account(role=Role(ROLE)), "blocked", "allow GetRole"),
    "a trust that denies": (account(document(irsa(*of(ORDERS)), DENY)), "blocked", "denies sts:AssumeRole"),
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
    row = plan(before, DESIRED)
    assert (row["state"], row["steps"], row["left"]) == (state, [], [])
    assert message in row["problem"]


def test_the_default_service_account_of_a_node_is_no_ones_but_by_name() -> None:
    by_workload = Account("shop", "default", service_account(""), declared=(NODE,), role=Role(ROLE, True, OLD))
    assert "every pod of the namespace" in plan(by_workload, DESIRED)["problem"]
    named = {"name": "all", "service_account": "default", "role_arn": ROLE}
    by_name = Account("shop", "default", service_account(""), declared=(named,), role=Role(ROLE, True, OLD))
    assert plan(by_name, DESIRED)["state"] == "to migrate"


@pytest.mark.parametrize(
    ("kind", "held", "said"),
    [
        ("Deployment", {"paused": True}, "is paused"),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, "replaces its pods as you delete them"),
        ("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, "replaces its pods as you delete them"),
        (
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"partition": 2}}},
            "keeps pods as they are (rollingUpdate.partition)",
        ),
    ],
)
def test_what_somebody_holds_back_is_not_restarted_and_keeps_the_old_way(kind: str, held: Row, said: str) -> None:
    running = found(kind)
    running = Running(running.owner, {**running.object, "spec": {**running.object["spec"], **held}})
    row = plan(account(workloads=(running,), pods=(pod(running.owner),), raw_pods=(raw_pod("p"),)), DESIRED)
    assert kinds(row["steps"]) == ["add", "associate"]
    assert (row["act"]["restart"], row["act"]["prove"]) == ([], [])
    assert (row["left"], "pod shop/p runs and lacks the injection" in str(row["stays"])) == ([], True)
    assert any(f"{kind} shop/orders {said}: it isn't restarted" in each for each in row["warnings"])


def test_a_role_of_another_account_is_reached_through_one_of_the_clusters() -> None:
    desired = Desired(CLUSTER, targets={FAR: Target(ROLE, ("shop/orders",))})
    row = plan(account(object=service_account(FAR)), desired)
    assert (row["role_arn"], row["target_role_arn"], kinds(row["steps"])) == (
        ROLE,
        FAR,
        ["add", "associate", "restart"],
    )
    assert f"through it role {FAR}" in row["steps"][1]


def test_a_role_of_another_account_goes_to_those_alone_that_the_user_named() -> None:
    desired = Desired(CLUSTER, targets={FAR: Target(ROLE, ("shop/feed",))})
    row = plan(account(object=service_account(FAR)), desired)
    assert (row["state"], row["steps"]) == ("blocked", [])
    assert "name it in service_accounts of that role in pod_identity_migrate_targets" in row["problem"]
    given = account(object=service_account(FAR), association={**BOUND, "target_role_arn": FAR})
    assert plan(given, desired)["state"] == "to migrate"


HOSTILE = {
    "a role that doesn't let it in": (account(document(irsa(*of(("shop", "feed"))))), "doesn't let it in by IRSA"),
    "an administrator's role": (account(document(POD_IDENTITY)), "it names pods.eks.amazonaws.com"),
    "another audience": (
        account(object=service_account(audience="corp")),
        ":aud 'sts.amazonaws.com', and its token sends 'corp'",
    ),
    "no ARN": (account(object=service_account("reader"), role=None), "is 'reader', and not an IAM role's ARN"),
    "an ARN with a line break": (account(object=service_account(f"{ROLE}\nx"), role=None), "not an IAM role's ARN"),
    "an ARN with text that runs backwards": (account(object=service_account(f"{ROLE}\u202e"), role=None), "not an IAM"),
}


@pytest.mark.parametrize(("before", "message"), HOSTILE.values(), ids=HOSTILE)
def test_an_annotation_gives_no_role_that_its_trust_does_not(before: Account, message: str) -> None:
    row = plan(before, DESIRED)
    assert (row["state"], row["steps"], row["left"], row["stops"]) == ("blocked", [], [], False)
    assert message in row["problem"]
    assert row["problem"].isprintable()


def test_an_annotation_counts_where_the_user_or_an_association_says_the_same() -> None:
    closed = document(irsa(*of(("shop", "feed"))))
    assert plan(account(closed, declared=(NODE,)), DESIRED)["state"] == "to migrate"
    assert plan(account(closed, association=BOUND), DESIRED)["state"] == "to migrate"


@pytest.mark.parametrize(
    ("scope", "who"),
    [
        ("service_account", "for service account shop/orders alone"),
        ("cluster", f"for every service account of cluster {CLUSTER['arn']}"),
        ("account", "for every service account of every cluster of the account"),
        ("none", "for every service account of every cluster that may pass it"),
    ],
)
def test_the_plan_says_how_far_a_role_is_opened(scope: str, who: str) -> None:
    assert plan(account(), Desired(CLUSTER, scope))["steps"][0].endswith(who)


def sharers(count: int, trust: Row) -> list[Account]:
    """Service accounts that share a role."""
    role = Role(ROLE, True, trust)
    return [Account("shop", f"orders-{number}", service_account(), role=role) for number in range(count)]


def test_a_trust_policy_that_iam_would_not_take_is_known_in_the_plan() -> None:
    """Each fits by itself, and all together don't."""
    anybody = document(irsa("system:serviceaccount:shop:*", operator="StringLike"))
    other = account(object=service_account(f"{ROLE}2"), role=Role(f"{ROLE}2", True, OLD))
    rows = plans([*sharers(4, anybody), other], DESIRED)
    assert [row["state"] for row in rows] == ["blocked"] * 4 + ["to migrate"]
    assert all(row["stops"] for row in rows[:4])
    assert (
        "would have 2246 characters, and IAM takes 2048 (ACLSizePerRole, which can be raised to 4096)"
        in rows[0]["problem"]
    )
    for way_out in ("raise the quota", "pod_identity_migrate_trust (cluster)", "pod_identity_migrate_exclude"):
        assert way_out in rows[0]["problem"]
    raised = plans(sharers(4, anybody), Desired(CLUSTER, trust_size=4096))
    assert [row["state"] for row in raised] == ["to migrate"] * 4
    wider = plans(sharers(4, anybody), Desired(CLUSTER, "cluster"))
    assert [row["state"] for row in wider] == ["to migrate"] * 4


def test_warnings_name_who_would_bring_it_back() -> None:
    helm = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"}
    annotated = service_account()
    annotated["metadata"]["annotations"].update(helm)
    (warning,) = plan(account(object=annotated), DESIRED)["warnings"]
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
    row = plan(here, DESIRED)
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
    assert plan(account(workloads=(), pods=()), DESIRED)["act"]["ahead"] == [
        {"name": "orders", "namespace": "shop", "service_account": "orders"}
    ]


def test_the_way_back_is_what_was_remembered() -> None:
    run = found(annotations={"enbuild.eks/host-network": "true"})
    closed = document(POD_IDENTITY)
    row = plan(
        account(closed, True, object=service_account("", ROLE), association=REMEMBERING, workloads=(run,)), DESIRED
    )
    back = row["back"]
    assert (back["irsa"], back["association_id"], back["statements"], back["made_here"]) == (ROLE, "a-1", PARTS, True)
    assert back["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ROLE, "enbuild.eks/irsa-role-arn": None}
    (on,) = back["host_network"]
    assert on["definition"]["spec"]["template"]["spec"] == {"hostNetwork": True}
    assert back["kept"]
    untouched = plan(account(), DESIRED)["back"]
    assert (untouched["metadata"], untouched["kept"], untouched["bound"]) == ({}, False, False)


CLAIMS: dict[str, t.Any] = {
    "no association": None,
    "an association that remembers nothing": BOUND,
    "one that remembers another role": {**BOUND, "tags": {**MANAGED, **memory(f"{ROLE}2", PARTS)}},
}


@pytest.mark.parametrize("association", CLAIMS.values(), ids=CLAIMS)
def test_nothing_is_brought_back_on_the_word_of_an_annotation(association: t.Any) -> None:
    claiming = account(document(POD_IDENTITY), True, object=service_account("", ROLE), association=association)
    row = plan(claiming, DESIRED)
    assert (row["back"]["irsa"], row["back"]["metadata"], row["back"]["statements"]) == ("", {}, [])
    assert not row["back"]["kept"]
    if association is None:
        assert row["state"] == "left alone"
        assert "nothing is brought back on its word" in row["problem"]


def test_what_finishing_takes_away_is_remembered_first() -> None:
    row = plan(account(NEW, True, association=BOUND), DESIRED)
    tags = row["finish"]["memory"]
    assert tags["enbuild.eks/irsa-role-arn"] == ROLE
    assert remembered_statements({"tags": tags}) == row["finish"]["statements"] == irsa_parts(NEW, PROVIDER, ORDERS)
    assert all(len(value) <= 256 for value in tags.values())
    resumed = account(document(POD_IDENTITY), True, association={**REMEMBERING}, object=service_account())
    assert remembered_statements({"tags": plan(resumed, DESIRED)["finish"]["memory"]}) == PARTS


def test_without_a_way_back_nothing_is_taken_away() -> None:
    odd = f"arn:aws:iam::{ACCOUNT}:role/a,b"
    row = plan(account(object=service_account(odd), role=Role(odd, True, OLD)), DESIRED)
    assert (row["left"], row["state"]) == ([], "to migrate")
    assert "there would be no way back" in row["stays"]


@pytest.mark.parametrize("text", ["", "!", "AAAA", "eJwDAAAAAAE="])
def test_tags_that_hold_anything_else_are_no_memory(text: str) -> None:
    assert remembered_statements({"tags": {"enbuild.eks/irsa-statements-1": text}}) == []


UNDONE = {
    "its own": (None, {"enbuild.eks/migration": "unproven"}, {"enbuild.eks/migration": "proven"}),
    "of a run that was cut off": (
        {**BOUND, "tags": {**MANAGED, "enbuild.eks/migration": "unproven"}},
        {},
        {"enbuild.eks/migration": "proven"},
    ),
    "of an earlier run": ({**BOUND, "tags": MANAGED}, {}, {}),
    "of site.yml": ({**BOUND, "tags": {"enbuild.eks/managed-by": "enbuild.eks"}}, {}, {}),
    "somebody else's": ({**BOUND, "tags": {"enbuild.eks/migration": "unproven"}}, {}, {}),
}


@pytest.mark.parametrize(("association", "tags", "proven"), UNDONE.values(), ids=UNDONE)
def test_an_association_is_marked_while_it_may_be_undone(association: t.Any, tags: Row, proven: Row) -> None:
    row = plan(account(NEW, association=association), DESIRED)
    assert (row["act"]["tags"], row["act"]["proven"]) == (tags, proven)


def test_scope() -> None:
    scope = Scope(frozenset({"shop"}), ("shop/*",), ("*/legacy-*",))
    assert [scope.has(place) for place in (ORDERS, ("shop", "legacy-1"), ("mill", "orders"))] == [True, False, False]
    assert Scope().has(("any", "thing"))


def test_words() -> None:
    rows = [plan(account(), DESIRED), plan(account(object=service_account(FAR), role=None), DESIRED)]
    lines = summary.lines(rows)
    assert lines[0] == "shop/orders (IRSA): to migrate"
    assert lines[3] == "  3. restart Deployment shop/orders"
    assert "another account" in lines[-1]
    assert summary.lines([]) == ["No service account has its role by IRSA, and no workload is declared"]
    assert summary.trusts(rows) == [{"role_arn": ROLE, "service_accounts": ["shop/orders"], "pod_identity": True}]
    assert [row["name"] for row in summary.declared(rows)] == ["shop/orders"]
    kept = migration.result({"rows": rows, "done": {"shop/orders": "migrated"}, "prepared": True})["accounts"]
    assert kept[0]["done"] == "migrated"


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
    given = {"rows": [plan(account(), DESIRED)], "done": {"shop/orders": done}, "prepared": prepared}
    made = migration.result(given)
    assert kinds(text for change in made["changes"] for text in change["what"]) == changed
    said = migration.artifacts(made, "production")["pod_identity_changes"]["production"]
    assert kinds(text.removeprefix("shop/orders: ") for text in said) == changed


def test_a_workload_without_pods_is_not_asked_for_a_proof() -> None:
    row = plan(account(workloads=(found(), found(name="idle"))), DESIRED)
    assert [item["name"] for item in row["act"]["prove"]] == ["orders"]
    assert [item["name"] for item in row["act"]["ahead"]] == ["orders", "idle"]
