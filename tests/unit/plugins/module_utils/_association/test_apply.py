# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from unittest.mock import Mock

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.enbuild.eks.plugins.module_utils._association.api import EksAssociations
from ansible_collections.enbuild.eks.plugins.module_utils._association.apply import TRUST_SHARE, settle
from ansible_collections.enbuild.eks.plugins.module_utils._association.plan import Desired, Key, Target, plan
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline, explain
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Plan, Refused
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_eks import ACCOUNT, FakeEks

ROLE_A, ROLE_B = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in "ab")
KEY = Key("prod", "shop", "orders")
PRESENT = Target(KEY, Desired(ROLE_A, tags={"team": "shop"}))
ABSENT = Target(KEY, None)
CREATE, UPDATE, DELETE, DESCRIBE, LIST = (
    f"{verb}_pod_identity_association{plural}"
    for verb, plural in (("create", ""), ("update", ""), ("delete", ""), ("describe", ""), ("list", "s"))
)
UNSEEN = ("InvalidParameterException", "Role provided in the request does not exist.")
TRUST = (
    "InvalidParameterException",
    "Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue.",
)
MINE: dict[str, t.Any] = {
    "namespace": "shop",
    "serviceAccount": "orders",
    "roleArn": ROLE_A,
    "tags": {"team": "shop"},
}


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def apply(fake: FakeEks, target: Target, todo: Plan | None = None, seconds: float = 120) -> tuple[Plan, float]:
    """Apply ``todo``, or else what the target needs now: what was done, and the seconds that it took."""
    eks = EksAssociations(fake.client, "prod")
    clock = Clock()
    done = settle(eks, target, todo or plan(target, eks.find(KEY)), clock.deadline(seconds))
    return done, clock.now


def test_nothing_to_change_and_create_cost_two_calls() -> None:
    fake = FakeEks()
    apply(fake, PRESENT)
    assert fake.calls == [LIST, CREATE]
    fake.calls.clear()
    assert apply(fake, PRESENT)[0].calls == []
    assert fake.calls == [LIST, DESCRIBE]


def test_a_taken_service_account_is_adopted_without_listing() -> None:
    fake = FakeEks()
    todo = plan(PRESENT, None)
    fake.put(**MINE)
    done, _unused = apply(fake, PRESENT, todo)
    assert done.calls == []
    assert done.after == done.before
    assert fake.calls == [CREATE, DESCRIBE]


def test_an_adopted_association_is_converged() -> None:
    fake = FakeEks()
    todo = plan(PRESENT, None)
    other = fake.put(**{**MINE, "roleArn": ROLE_B, "tags": {}})
    done, _unused = apply(fake, PRESENT, todo)
    assert done.calls == [UPDATE, "tag_resource"]
    assert (done.before["role_arn"], done.after["role_arn"]) == (ROLE_B, ROLE_A)
    assert done.after["tags"] == {"team": "shop"}
    assert (other["roleArn"], other["tags"]) == (ROLE_A, {"team": "shop"})


def test_a_conflict_that_names_nothing_is_looked_up() -> None:
    fake = FakeEks()
    todo = plan(PRESENT, None)
    fake.put(**MINE)
    fake.refuse(CREATE, "ResourceInUseException", "In use.")
    assert apply(fake, PRESENT, todo)[0].calls == []
    assert fake.calls == [CREATE, LIST, DESCRIBE]


def test_an_adopted_association_of_an_addon_is_refused() -> None:
    fake = FakeEks()
    todo = plan(PRESENT, None)
    fake.put(**MINE, ownerArn=f"arn:aws:eks:eu-west-1:{ACCOUNT}:addon/prod/aws-ebs-csi-driver/1")
    with pytest.raises(Refused, match="add-on aws-ebs-csi-driver"):
        apply(fake, PRESENT, todo)


def test_what_is_being_deleted_is_waited_for_with_one_token() -> None:
    fake = FakeEks()
    fake.refuse(CREATE, "ResourceInUseException", "Association already exists: a-00000000000000009", times=5)
    done, seconds = apply(fake, PRESENT)
    assert done.calls == [CREATE]
    assert 3 < seconds < 20
    tokens = {r["clientRequestToken"] for r, c in zip(fake.requests, fake.calls, strict=True) if c == CREATE}
    assert len(tokens) == 1


def test_a_role_that_iam_does_not_show_yet_is_waited_for() -> None:
    fake = FakeEks()
    fake.refuse(CREATE, *UNSEEN, times=4)
    assert apply(fake, PRESENT)[0].calls == [CREATE]
    fake.refuse(UPDATE, *UNSEEN, times=4)
    assert apply(fake, Target(KEY, Desired(ROLE_B)))[0].calls == [UPDATE]


def test_a_role_that_never_appears_fails_at_the_deadline() -> None:
    fake = FakeEks()
    fake.refuse(CREATE, *UNSEEN, times=1000)
    with pytest.raises(AnsibleAWSError) as failed:
        apply(fake, PRESENT, seconds=30)
    message = explain(failed.value)["msg"]
    assert ROLE_A in message
    assert "within 30 seconds: Role provided in the request does not exist." in message
    assert explain(failed.value)["changed"] is False
    assert 7 <= fake.calls.count(CREATE) < 20


