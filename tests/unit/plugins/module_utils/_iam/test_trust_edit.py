# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trust policies from IRSA to Pod Identity and back."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._core.validate import Place
from ansible_collections.enbuild.eks.plugins.module_utils._iam import role_trust_plan as role_trust
from ansible_collections.enbuild.eks.plugins.module_utils._iam import trust_edit as moves

ACCOUNT = "123456789012"
CLUSTER = {
    "arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod",
    "partition": "aws",
    "account_id": ACCOUNT,
    "oidc_issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/OURS",
}
PROVIDER = moves.provider_of(CLUSTER)
OTHER = moves.Provider(f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/OTHER")
ORDERS, FEED = ("shop", "orders"), ("shop", "feed")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/shop"
Document = dict[str, t.Any]


def document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def irsa(*values: str, operator: str = "StringEquals", provider: moves.Provider = PROVIDER, **parts: t.Any) -> Document:
    """A statement of IRSA as tools write it, for these subjects."""
    condition = {operator: {provider.key("sub"): list(values), provider.key("aud"): "sts.amazonaws.com"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider.arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {**statement, **parts}


def of(*places: Place) -> list[str]:
    return [moves.subject(place) for place in places]


POD_IDENTITY = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
DENY = {**POD_IDENTITY, "Sid": "Never", "Effect": "Deny", "Action": "sts:*"}
BOTH: Document = {"Principal": {"Federated": [PROVIDER.arn, OTHER.arn]}}


@pytest.mark.parametrize("scope", ["none", "account", "cluster", "service_account"])
def test_pod_identity_is_added_once_and_the_others_stay(scope: str) -> None:
    before = document(irsa(*of(ORDERS, FEED)), {**POD_IDENTITY, "Sid": "EksPodIdentity", "Action": "sts:AssumeRole"})
    after = moves.with_pod_identity(before, CLUSTER["arn"], scope, [ORDERS, FEED])
    assert after["Statement"][:2] == before["Statement"]
    assert [each["Sid"] for each in after["Statement"][2:]] == ["EksPodIdentity1", "EksPodIdentity2"][
        : 2 if scope == "service_account" else 1
    ]
    assert not any(moves.pod_identity_problem(after, CLUSTER["arn"], place) for place in (ORDERS, FEED))
    assert moves.with_pod_identity(after, CLUSTER["arn"], scope, [ORDERS, FEED]) == after


@pytest.mark.parametrize("before", [document(POD_IDENTITY), document(DENY), document(POD_IDENTITY, DENY)])
def test_nothing_is_added_where_it_is_there_or_could_do_nothing(before: Document) -> None:
    assert moves.with_pod_identity(before, CLUSTER["arn"], "account", [ORDERS]) == before


GONE = {
    "the only subject": ([irsa(*of(ORDERS))], []),
    "a single value": ([irsa(Condition={"StringLike": {PROVIDER.key("sub"): of(ORDERS)[0]}})], []),
    "one of two": ([irsa(*of(ORDERS, FEED))], [irsa(*of(FEED))]),
    "another service account": ([irsa(*of(FEED))], None),
    "another cluster": ([irsa(*of(ORDERS), provider=OTHER)], None),
    "two clusters at once": ([irsa(*of(ORDERS), **BOTH)], None),
    "a wildcard": ([irsa("system:serviceaccount:shop:*", operator="StringLike")], None),
    "any of the cluster": ([irsa(Condition={})], None),
    "a further condition": (
        [irsa(Condition={"StringEquals": {PROVIDER.key("sub"): of(ORDERS)}, "Bool": {"aws:SecureTransport": "true"}})],
        None,
    ),
    "a further action": ([irsa(*of(ORDERS), Action=["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"])], None),
    "a denial": ([irsa(*of(ORDERS), Effect="Deny")], None),
    "a quantifier": ([irsa(*of(ORDERS), operator="ForAnyValue:StringEquals")], None),
}


@pytest.mark.parametrize(("statements", "left"), GONE.values(), ids=GONE)
def test_irsa_is_taken_away_where_it_names_the_service_account_and_nothing_else(statements: t.Any, left: t.Any) -> None:
    before = document(POD_IDENTITY, *statements)
    after = moves.without_irsa(before, PROVIDER, [ORDERS])
    assert after == (before if left is None else document(POD_IDENTITY, *left))
    assert moves.without_irsa(after, PROVIDER, [ORDERS]) == after


def test_the_last_statement_stays() -> None:
    before = document(irsa(*of(ORDERS)))
    assert moves.without_irsa(before, PROVIDER, [ORDERS]) == before


def test_irsa_comes_back_for_those_that_it_lacks() -> None:
    before = document(POD_IDENTITY, irsa(*of(ORDERS)), irsa("system:serviceaccount:shop:f*", operator="StringLike"))
    assert moves.with_irsa(before, PROVIDER, [ORDERS, FEED]) == before
    bare = document(POD_IDENTITY)
    after = moves.with_irsa(bare, PROVIDER, [ORDERS, FEED])
    assert moves.irsa_statements(after, PROVIDER, ORDERS) == ["statement 2 (Irsa)"]
    assert moves.with_irsa(after, PROVIDER, [FEED]) == after
    assert moves.without_irsa(after, PROVIDER, [ORDERS, FEED]) == bare


def test_a_role_is_planned_whole() -> None:
    desired = role_trust.Desired(ROLE, (ORDERS,), pod_identity=True, irsa=False)
    plan = role_trust.plan(desired, CLUSTER, document(irsa(*of(ORDERS, FEED))))
    (change,) = plan.changes
    assert (change.call, change.args["RoleName"]) == ("update_assume_role_policy", "shop")
    first, second = plan.after["trust_policy"]["Statement"]
    assert (first, second["Principal"]) == (irsa(*of(FEED)), POD_IDENTITY["Principal"])
    assert role_trust.plan(desired, CLUSTER, plan.after["trust_policy"]).changes == ()


def test_a_role_that_can_not_be_opened_is_refused() -> None:
    with pytest.raises(Refused, match=r"role/team/shop can't be opened for shop/orders: The trust policy denies"):
        role_trust.plan(role_trust.Desired(ROLE, (ORDERS,), pod_identity=True), CLUSTER, document(POD_IDENTITY, DENY))


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ([{"role_arn": "shop", "service_accounts": []}], "roles\\[0\\].role_arn 'shop' is not the ARN"),
        ([{"role_arn": ROLE, "service_accounts": ["orders"]}], "roles\\[0\\].service_accounts '' is not"),
        (
            [{"role_arn": ROLE, "service_accounts": []}] * 2,
            "names arn:aws:iam::123456789012:role/team/shop more than once",
        ),
    ],
)
def test_bad_input(roles: t.Any, message: str) -> None:
    items = [{"pod_identity": True, "irsa": None, **item} for item in roles]
    with pytest.raises(Refused, match=message):
        role_trust.desired_trusts({"roles": items, "scope": "account"})


CORP = irsa(*of(ORDERS), Sid="Corp")
CORP["Condition"] = {"StringLike": {PROVIDER.key("aud"): ["corp"], PROVIDER.key("sub"): of(ORDERS)[0]}}
EXACTLY = {
    "one with an audience of its own": document(POD_IDENTITY, CORP),
    "a subject of several": document(irsa(*of(FEED, ORDERS)), POD_IDENTITY),
    "two statements": document(POD_IDENTITY, irsa(*of(ORDERS)), CORP),
    "a list of one": document(POD_IDENTITY, irsa(*of(ORDERS))),
}


@pytest.mark.parametrize("before", EXACTLY.values(), ids=EXACTLY)
def test_what_was_taken_away_comes_back_exactly(before: Document) -> None:
    parts = moves.irsa_parts(before, PROVIDER, ORDERS)
    without = moves.without_irsa(before, PROVIDER, [ORDERS], parts)
    assert not moves.irsa_statements(without, PROVIDER, ORDERS)
    back = moves.with_irsa(without, PROVIDER, [ORDERS], parts)
    assert back == before
    assert moves.with_irsa(back, PROVIDER, [ORDERS], parts) == before


def test_only_what_is_known_is_taken_away() -> None:
    """What somebody wrote since the plan has no memory, and stays."""
    before = document(POD_IDENTITY, CORP, irsa(*of(ORDERS)))
    after = moves.without_irsa(before, PROVIDER, [ORDERS], [CORP])
    assert after == document(POD_IDENTITY, irsa(*of(ORDERS)))


@pytest.mark.parametrize(
    "part",
    [
        POD_IDENTITY,
        irsa(*of(FEED)),
        irsa(*of(ORDERS, FEED)),
        irsa("system:serviceaccount:*:*", operator="StringLike"),
        irsa(*of(ORDERS), provider=OTHER),
        irsa(*of(ORDERS), Effect="Deny"),
        irsa(*of(ORDERS), Principal={"AWS": "*"}),
    ],
)
def test_a_memory_that_is_anything_else_is_refused(part: Document) -> None:
    with pytest.raises(Refused, match="not of IRSA alone, or not of system:serviceaccount:shop:orders alone"):
        moves.with_irsa(document(POD_IDENTITY), PROVIDER, [ORDERS], [part])
