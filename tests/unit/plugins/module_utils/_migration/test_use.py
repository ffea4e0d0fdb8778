# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps the old way of a service account in place."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner
from ansible_collections.enbuild.eks.plugins.module_utils._migration.model import Account, Desired, Running
from ansible_collections.enbuild.eks.plugins.module_utils._migration.plan import plan
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._migration.test_plan import (
    BOUND,
    DESIRED,
    NEW,
    account,
    found,
    pod,
    raw_pod,
)

NAMED = Desired(DESIRED.cluster, unproven=("shop/orders",))
DYING: dict[str, t.Any] = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}


def migrated(*pods: dict[str, t.Any], **parts: t.Any) -> Account:
    """A service account whose Deployment has Pod Identity, and ``pods`` beside that."""
    return account(NEW, True, association=BOUND, raw_pods=(raw_pod("p", True), *pods), **parts)


def kept(kind: str, **spec: t.Any) -> Account:
    """The same with one more workload of that kind and spec."""
    other = found(kind, "other")
    changed = {**other.object, "spec": {**other.object["spec"], **spec}}
    if kind == "CronJob":
        changed = {**changed, "spec": {**spec, "jobTemplate": {"spec": {"template": other.template}}}}
    return migrated(workloads=(found(), dataclasses.replace(other, object=changed)))


def own_variables() -> dict[str, t.Any]:
    """A pod with both: IRSA's variables win."""
    item = raw_pod("q", True)
    item["spec"]["containers"][0]["env"].append({"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/token"})
    return item


CERTAIN = {
    "a pod of a bare ReplicaSet, or of a kind that nobody knows": (
        migrated(raw_pod("q")),
        "pod shop/q runs and lacks the injection in main",
    ),
    "a pending one without the injection": (migrated(raw_pod("q", phase="Pending")), "lacks the injection"),
    "one on its way out": (migrated(raw_pod("q", **DYING)), "pod shop/q is on its way out and lacks the injection"),
    "IRSA's variables of its own": (migrated(own_variables()), "pod shop/q sets IRSA's variables itself"),
}
UNCERTAIN = {
    "a pending pod": (migrated(raw_pod("q", True, "Pending")), "pod shop/q is pending"),
    "a CronJob between runs": (kept("CronJob"), "CronJob shop/other makes pods from time to time"),
    "a suspended CronJob": (kept("CronJob", suspend=True), "CronJob shop/other is suspended"),
    "a suspended Job": (kept("Job", suspend=True), "Job shop/other is suspended"),
    "0 replicas": (kept("StatefulSet", replicas=0), "StatefulSet shop/other has 0 replicas"),
    "a paused Deployment": (kept("Deployment", paused=True), "Deployment shop/other is paused"),
    "no pod": (migrated(workloads=(), pods=()), "none of its pods is there to prove"),
    "a reader": (
        migrated(readers=("SecretStore shop/aws\u202e of External Secrets",)),
        "SecretStore shop/aws of External",
    ),
}


@pytest.mark.parametrize(("before", "why"), CERTAIN.values(), ids=CERTAIN)
def test_a_pod_that_was_seen_keeps_the_old_way_whatever_is_named(before: Account, why: str) -> None:
    for desired in (DESIRED, NAMED):
        row = plan(before, desired)
        assert (row["left"], row["state"]) == ([], "migrated")
        assert not any(row["finish"][part] for part in ("host_network", "metadata", "irsa", "statements", "memory"))
        assert why in row["stays"]
        assert "pod_identity_migrate_finish_unproven" not in row["stays"]


@pytest.mark.parametrize(("before", "why"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_was_not_looked_at_keeps_it_unless_a_user_answers_for_it(before: Account, why: str) -> None:
    row = plan(before, DESIRED)
    assert (row["left"], row["ending"]) == ([], False)
    assert why in row["stays"]
    assert row["stays"].endswith("name the service account in pod_identity_migrate_finish_unproven")
    named = plan(before, NAMED)
    assert (len(named["left"]), named["stays"]) == (2, "")


def test_pods_that_the_plan_restarts_do_not_keep_it() -> None:
    first = account(raw_pods=(raw_pod("p"),))
    assert (len(plan(first, DESIRED)["left"]), plan(first, DESIRED)["stays"]) == (2, "")
    job = account(
        workloads=(found(), Running(Owner("Job", "shop", "night"), found("Job").object)),
        pods=(pod(found().owner), dataclasses.replace(pod(Owner("Job", "shop", "night")), name="n")),
        raw_pods=(raw_pod("p"), raw_pod("n")),
    )
    assert plan(job, DESIRED)["stays"] == "pod shop/n runs and lacks the injection in main"


def test_it_ends_by_itself_where_pods_are_on_their_way_out() -> None:
    assert plan(migrated(raw_pod("q", **DYING)), DESIRED)["ending"]
    assert not plan(migrated(), DESIRED)["ending"]


def test_pods_that_nothing_restarts_are_asked_for_a_proof_once_they_are_injected() -> None:
    """Before that they would only stop the run; they keep the old way."""
    owner = Owner("ReplicaSet", "shop", "alone")
    before = account(workloads=(), pods=(pod(owner),), raw_pods=(raw_pod("p"),))
    assert plan(before, DESIRED)["act"]["prove"] == []
    after = account(NEW, association=BOUND, workloads=(), pods=(pod(owner, True),), raw_pods=(raw_pod("p", True),))
    assert [each["service_account"] for each in plan(after, DESIRED)["act"]["prove"]] == ["orders"]
    assert len(plan(after, DESIRED)["left"]) == 2
