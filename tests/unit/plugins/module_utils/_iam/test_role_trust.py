# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trust policies are written only when every one of them may be."""

from __future__ import annotations

import json
import threading
import typing as t

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import explain
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._iam.role_trust_apply import RoleTrusts
from ansible_collections.enbuild.eks.plugins.module_utils._iam.role_trust_plan import Desired
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._iam.test_trust_edit import (
    ACCOUNT,
    CLUSTER,
    ORDERS,
    document,
    irsa,
    of,
)
from botocore.exceptions import ClientError


class FakeIam:
    """Roles by name; a real client validates the calls. Those in ``sealed`` may not be changed."""

    def __init__(self, *names: str, sealed: str = "") -> None:
        self.trusts = {name: document(irsa(*of(ORDERS))) for name in names}
        self.written: list[str] = []
        self._sealed = sealed
        self._given = threading.local()
        self.client = boto3.client("iam", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.client.meta.events.register("provide-client-params.iam", self._remember)
        self.client.meta.events.register("before-call.iam", self._answer)

    def _remember(self, params: dict[str, t.Any], **_unused: t.Any) -> None:
        self._given.params = params

    def _answer(self, model: t.Any, **_unused: t.Any) -> tuple[t.Any, dict[str, t.Any]]:
        name = self._given.params["RoleName"]
        if name not in self.trusts:
            raise ClientError({"Error": {"Code": "NoSuchEntity"}}, model.name)
        if model.name == "UpdateAssumeRolePolicy":
            if name == self._sealed:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Not you."}}, model.name)
            self.trusts[name] = json.loads(self._given.params["PolicyDocument"])
            self.written.append(name)
        role = {"Arn": arn(name), "AssumeRolePolicyDocument": json.dumps(self.trusts[name])}
        return type("Response", (), {"status_code": 200})(), {"Role": role}


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def desired_trusts(*names: str) -> list[Desired]:
    return [Desired(arn(name), (ORDERS,), pod_identity=True) for name in names]


def test_each_is_tried_before_the_first_is_changed() -> None:
    iam = FakeIam("a", "b", sealed="b")
    trusts = RoleTrusts(iam.client, lambda _seconds: None)
    before = dict(iam.trusts)
    items = trusts.items(desired_trusts("a", "b"), CLUSTER)
    with pytest.raises(AnsibleAWSError) as failed:
        trusts.apply(items)
    assert iam.trusts == before
    said = explain(failed.value)["msg"]
    assert said.startswith(f"Nothing was changed. Failed to change the trust policy of role {arn('b')}: Not you.")
    assert "Allow UpdateAssumeRolePolicy to the caller" in said


@pytest.mark.parametrize(("names", "writes"), [(["a"], ["a"]), (["a", "b"], ["a", "b", "a", "b"])])
def test_one_alone_needs_no_trial(names: list[str], writes: list[str]) -> None:
    iam = FakeIam("a", "b")
    trusts = RoleTrusts(iam.client, lambda _seconds: None)
    trusts.apply(trusts.items(desired_trusts(*names), CLUSTER))
    assert iam.written == writes
    assert all(len(iam.trusts[name]["Statement"]) == 2 for name in names)
    again = trusts.items(desired_trusts(*names), CLUSTER)
    assert [item.plan.changes for item in again] == [()] * len(names)


def test_every_role_that_is_missing_is_named() -> None:
    with pytest.raises(Refused, match=r"role/x doesn't exist. Role .*role/y doesn't exist"):
        RoleTrusts(FakeIam("a").client).items(desired_trusts("x", "a", "y"), CLUSTER)


def test_what_somebody_else_wrote_since_the_plan_stays() -> None:
    """A statement that was taken away meanwhile isn't brought back, neither by the trial nor by the change."""
    iam = FakeIam("a", "b")
    trusts = RoleTrusts(iam.client, lambda _seconds: None)
    items = trusts.items(desired_trusts("a", "b"), CLUSTER)
    foreign = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:*",
        "Sid": "Frozen",
        "Condition": {"Bool": {"x": "y"}},
    }
    iam.trusts["a"] = document(irsa(*of(("shop", "feed"))), foreign)
    trusts.apply(items)
    assert [each.get("Sid") for each in iam.trusts["a"]["Statement"]] == [None, "Frozen", "EksPodIdentity"]
    assert iam.trusts["a"]["Statement"][0] == irsa(*of(("shop", "feed")))


def test_two_runs_at_once_end_with_both_statements() -> None:
    """The other run has read before our write, and writes after it."""
    iam = FakeIam("a")
    ours = [Desired(arn("a"), (ORDERS,), pod_identity=True, scope="service_account")]
    theirs = [Desired(arn("a"), (("shop", "feed"),), pod_identity=True, scope="service_account")]
    other = RoleTrusts(FakeIam("a").client)
    stale = other.items(theirs, CLUSTER)[0].plan.after["trust_policy"]
    overwritten: list[float] = []

    def pause(seconds: float) -> None:
        if not overwritten:
            iam.trusts["a"] = stale
        overwritten.append(seconds)

    trusts = RoleTrusts(iam.client, pause)
    trusts.apply(trusts.items(ours, CLUSTER))
    tags = [each["Condition"]["StringEquals"] for each in iam.trusts["a"]["Statement"][1:]]
    assert [each["aws:RequestTag/kubernetes-service-account"] for each in tags] == ["feed", "orders"]
    assert len(overwritten) == 2


def test_who_is_always_overwritten_says_so() -> None:
    iam = FakeIam("a")
    trusts = RoleTrusts(iam.client, lambda _seconds: iam.trusts.update(a=document(irsa(*of(ORDERS)))))
    with pytest.raises(Refused, match=r"Somebody else keeps changing the trust policies of .*role/a"):
        trusts.apply(trusts.items(desired_trusts("a"), CLUSTER))


def test_a_policy_that_iam_would_not_take_is_refused_before_any_role_is_changed() -> None:
    iam = FakeIam("a", "b")
    many = [("shop", f"orders-{number}") for number in range(5)]
    wanted = [*desired_trusts("a"), Desired(arn("b"), tuple(many), pod_identity=True, scope="service_account")]
    with pytest.raises(Refused, match=r"role/b would have \d+ characters, and IAM takes 2048"):
        RoleTrusts(iam.client).items(wanted, CLUSTER)
    assert iam.written == []
