# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import about
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.model import Context, Outcome, Survey, Tags
from ansible_collections.enbuild.eks.tests.unit.plugins import registered
from ansible_collections.enbuild.eks.tests.unit.plugins import report_samples as samples

RESTARTED = registered.result(
    "pod_identity_rollout", {"restarted": [{"kind": "Deployment", "namespace": "shop", "name": "orders"}]}
)
STOP = {"task": "Read the cluster", "message": "No cluster."}
OPTIONS: dict[str, t.Any] = {"rung": "", "fail_from": "", "dir": "", "artifact": False, "extra": True, "changes": False}
HEALTHY = {"report": {"summary": samples.healthy()["summary"]}}


def reported(kind: str, context: Context, **given: t.Any) -> Outcome:
    return about.report(kind, {**OPTIONS, **given}, context)


def context(host: str = "localhost", hosts: t.Any = None, check: bool = False, **local: t.Any) -> Context:
    """A play on ``hosts``, each with its variables; or on one host with the variables ``local``."""
    hosts = hosts or {host: {"eks_cluster_name": "production", **local}}
    return Context(host, check, samples.TIME, hosts[host], hosts)


def known(**found: t.Any) -> dict[str, t.Any]:
    return {"pod_identity_reported": {"known": found}}


def verdict(where: Context, sample: t.Any = None, **given: t.Any) -> Outcome:
    made = sample or samples.broken()
    found = {"workloads": made["workloads"], "findings": made["findings"], "ladder": ["WORKLOAD  RUNG"]}
    return reported("verdict", where, found=found, cluster=samples.CLUSTER, **given)


def test_a_verdict_is_lines_counts_and_files_under_the_name_of_the_host_or_the_local_hosts_cluster() -> None:
    for where, name in ((context(), "production"), (context("prod-1"), "prod-1")):
        made = verdict(where, dir="reports")
        assert made.lines[0] == "WORKLOAD  RUNG"
        assert made.lines[1].startswith("production: 5 workloads")
        assert made.artifacts == {"pod_identity_report": {name: samples.broken()["summary"]}}
        assert sorted(made.files) == [f"{name}.html", f"{name}.json"]
        assert made.known == {"report": {"summary": samples.broken()["summary"]}}
        assert not made.failure


def test_a_page_is_passed_on_only_where_asked_for() -> None:
    page = verdict(context(), artifact=True).artifacts["pod_identity_report_html"]["production"]
    assert page.lower().startswith("<!doctype html>")


@pytest.mark.parametrize(("fail_from", "count"), [("", 0), ("always", 0), ("error", 3), ("warning", 4)])
def test_findings_as_severe_as_asked_for_are_returned(fail_from: str, count: int) -> None:
    assert len(verdict(context(), fail_from=fail_from).returns["severe"]) == count


def test_those_that_fall_short_are_returned_with_codes_and_without_what_the_report_has_said_already() -> None:
    broken = samples.broken()
    short = verdict(context()).returns["short"]
    below = [item["name"] for item in broken["workloads"] if False in item["rungs"].values()]
    assert [text.partition(" (")[0] for text in short] == below
    assert not [text for text in short if "kubectl" in text or "aws " in text]
    assert any(finding["code"] in " ".join(short) for item in broken["workloads"] for finding in item["findings"])


def test_a_rung_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="is not a rung"):
        verdict(context(), rung="top")


def test_check_mode_shows_no_finding_that_the_run_would_mend_and_still_counts_it() -> None:
    where = context(check=True, pod_identity_results=RESTARTED)
    made = verdict(where)
    assert len(made.lines) == 1
    assert "ERROR" not in made.lines[0]
    assert made.artifacts == verdict(context()).artifacts
    assert [each["name"] for each in json.loads(made.files["production.json"])["changes"]] == ["Deployment shop/orders"]
    assert verdict(context(check=True)).lines == verdict(context()).lines


def test_drift_is_read_from_the_results_of_the_hosts_own_steps() -> None:
    results = registered.associations(("orders", {}, {"role_arn": "arn:a"}))
    where = context(pod_identity_results=results)
    made = reported("drift", where, cluster=samples.CLUSTER, seen={})
    assert made.lines[0] == "production: 1 missing"
    assert list(made.artifacts["pod_identity_drift"]) == ["production"]
    assert list(made.files) == ["production.drift.json"]
    assert (made.returns["drift"], made.returns["brief"]) == (True, "production: 1 missing")


