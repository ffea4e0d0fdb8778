# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import identity as identity_report
from ansible_collections.enbuild.eks.tests.unit.plugins import report_samples as samples


def test_the_summary_counts_rungs_and_findings() -> None:
    summary = dict(samples.broken()["summary"])
    named = summary.pop("named")
    assert [line.split()[0] for line in named] == ["error"] * 3 + ["warning", "info"]
    assert named[1] == "error service_account_mismatch ServiceAccount enbuild/enbuild-enbuild-ctf"
    assert summary == {
        "workloads": 5,
        "without_identity": 0,
        "below_wanted": 3,
        "by_rung": {"none": 1, "declared": 1, "injected": 0, "issued": 1, "allowed": 2},
        "findings": {"error": 3, "warning": 1, "info": 1},
    }


def test_what_two_workloads_share_is_found_once() -> None:
    shared = samples.finding("association_missing", "error", "ServiceAccount shop/orders", "No association")
    made = identity_report.report(
        {
            "workloads": [samples.workload(name, findings=[dict(shared)]) for name in ("orders", "night")],
            "findings": [],
        },
        samples.CLUSTER,
    )
    assert identity_report.report_findings(made) == [shared]
    assert made["summary"]["findings"]["error"] == 1


@pytest.mark.parametrize(("severity", "count"), [("error", 3), ("warning", 4), ("info", 5)])
def test_findings_from_a_severity_on(severity: t.Any, count: t.Any) -> None:
    assert len(identity_report.as_severe(samples.broken(), severity)) == count


def test_the_json_is_the_data() -> None:
    made = samples.hostile()
    assert json.loads(identity_report.as_json(made)) == made


def test_the_terminal_has_the_counts_then_the_worst_with_its_remedy() -> None:
    lines = identity_report.summary_lines(samples.broken())
    assert lines[0] == "production: 5 workloads (2 allowed, 1 issued, 1 declared, 1 none); 3 errors, 1 warning, 1 info"
    assert lines[1].startswith("ERROR policy_denies_check: ") or lines[1].startswith("ERROR service_account_mismatch: ")
    assert next(line for line in lines if line.startswith(("WARNING", "INFO"))).startswith(
        "WARNING association_orphaned"
    )
    assert len(lines) == 1 + 2 * 5


def test_a_terminal_is_not_flooded() -> None:
    lines = identity_report.summary_lines(samples.large())
    assert len(lines) == 1 + 2 * identity_report.MOST_FINDINGS + 1
    assert lines[-1].startswith("and 7 more, in the report")


def test_a_healthy_cluster_is_one_line() -> None:
    assert identity_report.summary_lines(samples.healthy()) == ["production: 4 workloads (4 allowed); no finding"]


def test_why_the_answer_of_a_pod_is_not_known_is_one_line_below_the_findings() -> None:
    asked = {"agrees": None, "how": "", "message": f"Not in {samples.HOSTILE}.\nERROR: \x1b[31mpaste this"}
    names = [f"orders-{number}" for number in range(7)]
    silent = [samples.workload(name, pod_asked={**asked, "message": ""}) for name in ("feed", "web")]
    found = [samples.workload(name, "shop", pod_asked=asked) for name in names]
    made = identity_report.report({"workloads": [*silent, *found], "findings": []}, samples.CLUSTER)
    first, *rest = identity_report.summary_lines(made)[1:]
    assert first.startswith("Deployment shop/orders-0: the pod's own answer is not known: Not in ")
    assert first.endswith(".ERROR: [31mpaste this")
    assert len(rest) == 5
    assert rest[-1] == "and the answers of 2 workloads more, in the report (pod_identity_report_dir)"


def test_the_fleet_has_a_line_for_each_cluster() -> None:
    stopped = {"dev": {"task": "Read cluster dev", "message": "No cluster dev."}}
    head, first, second, third = identity_report.fleet_lines({"prod": samples.broken(), "dev": {}, "qa": {}}, stopped)
    assert head.split() == [
        "CLUSTER",
        "WORKLOADS",
        "ALLOWED",
        "ISSUED",
        "INJECTED",
        "DECLARED",
        "NONE",
        "ERRORS",
        "WARNINGS",
    ]
    assert first == "dev      stopped at Read cluster dev"
    assert second.split() == ["prod", "5", "2", "1", "0", "1", "1", "3", "1"]
    assert third == "qa       not looked at"


def test_a_remedy_of_several_lines_stays_one_block_that_can_be_pasted() -> None:
    found = [samples.finding("stale_pods", "warning", "Job shop/one", "Wrong", "kubectl one\nkubectl two")]
    lines = identity_report.summary_lines(identity_report.report({"workloads": [], "findings": found}, samples.CLUSTER))
    assert lines[-1] == "  -> kubectl one\n     kubectl two"
