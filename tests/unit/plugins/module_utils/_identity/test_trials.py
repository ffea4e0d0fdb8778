# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.dry_run import Tried
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Evidence
from ansible_collections.enbuild.eks.plugins.module_utils._identity.trials import first_trials, further_trials
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod, Template
from ansible_collections.enbuild.eks.plugins.module_utils._workload.model import Workload

CHANGED, BEFORE, SINCE = "2026-03-01T10:00:00", "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z"
GOOD, BARE, REFUSED = Tried((True,)), Tried((False,)), Tried(refusal="exceeded quota")


def evidence(place: str, **changes: t.Any) -> Evidence:
    """A workload that nobody named, with an association that its one pod is newer than."""
    space, name = place.split("/")
    owner = Owner("Deployment", space, name)
    pod = Pod(f"{name}-1", space, name, owner, created=SINCE)
    template = Template(owner, {"spec": {"serviceAccountName": name}})
    association = {"association_id": "a-1", "modified_at": CHANGED}
    seen = Evidence(Workload(name, owner, None, (), asked=False), template, association, (pod,))
    return replace(seen, **changes)


def asked(place: str) -> Evidence:
    seen = evidence(place)
    return replace(seen, workload=replace(seen.workload, asked=True))


def pods(place: str, **changes: t.Any) -> dict[str, t.Any]:
    return {"pods": tuple(replace(pod, **changes) for pod in evidence(place).pods)}


HEALTHY = [evidence(f"{space}/orders-{number}") for space in ("shop", "bank") for number in range(4)]


def test_one_in_each_namespace_stands_for_those_whose_pods_show_the_injection() -> None:
    assert first_trials(HEALTHY, 3) == {("shop", "orders-0"): 1, ("bank", "orders-0"): 1}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"pods": ()}, id="no-pod"),
        pytest.param(pods("shop/late", bare_containers=("main",)), id="bare-pod"),
        pytest.param(pods("shop/late", created=BEFORE), id="former-association"),
    ],
)
def test_what_running_pods_do_not_show_is_tried(changes: dict[str, t.Any]) -> None:
    assert first_trials([*HEALTHY, evidence("shop/late", **changes)], 3)[("shop", "late")] == 1


def test_workloads_that_somebody_named_are_tried_as_often_as_told() -> None:
    assert first_trials([evidence("shop/orders"), asked("shop/orders"), evidence("shop/books")], 3) == {
        ("shop", "orders"): 3,
        ("shop", "books"): 1,
    }


@pytest.mark.parametrize("changes", [{"association": None}, {"replaced": True}, {"account_missing": True}])
def test_what_does_not_matter_or_cannot_be_tried_is_left_out(changes: dict[str, t.Any]) -> None:
    assert not first_trials([evidence("shop/orders", pods=(), **changes)], 3)
    assert not further_trials([evidence("shop/orders", pods=(), **changes)], {("shop", "books"): BARE})


def test_where_the_caller_may_try_none_no_more_is_tried() -> None:
    assert not further_trials(HEALTHY, {("shop", "orders-0"): Tried(denied="forbidden")})


@pytest.mark.parametrize("result", [BARE, REFUSED, Tried((True, False)), Tried(untried="exceeded quota")])
def test_where_a_trial_does_not_go_well_all_others_of_the_namespace_are_tried(result: Tried) -> None:
    tried = {("shop", "orders-0"): result, ("bank", "orders-0"): GOOD}
    assert further_trials(HEALTHY, tried) == {("shop", f"orders-{number}"): 1 for number in (1, 2, 3)}
    assert not further_trials(HEALTHY, dict.fromkeys(tried, GOOD))