def test_a_stop_is_kept_and_fails_the_host_at_the_end_without_its_reason_a_second_time() -> None:
    failed = {"failed_task": "enbuild.eks.eks_cluster : Read the cluster", "failed_result": {"msg": "No cluster."}}
    assert reported("stop", context(), **failed).known == {"stop": STOP, "advice": ""}
    stopped = context(**known(stop=STOP, advice=""))
    assert reported("run", stopped).lines == []
    assert reported("end", stopped).failure == 'production stopped at "Read the cluster", for the reason above.'
    assert reported("end", context()).failure == ""


def test_the_end_of_a_run_says_what_changed_what_holds_and_what_to_do() -> None:
    made = reported("run", context(pod_identity_results=RESTARTED, **known(**HEALTHY)), changes=True)
    assert made.lines == [
        "production: changed 1 thing",
        "  restarted workload Deployment shop/orders",
        "production: 4 workloads (4 allowed); no finding; nothing to do",
    ]
    assert list(made.artifacts["pod_identity_changes"]) == ["production"]
    assert made.artifacts["pod_identity_stopped"] == {}
    assert [about.tone(line) for line in made.lines] == ["change", None, "good"]
    assert made.returns["changes"] == made.artifacts["pod_identity_changes"]


def test_what_steps_want_people_to_know_is_said_at_the_end() -> None:
    results = registered.result("pod_identity_rollout", {"restarted": [], "notes": ["Recreate pod shop/one."]})
    agent = registered.result("pod_identity_agent", {"applied": {}, "auto_mode": True})
    made = reported("run", context(pod_identity_results={**results, **agent}), changes=True)
    assert made.lines[:2] == ["production: changed nothing", "production: Recreate pod shop/one."]
    assert "EKS Auto Mode" in made.lines[2]


def test_a_run_that_looked_at_no_release_says_so_and_how_to_have_one() -> None:
    where = context(pod_identity_results=registered.result("enbuild_release", {"done": {"managed": False}}))
    assert reported("run", where, changes=True).lines[0] == "production: changed nothing"
    for line in (
        reported("run", where, changes=True).lines[1],
        reported("drift", where, cluster=samples.CLUSTER, seen={}).lines[-1],
    ):
        assert "No enbuild release was looked at" in line
        assert "enbuild_release_name" in line
        assert "--tags enbuild_release" in line


def test_the_end_of_a_prediction_says_how_to_make_it_true() -> None:
    made = reported("run", context(check=True, pod_identity_results=RESTARTED, **known(**HEALTHY)), changes=True)
    assert made.lines == [
        "production: would change 1 thing",
        "  restart workload Deployment shop/orders",
        "production: run it without --check to make these changes",
    ]
    job = context(check=True, pod_identity_results=RESTARTED, **known(**HEALTHY))
    made = reported("run", dataclasses.replace(job, survey=Survey(in_job=True)), changes=True)
    assert made.lines[-1] == "production: launch it with the job type Run to make these changes"


def test_a_run_that_reads_says_nothing_of_changes() -> None:
    made = reported("run", context(pod_identity_results=RESTARTED))
    assert (made.lines, made.artifacts) == ([], {"pod_identity_stopped": {}})


def test_a_tag_that_no_task_has_fails_at_the_start() -> None:
    play = dataclasses.replace(context(), tags=Tags(["verfy"], there={"verify", "always"}))
    assert "No task has the tag verfy, so nothing was done. Did you mean verify?" in reported("start", play).failure
    assert not reported("start", context()).failure


def test_what_stopped_is_passed_on_by_cluster_also_without_an_inventory() -> None:
    made = reported("run", context(**known(stop=STOP)))
    assert made.artifacts["pod_identity_stopped"] == {"production": STOP}


def test_a_fleet_is_a_table_and_the_reasons_of_those_that_stopped() -> None:
    hosts = {"prod": known(**HEALTHY), "dev": known(stop=STOP), "qa": {}}
    made = reported("run", context("prod", hosts), changes=True)
    assert made.lines[:3] == ["prod: changed nothing", "dev: changed nothing", "qa: changed nothing"]
    assert made.lines[3].startswith("CLUSTER")
    assert made.lines[-2:] == [
        "prod: 4 workloads (4 allowed); no finding; nothing to do",
        'dev stopped at "Read the cluster": No cluster.',
    ]
    assert made.artifacts["pod_identity_stopped"] == {"dev": STOP}
    assert about.tone(made.lines[-1]) == "bad"


