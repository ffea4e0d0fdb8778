# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._facts import Evidence
from ansible_collections.enbuild.eks.plugins.module_utils._ladder import judge
from ansible_collections.enbuild.eks.plugins.module_utils._plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._pods import Owner, Pod, Template, plain_template
from ansible_collections.enbuild.eks.plugins.module_utils._workload import Workload, parse_workload

ROLE = "arn:aws:iam::123456789012:role/orders"
OWNER = Owner("Deployment", "shop", "orders")
WORKLOAD = Workload("orders", OWNER, ROLE)
TEMPLATE = Template(OWNER, {"spec": {"serviceAccountName": "orders"}})
ASSOCIATION = {"association_id": "a-1", "role_arn": ROLE}


def pod(name: str, bare: tuple[str, ...] = (), owner: Owner = OWNER) -> Pod:
    return Pod(name, "shop", "orders", owner, bare)


def codes(verdict: t.Any) -> t.Any:
    return [finding["code"] for finding in verdict["findings"]]


def test_a_healthy_workload_reaches_the_top_without_findings() -> None:
    verdict = judge(Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a"), pod("b")), (True, True, True)))
    assert (verdict["rung"], codes(verdict), verdict["restart"], verdict["injected_now"]) == ("injected", [], [], True)
    assert verdict["pods_injected"] == 2


@pytest.mark.parametrize(
    ("evidence", "rung", "expected"),
    [
        (Evidence(WORKLOAD, None, None), "none", ["workload_missing"]),
        (Evidence(WORKLOAD, TEMPLATE, None, (pod("a", ("app",)),), (False,)), "none", ["association_missing"]),
        (
            Evidence(WORKLOAD, TEMPLATE, {**ASSOCIATION, "role_arn": ROLE + "-other"}, (pod("a"),), (True,)),
            "none",
            ["wrong_role"],
        ),
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a"),), (True, False)), "declared", ["webhook_cold"]),
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a", ("app",)),), (True,)), "declared", ["stale_pods"]),
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (), (True,)), "declared", ["no_running_pods"]),
        (
            Evidence(WORKLOAD, Template(OWNER, {"spec": {}}), ASSOCIATION, (pod("a"),), (True,)),
            "injected",
            ["default_service_account"],
        ),
        (
            Evidence(
                Workload("d", Owner("ServiceAccount", "shop", "default")),
                plain_template("shop", "default"),
                ASSOCIATION,
                (pod("a"),),
            ),
            "injected",
            [],
        ),
    ],
)
def test_each_fault_has_its_rung_and_its_code_and_no_other(evidence: t.Any, rung: t.Any, expected: t.Any) -> None:
    verdict = judge(evidence)
    assert (verdict["rung"], codes(verdict)) == (rung, expected)
    assert all(finding["remedy"] and finding["object"] for finding in verdict["findings"])


def test_any_role_will_do_when_none_is_expected() -> None:
    verdict = judge(Evidence(Workload("orders", OWNER), TEMPLATE, ASSOCIATION, (pod("a"),), (True,)))
    assert verdict["rung"] == "injected"


def test_only_what_owns_stale_pods_is_restarted_and_each_once() -> None:
    job, bare = Owner("Job", "shop", "night"), Owner("Pod", "shop", "loose")
    pods = (
        pod("a", ("app",)),
        pod("b", ("app",)),
        pod("c"),
        pod("d", ("app",), job),
        pod("loose", ("app",), bare),
        pod("e", (), Owner("StatefulSet", "shop", "db")),
    )
    verdict = judge(Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, pods, (True,)))
    assert verdict["restart"] == [{"kind": "Deployment", "namespace": "shop", "name": "orders", "predicted": False}]
    assert verdict["unmanaged_pods"] == ["d", "loose"]


@pytest.mark.parametrize(
    ("association", "restart"),
    [
        (None, [{"kind": "Deployment", "namespace": "shop", "name": "orders", "predicted": True}]),
        (ASSOCIATION, []),
    ],
)
def test_a_coming_release_is_predicted(association: t.Any, restart: t.Any) -> None:
    """Pods that a release is about to make are injected only where the association is there already."""
    coming = Template(OWNER, {"spec": {"serviceAccountName": "orders"}}, "rendered")
    verdict = judge(Evidence(WORKLOAD, coming, association, replaced=True))
    assert (verdict["exists"], verdict["restart"]) == (False, restart)


def test_near_names_are_offered() -> None:
    missing = judge(Evidence(WORKLOAD, None, None, neighbours=("Deployment order", "Deployment mongodb")))
    assert "did you mean Deployment order?" in missing["findings"][0]["message"]
    mistaken = judge(Evidence(WORKLOAD, TEMPLATE, None, (pod("a"),), neighbours=("order",)))
    assert "there is one for order" in mistaken["findings"][0]["message"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"name": "x", "deployment": "a"}, "x: namespace is missing"),
        ({"name": "x", "namespace": "n"}, "exactly one of"),
        ({"namespace": "n", "deployment": "a", "service_account": "b"}, "found deployment, service_account"),
    ],
)
def test_a_bad_entry_is_refused_in_one_sentence(item: t.Any, words: t.Any) -> None:
    with pytest.raises(Refused, match=words):
        parse_workload(item)


def test_an_entry_is_called_after_its_object() -> None:
    assert parse_workload({"namespace": "shop", "deployment": "orders", "role_arn": ""}) == Workload("orders", OWNER)
