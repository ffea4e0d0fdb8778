# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks that are interrupted between two tasks, on a bad day: the next run goes on, nothing is lost or doubled."""

from __future__ import annotations

import functools
import itertools
import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration.boundaries import (
    KILLED,
    Act,
    Series,
    Watch,
    after_changes,
    at_task,
)
from ansible_collections.enbuild.eks.tests.integration.guide import (
    NAMESPACE,
    assert_the_job_is_done,
    associations,
    run_guide,
    start_over,
)
from ansible_collections.enbuild.eks.tests.integration.irsa import ANNOTATION, install_with_irsa
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun

pytestmark = pytest.mark.lab

Run = t.Callable[..., PlaybookRun]
EVERYTHING: dict[str, t.Any] = {"pod_identity_teardown_release": True, "pod_identity_teardown_agent": True}
MOVE: dict[str, t.Any] = {"pod_identity_migrate_act": True, "pod_identity_migrate_finish": True}
SITE_CHANGES = [
    "Install or upgrade the release",
    "Install the add-on eks-pod-identity-agent",
    "Create and change IAM roles",
    "Bind the service accounts to their roles",
    "Restart Deployment enbuild/enbuild-enbuild-ai",
    "Restart Deployment enbuild/enbuild-enbuild-ctf",
]
TEARDOWN_CHANGES = [
    "Remove the release",
    "Delete the associations that were made here",
    "Delete the roles that nothing uses any more",
    "Delete the add-on eks-pod-identity-agent",
]
ENDS = ("killed", "expired")
"""How a run ends at a boundary: it is killed, or its credentials expire."""


@pytest.fixture(scope="module")
def site(lab: Lab) -> t.Iterator[Run]:
    start_over(lab)
    yield functools.partial(run_guide, lab, "site")
    start_over(lab, wait=False)


@pytest.fixture(scope="module")
def teardown(lab: Lab) -> Run:
    return functools.partial(run_guide, lab, "teardown", **EVERYTHING)


def changes(runs: t.Iterable[PlaybookRun]) -> list[str]:
    """The tasks that changed something, each once, in the order in which they did first."""
    return list(dict.fromkeys(change.partition(" : ")[2].partition(": ")[0] for run in runs for change in run.changed))


def roles(lab: Lab) -> list[str]:
    return sorted(role["RoleName"] for role in lab.aws("iam").list_roles()["Roles"] if "enbuild" in role["RoleName"])


def assert_nothing_is_doubled(lab: Lab) -> None:
    """One revision of the release; each workload was restarted once."""
    assert len(json.loads(lab.helm("history", "enbuild", "-n", NAMESPACE, "-o", "json"))) == 1
    deployments = json.loads(lab.kubectl("get", "deployments", "-n", NAMESPACE, "-o", "json"))["items"]
    restarted = {
        each["metadata"]["labels"].get("app", each["metadata"]["name"]): each["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ]
        for each in deployments
    }
    assert {name: number for name, number in restarted.items() if number != "1"} == {
        name: "2" for name in restarted if name.endswith(("ai", "ctf"))
    }


def assert_nothing_is_left(lab: Lab) -> None:
    assert associations(lab) == {}
    assert roles(lab) == []
    assert lab.aws("eks").list_addons(clusterName=lab.cluster_name)["addons"] == []
    assert json.loads(lab.helm("list", "--all", "-n", NAMESPACE, "-o", "json")) == []


def test_a_cluster_that_is_deleted_while_the_site_runs_is_named(lab: Lab, site: Run) -> None:
    _delete_before(lab, site, "CreateAddon")


def test_a_site_that_is_interrupted_after_every_other_change_goes_on(lab: Lab, site: Run) -> None:
    start_over(lab)
    series = Series(lab, site)
    last = series.go_on((_after(2), end) for end in itertools.cycle(ENDS))
    assert changes([*series.interrupted, last]) == SITE_CHANGES
    assert {run.returncode for run in series.interrupted} == {KILLED, 2}
    assert_the_job_is_done(lab)
    assert_nothing_is_doubled(lab)
    assert last.changed == []


def test_a_teardown_that_is_interrupted_goes_on(lab: Lab, site: Run, teardown: Run) -> None:
    if len(associations(lab)) < 2:
        assert site().returncode == 0
    series = Series(lab, teardown)
    # Each with more to do that takes time: the run ends by this, however late its line is read.
    last = series.go_on(((_after(2), "expired"), (_after(1), "killed"), (_after(len(TEARDOWN_CHANGES)), "killed")))
    assert changes([*series.interrupted, last]) == TEARDOWN_CHANGES
    assert {run.returncode for run in series.interrupted} == {KILLED, 2}
    assert_nothing_is_left(lab)


def test_a_cluster_that_is_deleted_while_it_is_torn_down_is_named(lab: Lab, teardown: Run) -> None:
    _delete_before(lab, teardown, "ListPodIdentityAssociations")


def _delete_before(lab: Lab, run: Run, operation: str) -> None:
    arn = lab.aws("eks").describe_cluster(name=lab.cluster_name)["cluster"]["arn"]
    lab.faults([{"service": "eks", "operation": operation, "deletes": arn}])
    stopped = run()
    assert stopped.returncode == 2, stopped.output
    assert f"{lab.cluster_name} stopped at" in stopped.failure, stopped.output
    assert "No cluster found" in stopped.failure, stopped.output
    lab.reset()


def _after(number: int) -> t.Callable[[Act], Watch]:
    return functools.partial(after_changes, number)


def _at(number: int) -> t.Callable[[Act], Watch]:
    return functools.partial(at_task, number)


@pytest.mark.boundaries
@pytest.mark.parametrize("end", ENDS)
def test_site_then_teardown_interrupted_at_every_boundary(lab: Lab, site: Run, teardown: Run, end: str) -> None:
    start_over(lab)
    for run, done in ((site, assert_the_job_is_done), (teardown, assert_nothing_is_left)):
        series = Series(lab, run)
        last = series.go_on((_at(number), end) for number in itertools.count(1))
        assert len(series.interrupted) >= len(last.tasks) // 2, "few boundaries were met"
        done(lab)
        if run is site:
            assert_nothing_is_doubled(lab)
        assert run().changed == []


@pytest.mark.boundaries
@pytest.mark.parametrize("end", ENDS)
def test_migrate_interrupted_at_every_boundary(lab: Lab, end: str) -> None:
    start_over(lab)
    lab.kubectl("create", "namespace", NAMESPACE)
    install_with_irsa(lab, NAMESPACE, "enbuild-ai-bedrock")
    migrate = functools.partial(run_guide, lab, "migrate", **MOVE)
    series = Series(lab, migrate)
    last = series.go_on((_at(number), end) for number in itertools.count(1))
    assert len(series.interrupted) >= len(last.tasks) // 2, "few boundaries were met"
    assert_the_job_is_done(lab)
    trust = lab.aws("iam").get_role(RoleName="enbuild-ai-bedrock")["Role"]["AssumeRolePolicyDocument"]
    assert [each["Principal"] for each in trust["Statement"]] == [{"Service": "pods.eks.amazonaws.com"}]
    assert ANNOTATION not in lab.kubectl("get", "serviceaccounts", "-n", NAMESPACE, "-o", "yaml")
    assert migrate().changed == []
