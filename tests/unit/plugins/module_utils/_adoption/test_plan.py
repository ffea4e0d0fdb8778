# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A zoo of associations: what is declared of each, or why it isn't."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._adoption.plan import Declared, Observed, User, plan
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_policy import trust_policy
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner
from ansible_collections.enbuild.eks.plugins.module_utils._workload.declaration import problems

CLUSTER = "arn:aws:eks:us-east-1:123456789012:cluster/prod"
ROLE = "arn:aws:iam::123456789012:role/shop-orders"
TARGET = "arn:aws:iam::210987654321:role/archive"
ADDON = "arn:aws:eks:us-east-1:123456789012:addon/prod/external-dns/0ac8"
ORDERS = User(Owner("Deployment", "shop", "orders"))
SENTENCES = ["{{ lookup('pipe', 'id') }}", "a\nevil: true", "a\u2028b", "--- x", "a b", "A", "é"]


def one(users: t.Sequence[User] = (ORDERS,), role: Role | None = None, there: bool = True, **more: t.Any) -> Declared:
    empty = {"target_role_arn": None, "disable_session_tags": False, "policy": None, "owner_arn": None}
    words = {"namespace": "shop", "service_account": "orders", "role_arn": ROLE, **empty, **more}
    known = role or Role(ROLE, True, trust_policy(CLUSTER))
    (declared,) = plan([Observed(words, known, there, tuple(users))], CLUSTER)
    assert problems(declared.entries) == []
    return declared


def test_a_plain_one_is_an_entry_for_its_workload() -> None:
    assert (one().place, one().notes, one().reason) == ("shop/orders", (), "")
    assert one().entries == ({"namespace": "shop", "deployment": "orders", "role_arn": ROLE},)


def test_several_workloads_are_an_entry_each() -> None:
    users = [User(Owner("StatefulSet", "shop", "db")), ORDERS, User(Owner("DaemonSet", "shop", "log"))]
    named = [{key: value for key, value in entry.items() if key != "role_arn"} for entry in one(users).entries]
    assert named == [
        {"namespace": "shop", "daemonset": "log"},
        {"namespace": "shop", "deployment": "orders"},
        {"namespace": "shop", "statefulset": "db"},
    ]


@pytest.mark.parametrize("kind", ["Job", "CronJob", "Pod", "Rollout"])
def test_what_has_no_lasting_name_is_declared_by_its_service_account(kind: str) -> None:
    entries = one([ORDERS, User(Owner(kind, "shop", "x"))]).entries
    assert entries == ({"namespace": "shop", "service_account": "orders", "role_arn": ROLE},)


def test_the_default_account_is_declared_by_its_name_and_says_so() -> None:
    declared = one(service_account="default")
    assert declared.entries[0]["service_account"] == "default"
    assert "every pod of the namespace" in declared.notes[0]


def test_target_role_and_session_tags_are_declared() -> None:
    role = Role(ROLE, True, trust_policy(CLUSTER, "none"))
    declared = one(role=role, target_role_arn=TARGET, disable_session_tags=True)
    assert declared.entries[0]["target_role_arn"] == TARGET
    assert declared.entries[0]["disable_session_tags"] is True
    assert declared.notes == ("its target role is of account 210987654321, and was not read",)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"owner_arn": ADDON}, "add-on external-dns owns it"),
        ({"users": ()}, "no workload runs"),
        ({"there": False}, "service account doesn't exist"),
        ({"role": Role(ROLE, False)}, "role/shop-orders doesn't exist"),
        ({"role_arn": "arn:aws:iam::123456789012:role/{{x}}/orders"}, "may read as a template"),
        ({"target_role_arn": "arn:aws:iam::210987654321:role/{%x%}/o"}, "may read as a template"),
        ({"role_arn": "nonsense"}, "is not the ARN"),
    ],
)
def test_what_cannot_be_declared_has_its_reason(changed: t.Any, reason: str) -> None:
    declared = one(**changed)
    assert declared.entries == ()
    assert reason in declared.reason


@pytest.mark.parametrize("key", ["namespace", "service_account"])
@pytest.mark.parametrize("name", SENTENCES)
def test_a_hostile_name_is_not_declared_and_its_reason_is_one_line(key: str, name: str) -> None:
    changed: dict[str, t.Any] = {key: name}
    declared = one(**changed)
    assert declared.entries == ()
    assert len(f"{declared.place}{declared.reason}".splitlines()) == 1


def test_a_hostile_name_of_a_workload_is_not_written() -> None:
    declared = one([User(Owner("Deployment", "shop", "{{ x }}"))])
    assert declared.entries[0]["service_account"] == "orders"
    assert "{{" not in str(declared.entries)


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"policy": {"Statement": []}}, "session policy"),
        ({"role": Role(ROLE)}, "may not be read"),
        ({"role": Role(ROLE, True, {"Version": "2012-10-17", "Statement": []})}, "keeps these pods out"),
        ({"users": [User(ORDERS.owner, 3, 2)]}, "2 of 3 running pods of Deployment shop/orders lack credentials"),
    ],
)
def test_what_to_know_of_a_declared_one(changed: t.Any, note: str) -> None:
    declared = one(**changed)
    assert declared.entries
    assert [each for each in declared.notes if note in each]
