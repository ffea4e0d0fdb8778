# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every state of a release against every wish: what is done, what is refused, and when the chart has to be read."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.model import Desired, Observed, Target
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.plan import (
    first_plan,
    plan_release,
    refuse_long_wait,
    removal_refused,
    wanted_version,
)

RELEASE = Target("enbuild", "shop")
VALUES = {"ui": {"replicas": 2}}
HELD = Observed("deployed", 3, "enbuild", "0.0.38", {"mine": 1, **VALUES})
DESIRED = Desired(RELEASE, "enbuild", "https://charts.example.com", values=(VALUES,))


def test_nothing_to_change_needs_no_chart() -> None:
    plan = first_plan(DESIRED, HELD)
    assert plan
    assert (plan.action, plan.what) == ("", ())


@pytest.mark.parametrize(
    ("observed", "desired"),
    [
        ({"status": ""}, {}),
        ({"status": "failed"}, {}),
        ({"values": {"mine": 1}}, {}),
        ({}, {"chart_version": "0.0.46"}),
        ({}, {"chart_version": ">=0.0.38"}),
        ({"chart_version": ""}, {}),
        ({}, {"chart": "./charts/enbuild", "repository_url": ""}),
    ],
    ids=["none", "failed", "values", "version", "range", "unknown version", "path"],
)
def test_anything_else_takes_a_look_at_the_chart(observed: dict[str, str], desired: dict[str, str]) -> None:
    assert first_plan(dataclasses.replace(DESIRED, **desired), dataclasses.replace(HELD, **observed)) is None  # type: ignore[arg-type]


def test_an_equal_version_is_no_change_however_it_is_written() -> None:
    assert first_plan(dataclasses.replace(DESIRED, chart_version="v0.0.38"), HELD) is not None
    oci = dataclasses.replace(DESIRED, chart="oci://registry.example.com/enbuild", repository_url="")
    assert first_plan(oci, HELD) is not None


def test_a_new_release_is_created_with_the_values_given() -> None:
    plan = plan_release(DESIRED, Observed(), "0.0.46")
    assert (plan.action, plan.what, plan.values) == ("create", ("chart 0.0.46",), VALUES)


def test_values_that_the_release_has_stay_and_differences_are_named_by_path() -> None:
    desired = dataclasses.replace(DESIRED, values=({"ui": {"image": "secret"}}, {"ui": {"replicas": 4}}))
    plan = plan_release(desired, HELD, "0.0.46")
    assert plan.what == ("chart 0.0.38 -> 0.0.46", "value ui.image", "value ui.replicas")
    assert plan.values == {"mine": 1, "ui": {"replicas": 4, "image": "secret"}}
    assert "secret" not in repr(plan)
    assert "secret" not in repr(desired)


def test_a_failed_release_is_upgraded_once_more_with_equal_values() -> None:
    plan = plan_release(DESIRED, dataclasses.replace(HELD, status="failed"), "0.0.38")
    assert (plan.action, plan.what) == ("update", ("status failed",))


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
@pytest.mark.parametrize("revision", [1, 2])
def test_a_half_done_release_is_refused_with_the_way_out(status: str, revision: int) -> None:
    way = "rollback" if revision > 1 and status != "uninstalling" else "uninstall"
    with pytest.raises(Refused, match=f"shop/enbuild is {status} .*run helm {way} enbuild -n shop"):
        first_plan(DESIRED, dataclasses.replace(HELD, status=status, revision=revision))


def test_an_old_chart_is_refused_before_and_after_it_is_read() -> None:
    old = dataclasses.replace(HELD, chart_version="0.0.37")
    with pytest.raises(Refused, match=r"is 0\.0\.37; service accounts need 0\.0\.38"):
        first_plan(DESIRED, old)
    with pytest.raises(Refused, match=r"Chart enbuild of https://charts\.example\.com is 0\.0\.9;"):
        plan_release(DESIRED, Observed(), "0.0.9")
    assert plan_release(DESIRED, Observed(), "0.1.0").action == "create"


def test_the_installed_version_stays_unless_told_otherwise() -> None:
    assert wanted_version(DESIRED, HELD) == "0.0.38"
    assert wanted_version(dataclasses.replace(DESIRED, chart_version="0.0.46"), HELD) == "0.0.46"
    assert wanted_version(DESIRED, Observed()) == ""


def test_only_a_half_removed_release_keeps_from_removing() -> None:
    assert removal_refused(RELEASE, dataclasses.replace(HELD, status="pending-upgrade")) == ""
    assert "is uninstalling" in removal_refused(RELEASE, dataclasses.replace(HELD, status="uninstalling"))


@pytest.mark.parametrize(
    ("held", "on", "what"),
    [
        ({}, None, ()),
        ({}, False, ()),
        ({}, True, ("value enbuildCTF.hostNetwork",)),
        ({"enbuildCTF": {"hostNetwork": True}}, True, ()),
        ({"enbuildCTF": {"hostNetwork": True}}, False, ("value enbuildCTF.hostNetwork",)),
    ],
)
def test_the_network_of_the_node_is_changed_only_where_it_differs(
    held: dict[str, object], on: bool | None, what: tuple[str, ...]
) -> None:
    desired = dataclasses.replace(DESIRED, values=(), host_network=on)
    assert plan_release(desired, dataclasses.replace(HELD, values=held), "0.0.38").what == what


def test_a_release_that_is_not_there_is_left_so_where_told() -> None:
    plan = first_plan(dataclasses.replace(DESIRED, install=False), Observed())
    assert plan
    assert plan.action == ""


@pytest.mark.parametrize(
    ("timeout", "long"), [("14m", False), ("15m", True), ("1h30m", True), ("899.5s", True), ("900ms", False)]
)
def test_helm_waits_no_longer_than_its_token_lives(timeout: str, long: bool) -> None:
    refuse_long_wait(timeout, "users: [{user: {exec: {command: aws}}}]")
    if not long:
        refuse_long_wait(timeout, "token: k8s-aws-v1.abc")
        return
    with pytest.raises(Refused, match=f"is {timeout}, and an EKS token lives for 15 minutes: wait 14m at most"):
        refuse_long_wait(timeout, "token: k8s-aws-v1.abc")