def test_iam_is_asked_once_for_a_role_that_eks_does_not_know() -> None:
    """A wrong name fails soon; a role that IAM has may take EKS longer."""
    fake, clock = FakeEks(), Clock()
    fake.refuse(CREATE, *UNSEEN, times=1000)
    for answer, seconds in (("which IAM doesn't have (did you mean b?)", 15), ("", 120)):
        iam, began = Mock(return_value=answer), clock.now
        eks = EksAssociations(fake.client, "prod", iam)
        with pytest.raises(AnsibleAWSError) as failed:
            settle(eks, PRESENT, plan(PRESENT, None), clock.deadline(120))
        iam.assert_called_once_with(ROLE_A)
        assert seconds <= round(clock.now - began, 6) <= seconds + 5  # a sum of random pauses
        assert answer in explain(failed.value)["msg"]


def test_an_invalid_trust_policy_is_asked_about_for_a_part_of_the_deadline() -> None:
    fake = FakeEks()
    fake.refuse(CREATE, *TRUST, times=3)
    assert apply(fake, PRESENT)[0].calls == [CREATE]
    fake.refuse(UPDATE, *TRUST, times=1000)
    eks, clock = EksAssociations(fake.client, "prod"), Clock()
    target = Target(KEY, Desired(ROLE_B))
    with pytest.raises(AnsibleAWSError, match="Trust policy"):
        settle(eks, target, plan(target, eks.find(KEY)), clock.deadline(100))
    assert 100 * TRUST_SHARE <= clock.now < 100 * TRUST_SHARE + 6


@pytest.mark.parametrize("refusal", [UNSEEN, TRUST])
def test_without_a_timeout_nothing_is_waited_for(refusal: tuple[str, str]) -> None:
    fake = FakeEks()
    fake.refuse(CREATE, *refusal)
    with pytest.raises(AnsibleAWSError):
        apply(fake, PRESENT, seconds=0)
    assert fake.calls.count(CREATE) == 1


def test_what_was_deleted_behind_the_back_is_made_again() -> None:
    fake = FakeEks()
    apply(fake, PRESENT)
    target = Target(KEY, Desired(ROLE_B))
    todo = plan(target, EksAssociations(fake.client, "prod").find(KEY))
    fake.associations.clear()
    done, _unused = apply(fake, target, todo)
    assert done.calls == [CREATE]
    assert (done.before, done.after["role_arn"]) == ({}, ROLE_B)


def test_what_was_deleted_before_it_could_be_tagged_is_made_again() -> None:
    fake = FakeEks()
    apply(fake, PRESENT)
    target = Target(KEY, Desired(ROLE_A, tags={"team": "web"}))
    fake.refuse("tag_resource", "NotFoundException", "Not here.")
    todo = plan(target, EksAssociations(fake.client, "prod").find(KEY))
    fake.associations.clear()
    assert apply(fake, target, todo)[0].calls == [CREATE]


def test_a_deletion_that_somebody_else_made_is_no_failure() -> None:
    fake = FakeEks()
    apply(fake, PRESENT)
    todo = plan(ABSENT, EksAssociations(fake.client, "prod").find(KEY))
    fake.associations.clear()
    assert apply(fake, ABSENT, todo)[0].after == {}


def test_a_listing_that_still_shows_the_deleted_is_not_believed() -> None:
    fake = FakeEks()
    apply(fake, PRESENT)
    fake.refuse(DESCRIBE, "ResourceNotFoundException", "The requested resource does not exist.")
    assert EksAssociations(fake.client, "prod").find(KEY) is None


def test_a_missing_cluster_is_not_a_missing_association() -> None:
    fake = FakeEks()
    fake.refuse(DESCRIBE, "ResourceNotFoundException", "No cluster found for name: prod.")
    with pytest.raises(AnsibleAWSError, match="No cluster found"):
        EksAssociations(fake.client, "prod").describe("a-00000000000000001")


def test_a_failure_tells_what_was_changed_before_it() -> None:
    fake = FakeEks()
    apply(fake, PRESENT)
    fake.refuse("tag_resource", "AccessDeniedException", "Not you.")
    with pytest.raises(AnsibleAWSError) as failed:
        apply(fake, Target(KEY, Desired(ROLE_B, tags={"team": "web"})))
    assert explain(failed.value)["changed"] is True
    assert explain(failed.value)["changes"] == [UPDATE]


def test_listings_are_complete() -> None:
    fake = FakeEks()
    for n in range(250):
        fake.put(**{**MINE, "serviceAccount": f"sa-{n}"})
    eks = EksAssociations(fake.client, "prod")
    assert len(eks.list()) == 250
    assert fake.calls == [LIST] * 3
    assert [s.key for s in eks.list("shop", "sa-7")] == [Key("prod", "shop", "sa-7")]
