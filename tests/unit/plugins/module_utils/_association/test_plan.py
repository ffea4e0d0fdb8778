# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._association.api import EksAssociations
from ansible_collections.enbuild.eks.plugins.module_utils._association.apply import settle
from ansible_collections.enbuild.eks.plugins.module_utils._association.plan import (
    Association,
    Desired,
    Key,
    Observed,
    Target,
    describe_owner,
    merge,
    plan,
    target,
)
from ansible_collections.enbuild.eks.plugins.module_utils._core import validate
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Plan, Refused
from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_eks import ACCOUNT, CLUSTER_ARN, FakeEks

KEY = Key("prod", "shop", "orders")
ROLE_A, ROLE_B = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in "ab")
TARGET = "arn:aws:iam::210987654321:role/target"
POLICY = validate.canonical({"Version": "2012-10-17", "Statement": []})
STATES = [None] + [
    Association(role, target, disabled, policy, tags)
    for role in (ROLE_A, ROLE_B)
    for target in ("", TARGET)
    for disabled, policy in ((False, ""), (True, ""), (True, POLICY))
    for tags in ({}, {"team": "shop"}, {"team": "web", "tier": "1"})
]


def exactly(state: Association | None) -> Target:
    """The target of a user who says everything."""
    if state is None:
        return Target(KEY, None)
    return Target(
        KEY, Desired(state.role_arn, state.target_role_arn, state.disable_session_tags, state.policy, state.tags)
    )


def move(fake: FakeEks, wanted: Target) -> tuple[Plan, Plan]:
    """Plan and apply, as a module does: what was planned, and what was done."""
    eks = EksAssociations(fake.client, "prod")
    todo = plan(wanted, eks.find(KEY))
    return todo, settle(eks, wanted, todo, Deadline(0))


def held(fake: FakeEks) -> Association | None:
    found = EksAssociations(fake.client, "prod").find(KEY)
    return found.association if found else None


@pytest.mark.parametrize("current", STATES)
def test_every_state_reaches_every_state(current: Association | None) -> None:
    fake = FakeEks()
    for desired in STATES:
        move(fake, exactly(current))
        todo, done = move(fake, exactly(desired))
        assert held(fake) == desired
        assert bool(todo.changes) == (desired != current)
        assert done.calls == todo.calls
        assert known(done.after) == known(todo.after)
        assert move(fake, exactly(desired))[0].changes == ()


