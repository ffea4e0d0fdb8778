# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Answer, Evidence, Issued
from ansible_collections.enbuild.eks.plugins.module_utils._identity.explain import explained
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Template
from ansible_collections.enbuild.eks.plugins.module_utils._workload.checks import Check
from ansible_collections.enbuild.eks.plugins.module_utils._workload.model import Workload

ROLE = "arn:aws:iam::123456789012:role/orders"
NEAR, FAR = "arn:aws:iam::123456789012:role/near", "arn:aws:iam::222222222222:role/far"
OWNER = Owner("Deployment", "shop", "orders")
CHECK = Check("s3:ListBuckets", "s3", "ListBuckets")
TEMPLATE = Template(OWNER, {"spec": {"serviceAccountName": "orders"}})
GOOD = Issued("eks_auth", True)
ALLOWED, DENIED = Answer(CHECK.name, True), Answer(CHECK.name, False, "AccessDenied")
UNKNOWN = Answer(CHECK.name, None)


class Reader:
    """IAM, with what is read of it."""

    def __init__(self) -> None:
        self.read_roles: list[str] = []

    def read(self, arn: str) -> Role:
        self.read_roles.append(arn)
        return Role(arn, True, {}, ("all",))

    def documents(self, role: Role) -> dict[str, t.Any]:
        assert role.policies == ("all",)
        return {"all": {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}}


def evidence(issued: Issued | None, *answers: Answer, **changes: t.Any) -> Evidence:
    association = {"association_id": "a-1", "role_arn": ROLE, "target_role_arn": changes.pop("target", "")}
    given = {"template": TEMPLATE, "association": association, "issued": issued, "answers": answers, **changes}
    return Evidence(Workload("orders", OWNER, ROLE, (CHECK,) * len(answers)), **given)


def explain(rung: str, *seen: Evidence) -> tuple[Reader, list[Evidence]]:
    reader = Reader()
    return reader, explained(lambda: t.cast("t.Any", reader), rung, seen)


@pytest.mark.parametrize(
    ("rung", "seen"),
    [
        ("allowed", evidence(GOOD, ALLOWED)),
        ("issued", evidence(GOOD)),
        ("allowed", evidence(None, association=None)),
        ("allowed", evidence(None, template=None)),
    ],
    ids=["allowed", "issued, and no more is asked for", "nothing to read", "no workload"],
)
def test_iam_is_not_even_connected_to_where_there_is_nothing_to_explain(rung: str, seen: Evidence) -> None:
    def connect() -> t.NoReturn:
        raise AssertionError("connected")

    assert explained(connect, rung, [seen]) == [seen]


@pytest.mark.parametrize(
    "seen",
    [
        evidence(None),
        evidence(Issued("eks_auth", False)),
        evidence(Issued()),
        evidence(GOOD),
        evidence(GOOD, ALLOWED, UNKNOWN),
        evidence(GOOD, ALLOWED, DENIED),
    ],
    ids=["not proven", "refused", "unknown", "no check named", "a check unknown", "a check denied"],
)
def test_a_role_is_read_where_it_may_explain_what_is_missing(seen: Evidence) -> None:
    reader, (found,) = explain("allowed", seen)
    assert reader.read_roles == [ROLE]
    assert found.role == Role(ROLE, True, {}, ("all",))


def test_each_role_is_read_once_and_only_for_those_that_need_it() -> None:
    seen = [evidence(GOOD, ALLOWED, target=NEAR), evidence(None), evidence(Issued(), target=FAR)]
    reader, found = explain("allowed", *seen)
    assert reader.read_roles == [ROLE]
    assert [each.role is not None for each in found] == [False, True, True]
    assert found[2].target is None, "IAM here can't read a role of another account"
    reader, (one,) = explain("allowed", evidence(None, target=NEAR))
    assert sorted(reader.read_roles) == [NEAR, ROLE]
    assert one.target == Role(NEAR, True, {}, ("all",))


def test_a_denial_names_its_statement_and_the_answers_keep_their_order() -> None:
    _reader, (found,) = explain("allowed", evidence(GOOD, ALLOWED, DENIED))
    assert [answer.allowed for answer in found.answers] == [True, False]
    assert (found.answers[0].reason, found.answers[1].explicit) == ("", True)
    assert "all" in found.answers[1].reason


def test_an_association_that_was_deleted_while_it_was_read_has_no_role_to_read() -> None:
    bare = {"association_id": "a-1", "role_arn": ""}
    reader, (found,) = explain("allowed", evidence(None, association=bare))
    assert (reader.read_roles, found.role) == ([], None)
