# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on one cluster: its data, and its summary for a terminal. Pure: no clock, no file."""

from __future__ import annotations

import json
import typing as t
from collections import Counter

from ...module_utils._core.table import aligned
from ...module_utils._core.text import MOST_NAMED, clean
from ...module_utils._identity.ladder import RUNGS
from ...module_utils._identity.verdict import SEVERITIES, below, involved

Item = t.Mapping[str, t.Any]
Report = dict[str, t.Any]

MOST_FINDINGS = 15
"""Findings that a terminal and a summary name; the report has them all."""
LONGEST_ANSWER = 500
"""Characters of a terminal's line about a pod's own answer: it may quote the API server, or whoever wrote the pod."""
CLUSTER_KEYS = ("name", "arn", "region", "account_id", "version")


def report(
    found: Item, cluster: Item, wanted: str = "", generated_at: str = "", changes: t.Sequence[Item] = ()
) -> Report:
    """The report's data from what enbuild.eks.pod_identity_workload_info returned as ``found``, of ``cluster``.

    ``wanted`` is the rung that was asked for, "" for as high as permissions allow; ``generated_at`` an ISO time;
    ``changes`` are what the run changed in the cluster so far, or in check mode would change.
    """
    workloads = [plain(item) for item in found["workloads"]]
    made = {
        "cluster": {key: cluster.get(key) for key in CLUSTER_KEYS},
        "generated_at": generated_at,
        "wanted_rung": wanted,
        "summary": {},
        "workloads": sorted(workloads, key=lambda item: (item["namespace"], item["object"], item["kind"])),
        "findings": plain(found["findings"]),
        "changes": plain(changes),
    }
    return {**made, "summary": _summary(made)}


def plain(value: t.Any) -> t.Any:
    """``value`` in Python's own types alone: what Ansible hands to filters are lazy containers and tagged strings."""
    if isinstance(value, t.Mapping):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _summary(made: Report) -> dict[str, t.Any]:
    concerned = [item for item in made["workloads"] if involved(item)]
    rungs = Counter(item["rung"] for item in concerned)
    severities = Counter(finding["severity"] for finding in report_findings(made))
    return {
        "workloads": len(made["workloads"]),
        "without_identity": len(made["workloads"]) - len(concerned),
        "below_wanted": len(below(made["workloads"], made["wanted_rung"])),
        "by_rung": {rung: rungs[rung] for rung in RUNGS},
        "findings": {severity: severities[severity] for severity in SEVERITIES},
        "named": [
            f"{finding['severity']} {finding['code']} {finding['object']}"
            for finding in report_findings(made)[:MOST_FINDINGS]
        ],
    }


def as_json(made: Report) -> str:
    """The report's data as JSON text, for programs."""
    return json.dumps(plain(made), indent=2, ensure_ascii=False) + "\n"


def report_findings(made: Report) -> list[dict[str, t.Any]]:
    """All findings of a report, the most severe first, each once; those of the cluster before its workloads'."""
    every = [*made["findings"], *(finding for item in made["workloads"] for finding in item["findings"])]
    once = {json.dumps(finding, sort_keys=True): finding for finding in every}
    return sorted(once.values(), key=lambda finding: SEVERITIES.index(finding["severity"]))


def as_severe(made: Report, severity: str) -> list[dict[str, t.Any]]:
    """The findings of a report that are ``severity`` or worse."""
    worst = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return [finding for finding in report_findings(made) if finding["severity"] in worst]


def shortfalls(made: Report) -> list[str]:
    """The workloads that fall short, each with the codes of what is wrong, or what stopped it."""
    return [f"{item['name']} ({_wrong(item)})" for item in below(made["workloads"], made["wanted_rung"])]


def _wrong(item: Item) -> str:
    codes = [finding["code"] for finding in item["findings"] if finding["severity"] != "info"]
    return ", ".join(codes) or str(item["stopped_by"])


def summary_lines(made: Report) -> list[str]:
    """A report as some lines for a terminal: the counts, then what is wrong and what to do, the worst first."""
    lines = [f"{made['cluster']['name']}: {counts(made['summary'])}"]
    listed = report_findings(made)
    for finding in listed[:MOST_FINDINGS]:
        lines.append(f"{finding['severity'].upper()} {finding['code']}: {finding['message']}")
        lines.append("  -> " + finding["remedy"].replace("\n", "\n     "))
    if len(listed) > MOST_FINDINGS:
        lines.append(f"and {len(listed) - MOST_FINDINGS} more, in the report (pod_identity_report_dir)")
    return [*lines, *_unknown_answers(made)]


def _unknown_answers(made: Report) -> list[str]:
    """Why what pods say of their credentials isn't known, a line for each workload; no finding says that."""
    lines = [_unknown_answer(item, item["pod_asked"]["message"]) for item in made["workloads"] if _unanswered(item)]
    rest = f"and the answers of {number(len(lines) - MOST_NAMED, 'workload')} more, in the report"
    return lines if len(lines) <= MOST_NAMED else [*lines[:MOST_NAMED], f"{rest} (pod_identity_report_dir)"]


def _unanswered(item: Item) -> bool:
    asked = item.get("pod_asked") or {}
    return asked.get("agrees") is None and bool(asked.get("message"))


def _unknown_answer(item: Item, why: str) -> str:
    place = f"{item['kind']} {item['namespace']}/{item['object']}"
    return clean(f"{place}: the pod's own answer is not known: {why}", LONGEST_ANSWER)


def counts(summary: Item) -> str:
    """The counts of a report in a line: "3 workloads (2 allowed, 1 none); 1 error"."""
    rungs = [f"{summary['by_rung'][rung]} {rung}" for rung in reversed(RUNGS) if summary["by_rung"][rung]]
    rungs += [f"{summary['without_identity']} without identity"] if summary["without_identity"] else []
    wrong = [number(count, severity) for severity, count in summary["findings"].items() if count]
    return f"{number(summary['workloads'], 'workload')} ({', '.join(rungs) or '-'}); {', '.join(wrong) or 'no finding'}"


def number(count: int, thing: str) -> str:
    """The count with its noun: "2 policies"."""
    if count == 1 or thing == "info":
        return f"{count} {thing}"
    return f"{count} {thing.removesuffix('y')}ies" if thing.endswith("y") else f"{count} {thing}s"


def fleet_lines(reports: t.Mapping[str, Item], stopped: t.Mapping[str, Item]) -> list[str]:
    """A table with a line for each cluster, by its host's name.

    An empty report is that of a cluster that was not looked at; a stop is what ``_stops.reason`` made of a failure.
    """
    head = ("CLUSTER", "WORKLOADS", *(rung.upper() for rung in reversed(RUNGS)), "ERRORS", "WARNINGS")
    names = sorted(reports)
    return aligned([head, *(_fleet_row(name, reports[name], stopped.get(name)) for name in names)])


def _fleet_row(name: str, made: Item, stop: Item | None) -> tuple[str, ...]:
    if not made:
        return (name, f"stopped at {stop['task']}" if stop else "not looked at")
    summary = made["summary"]
    rungs = [str(summary["by_rung"][rung]) for rung in reversed(RUNGS)]
    wrong = [str(summary["findings"][severity]) for severity in ("error", "warning")]
    return (name, str(summary["workloads"]), *rungs, *wrong)
