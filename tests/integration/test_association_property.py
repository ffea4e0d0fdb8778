# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any state to any state, against the emulator over HTTP.

Changed exactly when different, as predicted, and nothing left to do: for one association and for a set.
"""

from __future__ import annotations

import json
import typing as t

import hypothesis
import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._association.api import EksAssociations
from ansible_collections.enbuild.eks.plugins.module_utils._association.apply import settle
from ansible_collections.enbuild.eks.plugins.module_utils._association.bulk_apply import read, settle_all
from ansible_collections.enbuild.eks.plugins.module_utils._association.bulk_plan import Request
from ansible_collections.enbuild.eks.plugins.module_utils._association.plan import (
    Association,
    Desired,
    Key,
    Target,
    merge,
    plan,
)
from ansible_collections.enbuild.eks.plugins.module_utils._core import validate
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Plan
from hypothesis import strategies as st

pytestmark = pytest.mark.lab

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in ("one", "two")]
TARGETS = ["", "arn:aws:iam::210987654321:role/there", "arn:aws:iam::210987654321:role/path/there"]
ONLY_EKS_KNOWS = {"association_arn", "association_id", "created_at", "modified_at", "external_id"}
LIST, DESCRIBE = "ListPodIdentityAssociations", "DescribePodIdentityAssociation"

policies = st.sampled_from([{"Statement": []}, {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}])
limits = st.one_of(
    st.just((False, "")), st.just((True, "")), policies.map(lambda policy: (True, validate.canonical(policy)))
)
tag_text = st.text("aZ9 _.:/=+-@é", max_size=8)
tag_keys = tag_text.filter(lambda key: key.strip() and not key.lower().startswith("aws:"))
states = st.none() | st.builds(
    lambda role, target, limit, tags: Association(role, target, limit[0], limit[1], tags),
    st.sampled_from(ROLES),
    st.sampled_from(TARGETS),
    limits,
    st.dictionaries(tag_keys, tag_text, max_size=4),
)
names = st.sampled_from(["a/x", "a/y", "b/x"])
sets = st.dictionaries(names, states, max_size=3)


class Emulator:
    """The session's lab, with the calls that it counts."""

    def __init__(self, lab: t.Any) -> None:
        self.eks = EksAssociations(lab.aws("eks"), lab.cluster_name)
        self.cluster = lab.cluster_name
        self._lab = lab

    def key(self, name: str) -> Key:
        return Key(self.cluster, *name.split("/"))

    def calls(self) -> dict[str, int]:
        """The EKS calls since the last time this was asked."""
        counted = self._lab.calls()["calls"].get("eks", {})
        self._lab.forget_calls()
        return t.cast("dict[str, int]", counted)


@pytest.fixture
def emulator(lab: t.Any, aws_clean: t.Any) -> Emulator:
    for role in ROLES:
        lab.aws("iam").create_role(RoleName=role.split("/")[-1], AssumeRolePolicyDocument=json.dumps(TRUST))
    return Emulator(lab)


def target(key: Key, state: Association | None) -> Target:
    """What a user says who leaves nothing unset."""
    if state is None:
        return Target(key, None)
    return Target(
        key, Desired(state.role_arn, state.target_role_arn, state.disable_session_tags, state.policy, state.tags)
    )


def move(emulator: Emulator, wanted: Target) -> tuple[Plan, Plan]:
    todo = plan(wanted, emulator.eks.find(wanted.key))
    return todo, settle(emulator.eks, wanted, todo, Deadline(10))


def foreseeable(view: dict[str, t.Any]) -> dict[str, t.Any]:
    return {word: value for word, value in view.items() if word not in ONLY_EKS_KNOWS}


common = hypothesis.settings(
    max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], derandomize=True
)


@common
@hypothesis.given(current=states, desired=states)
def test_one_association(emulator: Emulator, current: Association | None, desired: Association | None) -> None:
    key = emulator.key("shop/orders")
    move(emulator, target(key, current))
    emulator.calls()
    todo, done = move(emulator, target(key, desired))
    calls = emulator.calls()
    assert calls[LIST] == 1
    assert calls.get(DESCRIBE, 0) == (current is not None)
    assert sum(calls.values()) == 1 + (current is not None) + len(todo.changes)
    assert bool(todo.changes) == (current != desired)
    assert done.calls == todo.calls
    assert done.before == todo.before
    assert foreseeable(done.after) == foreseeable(todo.after)
    found = emulator.eks.find(key)
    assert (found.association if found else None) == desired
    assert plan(target(key, desired), found).changes == ()


@common
@hypothesis.given(current=states.filter(bool), desired=states.filter(bool), unset=st.sets(st.integers(0, 3)))
def test_unset_is_untouched(emulator: Emulator, current: Association, desired: Association, unset: set[int]) -> None:
    key = emulator.key("shop/orders")
    move(emulator, target(key, current))
    options = ("target_role_arn", "disable_session_tags", "policy", "tags")
    given: dict[str, t.Any] = {
        option: None if n in unset else getattr(desired, option) for n, option in enumerate(options)
    }
    asked = Desired(desired.role_arn, **given)
    expected = merge(asked, current)
    hypothesis.assume(expected.disable_session_tags or not expected.policy)
    move(emulator, Target(key, asked))
    found = emulator.eks.find(key)
    assert found is not None
    assert found.association == expected


@common
@hypothesis.given(current=sets, desired=sets, purge=st.sampled_from(["false", "all"]))
def test_a_set(
    emulator: Emulator,
    current: dict[str, Association | None],
    desired: dict[str, Association | None],
    purge: str,
) -> None:
    def run(wanted: dict[str, Association | None], purge: str) -> tuple[list[Plan], list[Plan]]:
        targets = tuple(target(emulator.key(name), state) for name, state in wanted.items())
        todo = read(emulator.eks, Request(emulator.cluster, targets, frozenset(), purge, 4))
        done = settle_all(emulator.eks, todo, 4, Deadline(10))
        assert [item.error for item in done] == [None] * len(done)
        return [item.plan for item in todo], [item.plan for item in done]

    run(current, "all")
    before = {name: state for name, state in current.items() if state}
    todo, done = run(desired, purge)
    kept = before if purge == "false" else {}
    after = {name: state for name, state in {**kept, **desired}.items() if state}
    assert [plan.calls for plan in done] == [plan.calls for plan in todo]
    assert [foreseeable(plan.after) for plan in done] == [foreseeable(plan.after) for plan in todo]
    assert bool(sum(len(plan.changes) for plan in done)) == (before != after)
    held = {str(one.key): described[1] for one in emulator.eks.list() if (described := emulator.eks.describe(one.id))}
    assert {name: one.association for name, one in held.items()} == after
    emulator.calls()
    again, _done = run(desired, purge)
    assert [plan.changes for plan in again] == [()] * len(again)
    calls = emulator.calls()
    assert calls.pop(LIST) == 1
    assert calls.pop(DESCRIBE, 0) == len(after if purge == "all" else after.keys() & desired.keys())
    assert calls == {}
