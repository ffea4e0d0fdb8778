# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add-ons from any state to any state, through an EKS that takes its time and fails."""

from __future__ import annotations

import itertools
import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.enbuild.eks.plugins.module_utils._addon.api import EksAddons
from ansible_collections.enbuild.eks.plugins.module_utils._addon.apply import LAST_LOOK
from ansible_collections.enbuild.eks.plugins.module_utils._addon.ensure import ensure
from ansible_collections.enbuild.eks.plugins.module_utils._addon.options import ARGUMENT_SPEC, target
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline, explain
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_addons import FakeAddons
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_eks import ACCOUNT
from hypothesis import given, settings
from hypothesis import strategies as st

ROLE_A, ROLE_B = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in "ab")
OLD, NEW = "v1.9.3-eksbuild.9", "v1.9.3-eksbuild.10"
UNKNOWN = ("addon_arn", "created_at", "modified_at")
UNSEEN = ("InvalidParameterException", "Role provided in the request does not exist.")
WRITES = ("create", "update", "delete", "tag", "untag")
ABSENT: dict[str, t.Any] = {"state": "absent"}


class Exit(Exception):
    """What a module says in the end."""


class Module(SimpleNamespace):
    """As much of AnsibleAWSModule as a task needs."""

    def exit_json(self, **result: t.Any) -> None:
        raise Exit(result)


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def task(fake: FakeAddons, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """One task about the add-on coredns: its result, with the calls that it made."""
    params = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    params.update({"cluster_name": "prod", "name": "coredns", **options})
    fake.calls.clear()
    deadline = Clock().deadline(params["wait_timeout"])
    eks = EksAddons(fake.client, "prod", fake.missing_role)
    try:
        ensure(Module(params=params, check_mode=check), eks, target(params), deadline)
    except Exit as exit_:
        return {**exit_.args[0], "calls": list(fake.calls)}
    raise AssertionError("a task ends with exit_json")


def failure(fake: FakeAddons, **options: t.Any) -> dict[str, t.Any]:
    with pytest.raises(AnsibleAWSError) as raised:
        task(fake, **options)
    return explain(raised.value)


def bindings(*roles: str) -> list[dict[str, str]]:
    return [{"service_account": name, "role_arn": role} for name, role in zip("xyz", roles, strict=False)]


STATES: list[dict[str, t.Any]] = [
    ABSENT,
    *(
        {
            "version": version,
            "configuration_values": configuration,
            "pod_identity_associations": associations,
            "tags": tags,
        }
        for version, configuration, associations, tags in (
            (NEW, {}, [], {}),
            (OLD, {"replicas": 2}, bindings(ROLE_A), {"Team": "a"}),
            (NEW, {"replicas": 3}, bindings(ROLE_B, ROLE_A), {"Team": "b", "tier": "1"}),
            (NEW, {"replicas": 3}, [], {"tier": "1"}),
        )
    ),
]


def comparable(addon: dict[str, t.Any]) -> dict[str, t.Any]:
    """An add-on without what only EKS knows beforehand."""
    known = {key: value for key, value in addon.items() if key not in UNKNOWN}
    named = addon.get("pod_identity_associations", [])
    return {**known, "pod_identity_associations": [(b["service_account"], b["role_arn"]) for b in named]}


def reach(fake: FakeAddons, state: dict[str, t.Any]) -> dict[str, t.Any]:
    """Predict, reach and reach again a state; all that must be true of every transition."""
    predicted = task(fake, check=True, **state)
    assert not any(call.startswith(WRITES) for call in predicted["calls"])
    done = task(fake, **state)
    assert predicted["changes"] == done["changes"]
    assert set(predicted["calls"]) <= set(done["calls"])
    assert comparable(predicted["addon"]) == comparable(done["addon"])
    assert predicted["diff"]["before"] == done["diff"]["before"]
    again = task(fake, **state)
    assert (again["changed"], again["addon"]) == (False, done["addon"])
    return done


@pytest.mark.parametrize(("current", "desired"), list(itertools.product(STATES, STATES)))
@pytest.mark.parametrize("looks", [0, 3])
def test_every_state_reaches_every_state(current: dict[str, t.Any], desired: dict[str, t.Any], looks: int) -> None:
    fake = FakeAddons()
    fake.looks = looks
    task(fake, **current)
    done = reach(fake, desired)
    assert done["changed"] == (current != desired)
    if desired is ABSENT:
        assert (done["addon"], fake.addons, fake.associations) == ({}, {}, {})
    else:
        assert done["addon"]["version"] == desired["version"]
        assert done["addon"]["configuration_values"] == desired["configuration_values"]
        assert done["addon"]["tags"] == desired["tags"]
        assert comparable(done["addon"])["pod_identity_associations"] == [
            (b["service_account"], b["role_arn"]) for b in desired["pod_identity_associations"]
        ]


optional = st.none()
REQUESTS = st.one_of(
    st.just(ABSENT),
    st.fixed_dictionaries(
        {
            "version": optional | st.sampled_from([OLD, NEW, "default", "latest"]),
            "configuration_values": optional
            | st.sampled_from(["", "{}", "replicas: 2\n", {"replicas": 2}, '{"replicas": 3}']),
            "service_account_role_arn": optional | st.sampled_from(["", ROLE_A, ROLE_B]),
            "pod_identity_associations": optional
            | st.lists(st.sampled_from([ROLE_A, ROLE_B]), max_size=3).map(lambda roles: bindings(*roles)),
            "tags": optional | st.dictionaries(st.sampled_from(["a", "B"]), st.sampled_from(["1", "2"])),
            "purge_tags": st.booleans(),
            "resolve_conflicts": optional | st.sampled_from(["none", "overwrite"]),
            "kubernetes_version": optional | st.just("1.36"),
        }
    ),
)


@settings(max_examples=100, deadline=None)
@given(requests=st.lists(REQUESTS, min_size=1, max_size=5))
def test_any_sequence_of_wishes_is_predicted_and_settles(requests: list[dict[str, t.Any]]) -> None:
    fake = FakeAddons()
    for desired in requests:
        before = fake.addons.get("coredns", {}).copy()
        reach(fake, desired)
        after = fake.addons.get("coredns", {})
        for option, member in (
            ("configuration_values", "configurationValues"),
            ("service_account_role_arn", "serviceAccountRoleArn"),
            ("version", "addonVersion"),
        ):
            if before and after and desired.get(option) is None:
                assert after.get(member) == before.get(member), f"{option} was not asked for"


def test_nothing_to_change_costs_one_call() -> None:
    fake = FakeAddons()
    task(fake, version=NEW, tags={"a": "1"}, configuration_values={"replicas": 2})
    for options in ({}, {"version": NEW}, {"tags": {"a": "1"}, "configuration_values": "replicas: 2"}):
        assert task(fake, **options)["calls"] == ["describe_addon"]


def test_default_and_latest_cost_two_calls_with_the_kubernetes_version_known() -> None:
    fake = FakeAddons()
    for version in ("latest", "default"):
        task(fake, version=version)
        assert task(fake, version=version, kubernetes_version="1.36")["calls"] == [
            "describe_addon",
            "describe_addon_versions",
        ]


def test_default_and_latest_cost_two_calls_where_every_kubernetes_version_agrees() -> None:
    fake = FakeAddons()
    task(fake, name="other", version="default")
    calls = task(fake, name="other", version="default")["calls"]
    assert calls == ["describe_addon", "describe_addon_versions"]


def test_the_cluster_is_asked_only_where_the_answer_depends_on_it() -> None:
    fake = FakeAddons()
    task(fake, version="default")
    assert task(fake, version="default")["calls"] == ["describe_addon", "describe_addon_versions", "describe_cluster"]


def test_what_only_eks_knows_of_an_association_is_not_predicted() -> None:
    fake = FakeAddons()
    planned = task(fake, check=True, pod_identity_associations=bindings(ROLE_A))
    assert planned["diff"]["after"]["pod_identity_associations"] == bindings(ROLE_A)
    assert planned["addon"]["pod_identity_associations"] == bindings(ROLE_A)
    task(fake, pod_identity_associations=bindings(ROLE_A))
    planned = task(fake, check=True, pod_identity_associations=bindings(ROLE_B, ROLE_A))
    first, second = planned["diff"]["after"]["pod_identity_associations"]
    assert (first["role_arn"], "association_arn" in first, "association_arn" in second) == (ROLE_B, True, False)


def test_associations_cost_one_call_each() -> None:
    fake = FakeAddons()
    task(fake, pod_identity_associations=bindings(ROLE_A, ROLE_B))
    described = "describe_pod_identity_association"
    wanted = bindings(ROLE_A, ROLE_B)[::-1]
    assert task(fake, pod_identity_associations=wanted)["calls"] == ["describe_addon", described, described]
    assert task(fake)["calls"] == ["describe_addon"]


def test_versions_are_not_compared_as_text() -> None:
    fake = FakeAddons()
    assert task(fake, version="latest")["addon"]["version"] == NEW
    assert task(fake, version="default")["addon"]["version"] == OLD


def test_unset_version_installs_the_default_and_keeps_what_is_there() -> None:
    fake = FakeAddons()
    assert task(fake)["addon"]["version"] == OLD
    task(fake, version=NEW)
    assert task(fake)["addon"]["version"] == NEW


def test_an_update_repeats_what_is_not_touched() -> None:
    """UpdateAddon takes a missing service account role for none."""
    fake = FakeAddons()
    task(fake, service_account_role_arn=ROLE_A, configuration_values={"replicas": 2})
    done = task(fake, version=NEW)
    assert done["addon"]["service_account_role_arn"] == ROLE_A
    assert done["addon"]["configuration_values"] == {"replicas": 2}
    assert "podIdentityAssociations" not in fake.requests[fake.calls.index("update_addon") - len(fake.calls)]


def test_what_somebody_else_does_is_waited_for_first() -> None:
    fake = FakeAddons()
    task(fake)
    fake.looks = 4
    for status in ("UPDATING", "CREATING"):
        fake.begin("coredns", status)
        assert task(fake, version=NEW)["addon"]["version"] == NEW
    fake.begin("coredns", "DELETING")
    assert task(fake)["changes"] == ["create_addon"]
    fake.begin("coredns", "DELETING")
    assert task(fake, **ABSENT)["changed"] is False
    assert fake.addons == {}


def test_an_unchanged_addon_that_is_not_well_yet_is_waited_for() -> None:
    fake = FakeAddons()
    task(fake)
    fake.fate = [("DEGRADED", ["InsufficientNumberOfReplicas"]), ("ACTIVE", [])]
    fake.looks = 3
    fake.begin("coredns", "UPDATING")
    done = task(fake)
    assert (done["changed"], done["addon"]["status"]) == (False, "ACTIVE")


def test_without_wait_nothing_is_waited_for() -> None:
    fake = FakeAddons()
    fake.looks = 100
    assert task(fake, wait=False)["addon"]["status"] == "CREATING"
    assert task(fake, wait=False)["calls"] == ["describe_addon"]


def test_ill_health_at_the_deadline_is_told() -> None:
    fake = FakeAddons()
    fake.fate = [("DEGRADED", ["InsufficientNumberOfReplicas"])] * 1000
    told = failure(fake, wait_timeout=60)
    assert "add-on coredns in cluster prod is still DEGRADED after 60 seconds (wait_timeout)" in told["msg"]
    assert "InsufficientNumberOfReplicas it is" in told["msg"]
    assert [issue["code"] for issue in told["issues"]] == ["InsufficientNumberOfReplicas"]
    assert (told["changed"], told["changes"]) == (True, ["create_addon"])


def test_the_deadline_is_for_the_whole_task() -> None:
    fake = FakeAddons()
    fake.looks = 10**6
    clock = Clock()
    params = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    params.update(cluster_name="prod", name="coredns")
    with pytest.raises(AnsibleAWSError, match="still CREATING after 100 seconds"):
        ensure(
            Module(params=params, check_mode=False), EksAddons(fake.client, "prod"), target(params), clock.deadline(100)
        )
    assert clock.now == pytest.approx(100 - LAST_LOOK)


def test_a_creation_that_fails_says_how_to_recover_and_recovers_when_told() -> None:
    fake = FakeAddons()
    fake.fate = [("CREATE_FAILED", ["ConfigurationConflict"])]
    told = failure(fake)
    assert "ended as CREATE_FAILED: ConfigurationConflict" in told["msg"]
    assert "set resolve_conflicts to overwrite" in told["msg"].lower()
    assert "recreate_failed true" in told["msg"]
    with pytest.raises(Refused, match=r"is CREATE_FAILED.*recreate_failed true"):
        task(fake)
    with pytest.raises(Refused, match="is CREATE_FAILED"):
        task(fake, check=True)
    fake.looks = 2
    predicted = task(fake, check=True, recreate_failed=True, resolve_conflicts="overwrite")
    done = task(fake, recreate_failed=True, resolve_conflicts="overwrite")
    assert done["changes"] == predicted["changes"] == ["delete_addon", "create_addon"]
    assert comparable(done["addon"]) == comparable(predicted["addon"])


def test_recreation_keeps_what_the_addon_had() -> None:
    fake = FakeAddons()
    desired: dict[str, t.Any] = {
        "version": NEW,
        "configuration_values": {"replicas": 2},
        "pod_identity_associations": bindings(ROLE_A),
    }
    task(fake, service_account_role_arn=ROLE_B, tags={"a": "1"}, **desired)
    fake.addons["coredns"].update(status="UPDATE_FAILED", issues=[])
    done = task(fake, recreate_failed=True)
    assert done["changes"] == ["delete_addon", "create_addon"]
    assert task(fake, service_account_role_arn=ROLE_B, tags={"a": "1"}, **desired)["changed"] is False


def test_an_update_that_fails_says_why_and_is_repeated_on_request() -> None:
    fake = FakeAddons()
    task(fake, version=OLD)
    fake.fate = [("UPDATE_FAILED", ["ConfigurationConflict"])]
    told = failure(fake, version=NEW)
    assert "ended as update Failed: ConfigurationConflict" in told["msg"]
    assert told["changes"] == ["update_addon"]
    with pytest.raises(Refused, match=r"is UPDATE_FAILED.*resolve_conflicts to repeat the update"):
        task(fake)
    done = task(fake, resolve_conflicts="overwrite")
    assert (done["changes"], done["addon"]["status"]) == (["update_addon"], "ACTIVE")
    assert task(fake, resolve_conflicts="overwrite")["changed"] is False


def test_an_addon_that_appears_meanwhile_is_adopted() -> None:
    class Racing(FakeAddons):
        def create_addon(self, addonName: str, **given: t.Any) -> dict[str, t.Any]:
            if not self.addons:
                super().create_addon(addonName, addonVersion=OLD)
            return super().create_addon(addonName, **given)

    done = task(Racing(), configuration_values={"replicas": 2})
    assert done["changes"] == ["update_addon"]
    assert done["addon"]["configuration_values"] == {"replicas": 2}


def test_an_addon_that_disappears_meanwhile_is_created() -> None:
    class Racing(FakeAddons):
        def update_addon(self, addonName: str, **given: t.Any) -> dict[str, t.Any]:
            del self.addons[addonName]
            return super().update_addon(addonName, **given)

    fake = Racing()
    task(fake, version=OLD)
    assert task(fake, version=NEW)["changes"] == ["create_addon"]


def test_an_update_that_finds_it_busy_waits_and_goes_on() -> None:
    fake = FakeAddons()
    task(fake, version=OLD)
    fake.refuse(
        "update_addon", "ResourceInUseException", "Addon coredns cannot be updated as it is in UPDATING state", 3
    )
    assert task(fake, version=NEW)["changes"] == ["update_addon"]


def test_a_role_that_iam_does_not_show_yet_is_waited_for_under_one_token() -> None:
    fake = FakeAddons()
    fake.refuse("create_addon", *UNSEEN, times=5)
    task(fake, pod_identity_associations=bindings(ROLE_A))
    tokens = {request["clientRequestToken"] for request in fake.requests if "clientRequestToken" in request}
    assert fake.calls.count("create_addon") == 6
    assert len(tokens) == 1


@pytest.mark.parametrize(("message", "seconds"), [(UNSEEN[1], 120), ("Trust policy of the role is invalid.", 30)])
def test_a_role_that_never_shows_is_an_error_in_time(message: str, seconds: int) -> None:
    fake = FakeAddons()
    fake.refuse("create_addon", UNSEEN[0], message, times=10**4)
    told = failure(fake, pod_identity_associations=bindings(ROLE_A))
    assert message.rstrip(".") in told["msg"]
    assert (told["changed"], told["changes"]) == (False, [])
    assert seconds / 5 <= fake.calls.count("create_addon") <= seconds / 5 + 6


def test_a_role_that_iam_does_not_have_is_an_error_at_once() -> None:
    fake = FakeAddons()
    fake.refuse("create_addon", *UNSEEN, times=10**4)
    fake.missing[ROLE_B] = "which IAM doesn't have (did you mean b?)"
    told = failure(fake, pod_identity_associations=bindings(ROLE_A, ROLE_B))
    assert f"with role {ROLE_B}, which IAM doesn't have (did you mean b?): {UNSEEN[1]}" in told["msg"]
    assert fake.calls.count("create_addon") <= 10


def test_a_role_that_iam_has_is_waited_for_and_asked_about_once() -> None:
    fake = FakeAddons()
    fake.refuse("create_addon", *UNSEEN, times=20)
    task(fake, pod_identity_associations=bindings(ROLE_A))
    assert fake.asked == [ROLE_A]


def test_an_association_in_the_way_is_not_waited_for() -> None:
    fake = FakeAddons()
    fake.refuse("create_addon", "ResourceInUseException", "Association already exists: a-00000000000000001")
    told = failure(fake, pod_identity_associations=bindings(ROLE_A))
    assert "has an association that it doesn't own" in told["msg"]
    assert fake.calls.count("create_addon") == 1


def test_preserve_is_passed_on() -> None:
    fake = FakeAddons()
    task(fake)
    fake.looks = 2
    task(fake, preserve=True, wait=False, **ABSENT)
    assert fake.addons["coredns"]["preserve"] is True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cluster_name": "a/b"}, "cluster_name 'a/b' is not"),
        ({"name": "../x"}, "name '../x' is not the name of an add-on"),
        ({"name": "cordns"}, "name is cordns, and EKS offers no such add-on here. Near it: coredns, other."),
        ({"version": "v9"}, "version is v9, which add-on coredns doesn't have; it has v1.10.1-eksbuild.1"),
        ({"version": "v1.10.1-eksbuild.1"}, "doesn't have for Kubernetes 1.36; it has v1.9.3-eksbuild.10, v1.9.3"),
        ({"kubernetes_version": "1.36.2"}, "kubernetes_version '1.36.2' is not like 1.36"),
        ({"kubernetes_version": "1.99"}, "EKS offers no version of add-on coredns for Kubernetes 1.99"),
        ({"configuration_values": [1]}, "configuration_values is list"),
        ({"configuration_values": "{a: ["}, "configuration_values is neither JSON nor YAML"),
        ({"configuration_values": {"replicas": "two"}}, r"\$.replicas: 'two' is not of type 'integer'"),
        ({"service_account_role_arn": "role/x"}, "service_account_role_arn 'role/x' is not the ARN"),
        ({"pod_identity_associations": bindings("x")}, "role_arn 'x' is not the ARN"),
        ({"pod_identity_associations": bindings(ROLE_A) * 2}, "has service account x twice"),
        ({"namespace": "Kube"}, "namespace 'Kube' is not"),
        ({"resolve_conflicts": "preserve"}, "resolve_conflicts is preserve, which EKS takes only for an update"),
        ({"tags": {"aws:x": "1"}}, "reserved for AWS"),
        ({"tags": {str(number): "1" for number in range(51)}}, "tags has 51 entries"),
        ({"wait_timeout": 0}, "wait_timeout is 0"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_bad_input_is_refused_before_anything_is_changed(options: dict[str, t.Any], words: str, check: bool) -> None:
    fake = FakeAddons()
    with pytest.raises(Refused, match=words):
        task(fake, check=check, **options)
    assert not any(call.startswith(WRITES) for call in fake.calls)


def test_another_namespace_is_refused_with_the_way_out() -> None:
    fake = FakeAddons()
    task(fake, namespace="kube-system")
    with pytest.raises(Refused, match="is installed in kube-system: EKS can't move an add-on"):
        task(fake, namespace="shop")


def test_tags_of_aws_stay_and_count() -> None:
    fake = FakeAddons()
    task(fake, tags={"a": "1"})
    fake.addons["coredns"]["tags"]["aws:cloudformation:stack-name"] = "x"
    assert task(fake, tags={})["addon"]["tags"] == {"aws:cloudformation:stack-name": "x"}
    with pytest.raises(Refused, match="tags would give add-on coredns in cluster prod 51 tags"):
        task(fake, tags={str(number): "1" for number in range(50)})
