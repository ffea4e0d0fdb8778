# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._identity.wait import INTERVAL, Wait, look_until
from ansible_collections.enbuild.eks.tests.unit.plugins.report_samples import finding, workload

COLD = finding("webhook_cold", "warning", "Deployment shop/orders", "Of 3 pods, 0 would get credentials", "Look there")
MISSING = finding("webhook_missing", "error", "MutatingWebhookConfiguration x", "The webhook is gone", "Restore it")
LABEL = finding("skip_label", "error", "Deployment shop/orders", "A label keeps the webhook away", "Drop it")
STALE = finding("stale_pods", "error", "Deployment shop/orders", "Pods are old", "Restart them")
REFUSED = finding("credentials_refused", "error", "ServiceAccount shop/orders", "EKS refuses", "Mend the trust")


def cold(**changes: t.Any) -> t.Any:
    return workload("orders", rung="declared", injected_now=False, findings=[COLD], **changes)


def warm(**changes: t.Any) -> t.Any:
    return workload("orders", rung="declared", findings=[STALE], **changes)


class Clock:
    """A clock that only sleeping moves, and what is seen each time."""

    def __init__(self, *looks: t.Any) -> None:
        self.time = 100.0
        self.looks = list(looks)
        self.looked = 0

    def look(self) -> dict[str, t.Any]:
        self.looked += 1
        return {"workloads": [self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]], "findings": []}

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def wait(self, wait_for: str, timeout: int) -> dict[str, t.Any]:
        return look_until(self.look, Wait(wait_for, timeout), lambda: self.time, self.sleep)


def test_one_look_where_nothing_is_waited_for() -> None:
    clock = Clock(cold())
    assert clock.wait("", 60)["workloads"] == [cold()]
    assert (clock.looked, clock.time) == (1, 100.0)


def test_it_looks_until_it_holds_and_returns_what_it_saw_last() -> None:
    clock = Clock(cold(), cold(), warm())
    assert clock.wait("injected", 60)["workloads"] == [warm()]
    assert (clock.looked, clock.time) == (3, 100.0 + 2 * INTERVAL)


def test_the_end_of_the_wait_says_what_for_what_was_seen_and_what_to_look_at() -> None:
    clock = Clock(cold())
    with pytest.raises(Refused) as caught:
        clock.wait("injected", 7)
    assert str(caught.value) == (
        "Waited 7 s without success for pods created now to get credentials. Last seen: "
        "Deployment shop/orders: Of 3 pods, 0 would get credentials. Remedy: Look there"
    )
    assert caught.value.result["workloads"] == [cold()]
    assert clock.time == 107.0, "the last look is at the deadline"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (workload("orders", rung="none", injected_now=False), "No association binds service account shop/orders"),
        (warm(injected_now=None, untried='pods "x" is forbidden: exceeded quota: q'), "exceeded quota: q"),
        (workload("orders", rung="declared", injected_now=False, findings=[MISSING]), "gone. Remedy: Restore it"),
    ],
)
def test_what_no_waiting_changes_is_said_at_once(item: t.Any, words: str) -> None:
    clock = Clock(item)
    with pytest.raises(Refused, match=r"It is not known whether|No association|The webhook") as caught:
        clock.wait("injected", 60)
    assert words in str(caught.value)
    assert clock.looked == 1


@pytest.mark.parametrize(
    "item",
    [
        workload("orders", rung="none", exists=False, injected_now=None),
        workload("orders", rung="declared", findings=[LABEL], injected_now=False),
        warm(injected_now=None),
        workload("all", kind="ServiceAccount", exists=False),
    ],
    ids=["missing", "kept away by its template", "not to be tried", "service account"],
)
def test_what_has_no_injection_to_wait_for(item: t.Any) -> None:
    clock = Clock(item)
    clock.wait("injected", 60)
    assert clock.looked == 1


def test_a_service_account_is_waited_for() -> None:
    with pytest.raises(Refused, match="ServiceAccount shop/all: "):
        Clock(cold(kind="ServiceAccount", object="all", exists=False)).wait("injected", 6)


def test_until_pods_get_none() -> None:
    clock = Clock(warm(), cold())
    clock.wait("not_injected", 60)
    assert clock.looked == 2
    with pytest.raises(
        Refused, match=r"Waited 4 s without success for pods created now to get no credentials\. Last seen: Deplo"
    ):
        Clock(warm()).wait("not_injected", 4)


def test_until_a_restart_would_do() -> None:
    unfit = workload("orders", rung="injected", findings=[REFUSED])
    clock = Clock(unfit, workload("orders", rung="allowed"))
    clock.wait("restart", 60)
    assert clock.looked == 2
    with pytest.raises(Refused, match=r"Last seen: EKS refuses. Remedy: Mend the trust$"):
        Clock(unfit).wait("restart", 4)


def test_many_are_named_by_the_first_few() -> None:
    many = [cold(object=f"orders-{number}") for number in range(8)]
    with pytest.raises(Refused, match=r"orders-4.* and 3 more"):
        look_until(lambda: {"workloads": many}, Wait("injected", 0))