def test_a_fleet_that_was_compared_is_a_table_of_drift() -> None:
    drift = reported("drift", context(), cluster=samples.CLUSTER, seen={}).known
    made = reported("run", context("prod", {"prod": known(**drift), "dev": known(stop=STOP)}))
    assert made.lines[0].split()[:3] == ["CLUSTER", "MISSING", "DIFFERENT"]


def test_what_is_wrong_is_pointed_at() -> None:
    broken = {"report": {"summary": samples.broken()["summary"]}}
    made = reported("run", context("prod", {"prod": known(**broken)}))
    assert made.lines[-1].endswith("what to do is said above")


@pytest.mark.parametrize("in_job", [True, False])
def test_an_answer_that_its_question_does_not_allow_fails_at_the_start(in_job: bool) -> None:
    question = {"question_name": "Region", "variable": "eks_region", "type": "text"}
    play = dataclasses.replace(context(), survey=Survey([question], {"eks_region": "virginia"}, in_job))
    subject = 'The answer to "Region" (eks_region)' if in_job else "eks_region"
    assert reported("start", play).failure.startswith(f"{subject} is 'virginia'. It has to be an AWS region")


def test_in_a_job_a_stop_names_the_question_beside_the_variable() -> None:
    question = {"question_name": "Region", "variable": "eks_region", "type": "text"}
    failed = {"msg": "The eks service requires a region and none was found in configuration"}
    job = dataclasses.replace(context(), survey=Survey([question], {}, in_job=True))
    for where, words in ((job, 'eks_region (the survey\'s question "Region")'), (context(), "eks_region")):
        told = reported("stop", where, failed_result=failed, failed_task="Read").known
        advice = f"Name the cluster's region in {words}."
        assert told["stop"]["message"].endswith(f"found in configuration. {advice}")
        end = reported("end", context(**known(**told)))
        assert end.failure == f'production stopped at "Read", for the reason above. {advice}'


def test_in_a_job_the_end_names_the_questions_of_the_variables_that_the_failed_task_named() -> None:
    questions = [
        {"question_name": "Region", "variable": "eks_region", "type": "text"},
        {"question_name": "Cluster", "variable": "eks_cluster_name", "type": "text"},
    ]
    job = dataclasses.replace(context(), survey=Survey(questions, {}, in_job=True))
    failed = {"msg": 'Set eks_cluster_name. The answer to "Region" (eks_region) is empty.'}
    told = reported("stop", job, failed_result=failed, failed_task="Read").known
    end = reported("end", context(**known(**told)))
    assert end.failure.endswith("""above. eks_cluster_name is the survey's question "Cluster".""")
    assert told["stop"].keys() == STOP.keys()


def test_the_end_of_a_cluster_of_a_fleet_repeats_nothing_that_the_run_has_said() -> None:
    hosts = {"prod": known(stop=STOP, advice="Renew them."), "dev": {}}
    assert reported("end", context("prod", hosts)).failure.endswith("for the reason above.")


TONES = {
    "ERROR stale_pods: Pods lack it": "bad",
    "WARNING sdk_too_old: Old": "warn",
    "  -> kubectl get pods": None,
    "lab: changed nothing": "good",
    "lab: would change nothing": "good",
    "lab: changed 4 things": "change",
    "lab: changed 4 things: created 2 roles; restarted 2 workloads": "change",
    "Each of these changes: in the report (pod_identity_report_dir), or with -v": None,
    "lab: would change 1 thing": "change",
    "  created role shop: trust policy": None,
    "lab: run it without --check to make these changes": "change",
    "lab: 2 workloads (2 allowed); no finding; nothing to do": "good",
    "lab: 2 workloads (1 allowed, 1 none); 1 error; what to do is said above": "bad",
    "lab: as declared": "good",
    "MISSING role shop": "bad",
    "EXTRA association shop/old": None,
    "lab: removed: role shop": "change",
    "lab: would be removed: role shop": "change",
    "lab: stays: role shop: it has no tag": None,
    "lab: would stop, with nothing removed: pods run": "bad",
    "lab: nothing is left that was made here": "good",
    'lab stopped at "Read the cluster": no': "bad",
}


@pytest.mark.parametrize("line", TONES)
def test_the_ends_of_all_runs_have_a_tone(line: str) -> None:
    assert about.tone(line) == TONES[line]
