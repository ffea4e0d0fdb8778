# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._identity import verdict
from ansible_collections.enbuild.eks.plugins.module_utils._identity.ladder import RUNGS
from ansible_collections.enbuild.eks.tests.unit.plugins.report_samples import finding, pod, workload

UNKNOWN_ABOVE_INJECTED = {"declared": True, "injected": True, "issued": None, "allowed": None}


@pytest.mark.parametrize(
    ("rung", "rungs", "wanted", "short"),
    [
        ("none", None, "none", False),
        ("none", None, "declared", True),
        ("none", None, "", True),
        ("injected", None, "injected", False),
        ("injected", None, "issued", True),
        ("allowed", None, "allowed", False),
        ("allowed", None, "", False),
        ("issued", None, "", True),
        ("injected", UNKNOWN_ABOVE_INJECTED, "", False),
        ("injected", UNKNOWN_ABOVE_INJECTED, "injected", False),
        ("injected", UNKNOWN_ABOVE_INJECTED, "issued", True),
        ("none", dict.fromkeys(RUNGS[1:]), "", True),
    ],
)
def test_below(rung: t.Any, rungs: t.Any, wanted: t.Any, short: t.Any) -> None:
    item = workload("orders", rung=rung, **({"rungs": rungs} if rungs else {}))
    assert [found["name"] for found in verdict.below([item], wanted)] == (["orders"] if short else [])


@pytest.mark.parametrize(("wanted", "short"), [("none", False), ("declared", True), ("allowed", True), ("", True)])
def test_an_error_at_any_rung_is_one_at_each_that_is_asked_for(wanted: str, short: bool) -> None:
    shared = finding("default_service_account", "error", "Deployment shop/orders", "It runs under default")
    item = workload("orders", findings=[shared])
    assert bool(verdict.below([item], wanted)) == short


def test_a_rung_that_there_is_not() -> None:
    with pytest.raises(Refused, match="lofty is not a rung of the ladder of proof; the rungs are none, declared"):
        verdict.below([], "lofty")


def test_reasons_are_the_findings_or_else_where_it_stopped() -> None:
    wrong = finding(
        "stale_pods", "error", "Deployment shop/orders", "2 pods lack the injection", "kubectl rollout restart"
    )
    note = finding("irsa_annotation", "info", "ServiceAccount shop/orders", "An annotation is left over", "Remove it")
    items = [
        workload("orders", rung="declared", findings=[wrong]),
        workload("night", rung="declared", findings=[wrong]),
        workload("feed", rung="injected", findings=[note], stopped_by="the caller may not call EKS Auth"),
    ]
    assert verdict.reasons(items) == [
        "2 pods lack the injection. Remedy: kubectl rollout restart",
        "Deployment shop/feed: the caller may not call EKS Auth.",
    ]


def test_left_alone_has_a_word_for_each_kind_of_pod() -> None:
    pods = [
        pod("bare", "bare", "shop", False, "Pod"),
        pod("once-1", "once", "shop", False, "Job"),
        pod("once-2", "once", "shop", False, "Job"),
        pod("odd-1", "odd", "shop", False, "Rollout"),
        pod("orders-1", "orders", "shop", False),
    ]
    (one, two, three) = verdict.left_alone(
        [workload("orders", pods=pods, unmanaged_pods=["bare", "odd-1", "once-1", "once-2"])]
    )
    assert one == "Recreate pod shop/bare, which has no owner: no restart of a workload reaches it"
    assert two.startswith("Job shop/once is left alone")
    assert three.startswith("Recreate pod shop/odd-1, which Rollout odd made")


@pytest.mark.parametrize(
    ("rungs", "injected_now", "stands"),
    [
        ({"declared": True, "injected": False, "issued": True, "allowed": True}, True, False),
        ({"declared": True, "injected": False, "issued": None, "allowed": None}, True, False),
        ({"declared": True, "injected": False, "issued": True, "allowed": None}, None, False),
        ({"declared": True, "injected": False, "issued": True, "allowed": True}, False, True),
        ({"declared": True, "injected": False, "issued": False, "allowed": None}, True, True),
        ({"declared": True, "injected": False, "issued": True, "allowed": False}, True, True),
        ({"declared": False, "injected": None, "issued": None, "allowed": None}, True, True),
    ],
)
def test_obstacles_to_a_restart(rungs: t.Any, injected_now: t.Any, stands: t.Any) -> None:
    stale = finding("stale_pods", "error", "Deployment shop/orders", "Pods are old", "Restart them")
    refused = finding("credentials_refused", "error", "ServiceAccount shop/orders", "EKS refuses", "Mend the trust")
    item = {**workload("orders", findings=[stale, refused]), "rungs": rungs, "injected_now": injected_now}
    assert verdict.obstacles([item]) == (["EKS refuses. Remedy: Mend the trust"] if stands else [])


def test_the_ladder_lines_up() -> None:
    lines = verdict.ladder([workload("orders", rung="declared"), workload("x", rung="none")])
    assert lines[0].index("ROLE") == lines[1].index("shop-orders")
    assert lines[1].split() == [
        "deployment/orders",
        "shop/orders",
        "shop-orders",
        "a-orders00000000",
        "0",
        "of",
        "2",
        "declared",
    ]
    assert lines[2].split() == ["deployment/x", "shop/x", "-", "-", "0", "of", "2", "none"]


def test_what_is_to_be_restarted_is_named_once() -> None:
    orders = {"kind": "Deployment", "namespace": "shop", "name": "orders", "predicted": False}
    feed = {**orders, "name": "feed"}
    items = [workload("orders", restart=[orders]), workload("shared", restart=[orders, feed]), workload("fine")]
    assert verdict.verdict(items)["restarts"] == [orders, feed]