def known(view: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a plan can tell before EKS answers."""
    return {word: value for word, value in view.items() if word not in ("association_arn", "association_id")}


@pytest.mark.parametrize("current", [state for state in STATES if state])
def test_unset_is_untouched(current: Association) -> None:
    fake = FakeEks()
    move(fake, exactly(current))
    assert move(fake, Target(KEY, Desired(current.role_arn)))[0].changes == ()
    move(fake, Target(KEY, Desired(ROLE_B)))
    assert held(fake) == merge(Desired(ROLE_B), current)


def test_purge_tags() -> None:
    current = Association(ROLE_A, tags={"a": "1", "b": "2", "aws:x": "3", **MANAGED_BY})
    kept = {"aws:x": "3", **MANAGED_BY}
    assert merge(Desired(ROLE_A, tags={"b": "9"}), current).tags == {"b": "9", **kept}
    assert merge(Desired(ROLE_A, tags={}), current).tags == kept
    assert merge(Desired(ROLE_A, tags={"b": "9"}, purge_tags=False), current).tags == {"a": "1", "b": "9", **kept}


def test_first_tags_are_for_creation_only() -> None:
    fake = FakeEks()
    wanted = Target(KEY, Desired(ROLE_A, tags={"team": "shop"}), first_tags=MANAGED_BY)
    move(fake, Target(KEY, Desired(ROLE_A)))
    move(fake, wanted)
    assert held(fake) == Association(ROLE_A, tags={"team": "shop"})
    move(fake, Target(KEY, None))
    move(fake, wanted)
    assert held(fake) == Association(ROLE_A, tags={"team": "shop", **MANAGED_BY})


OPTIONS: dict[str, t.Any] = {
    "namespace": "shop",
    "service_account": "orders",
    "state": "present",
    "role_arn": ROLE_A,
    "target_role_arn": None,
    "disable_session_tags": None,
    "policy": None,
    "tags": None,
    "purge_tags": True,
}


def test_policies_are_compared_as_json() -> None:
    spaced = json.dumps({"Statement": [], "Version": "2012-10-17"}, indent=4)
    desired = target({**OPTIONS, "policy": spaced, "disable_session_tags": True}, "prod").desired
    assert desired is not None
    assert desired.policy == POLICY


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"namespace": "Shop"}, "namespace 'Shop' is not a Kubernetes namespace"),
        ({"namespace": "a" * 64}, "is not a Kubernetes namespace"),
        ({"namespace": ""}, "namespace '' is not a Kubernetes namespace"),
        ({"namespace": "shop\n"}, "is not a Kubernetes namespace"),
        ({"service_account": "orders_api"}, "service_account 'orders_api' is not a Kubernetes service account"),
        ({"service_account": "a." * 130 + "a"}, "is not a Kubernetes service account"),
        ({"role_arn": None}, "role_arn is empty or missing"),
        ({"role_arn": ""}, "role_arn is empty or missing"),
        ({"role_arn": "orders"}, "role_arn 'orders' is not the ARN of an IAM role"),
        ({"role_arn": "arn:aws:iam::123:role/x"}, "is not the ARN of an IAM role"),
        ({"role_arn": f"arn:aws:iam::{ACCOUNT}:user/x"}, "is not the ARN of an IAM role"),
        ({"target_role_arn": "x"}, "target_role_arn 'x' is not the ARN of an IAM role"),
        ({"policy": "{"}, "policy is not JSON"),
        ({"policy": "{}"}, "policy is JSON, but not an object with Version and Statement"),
        ({"policy": "[]"}, "policy is JSON, but not an object"),
        (
            {"policy": json.dumps({"Statement": "x" * 2034})},
            "policy has 2050 characters, and a session policy may have 2048",
        ),
        ({"policy": POLICY, "disable_session_tags": False}, "policy needs disable_session_tags true"),
        ({"tags": {f"t{n}": "" for n in range(51)}}, "tags has 51 entries"),
        ({"tags": {"aws:x": "1"}}, "tags has the key 'aws:x', and keys that begin with aws: are reserved"),
        ({"tags": {"a": None}}, "tags has None under 'a'"),
        ({"tags": {"a": True}}, "tags has True under 'a'"),
        ({"tags": {"a!": "1"}}, "tags has the key 'a!'"),
        ({"tags": {"a": "x" * 257}}, "under 'a', and a tag's value is up to 256"),
    ],
)
def test_bad_options_are_refused(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        target({**OPTIONS, **options}, "prod")
    assert words in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_empty_clears_and_none_leaves() -> None:
    desired = target({**OPTIONS, "target_role_arn": "", "policy": " ", "tags": {"n": 1}}, "prod").desired
    assert desired == Desired(ROLE_A, target_role_arn="", policy="", tags={"n": "1"})
    assert target(OPTIONS, "prod").floored == []
    assert Target(KEY, desired).floored == ["target_role_arn", "policy"]


def found(association: Association, owner: str = "") -> Observed:
    return Observed(f"{CLUSTER_ARN}/a-1", "a-1", association, owner_arn=owner)


def test_what_an_addon_owns_is_refused() -> None:
    owner = f"arn:aws:eks:eu-west-1:{ACCOUNT}:addon/prod/aws-ebs-csi-driver/1234"
    owned = found(Association(ROLE_A), owner)
    for desired in (Desired(ROLE_B), None):
        with pytest.raises(Refused, match="add-on aws-ebs-csi-driver"):
            plan(Target(KEY, desired), owned)
        assert plan(Target(KEY, desired, allow_addon_owned=True), owned).changes
    assert describe_owner("arn:aws:eks:eu-west-1:1:capability/prod/x") == "arn:aws:eks:eu-west-1:1:capability/prod/x"


@pytest.mark.parametrize(
    ("desired", "current", "words"),
    [
        (Desired(ROLE_A, policy=POLICY), None, "policy needs disable_session_tags true"),
        (Desired(ROLE_A, policy=POLICY), Association(ROLE_A), "policy needs disable_session_tags true"),
        (Desired(ROLE_A, disable_session_tags=False), Association(ROLE_A, "", True, POLICY), "or clear the policy"),
        (Desired(TARGET), Association(ROLE_A), f"is not of account {ACCOUNT}"),
        (
            Desired(ROLE_A, tags={f"t{n}": "" for n in range(30)}, purge_tags=False),
            Association(ROLE_A, tags={f"u{n}": "" for n in range(30)}),
            "tags would give shop/orders 60 tags",
        ),
    ],
)
def test_what_does_not_fit_the_found_is_refused(desired: Desired, current: Association | None, words: str) -> None:
    with pytest.raises(Refused) as refused:
        plan(Target(KEY, desired), found(current) if current else None)
    assert words in str(refused.value)


def test_a_policy_goes_with_disabled_session_tags() -> None:
    todo = plan(Target(KEY, Desired(ROLE_A, policy=POLICY)), found(Association(ROLE_A, disable_session_tags=True)))
    assert [(c.args["policy"], c.args["disableSessionTags"]) for c in todo.changes] == [(POLICY, True)]
