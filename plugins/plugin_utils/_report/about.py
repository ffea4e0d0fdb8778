# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report says, by what it is about. Pure: no clock, no file."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ...module_utils._identity.verdict import SEVERITIES
from .._awx import answers
from . import changes, drift, identity, migration, run, stops, tags, teardown
from .model import Context, Item, Outcome, Results, Tone
from .page import page

DRIFT_KNOWN = ("counts", "not_compared")
"""What the table of a fleet reads of a cluster's drift."""


def start(_given: Item, context: Context) -> Outcome:
    """What was asked for and can't be done, before anything is."""
    survey = context.survey
    given = context.tags
    wrong = [tags.problem(given.unknown, given.there), tags.elsewhere_problem(given.elsewhere, given.there)]
    wrong += answers.problems(survey.questions, survey.given, survey.in_job)
    facts = {"pod_identity_idle": given.idle}
    return Outcome(failure=" ".join(filter(None, wrong)), returns={"ansible_facts": facts})


def stop(given: Item, context: Context) -> Outcome:
    """Why a cluster stopped, kept for the end of the run."""
    result = given["failed_result"]
    reason = stops.reason(result, given["failed_task"])
    message = _worded(reason["message"], context)
    known = {"stop": {**reason, "message": message}, "advice": _advice(result, context)}
    return Outcome(known=known, returns={"message": message})


def _advice(result: Item, context: Context) -> str:
    """What the failed task itself didn't say: what to do, and in a job of AWX the survey's questions."""
    advice = _worded(stops.advice(result), context)
    asked = answers.asked(stops.said(result), context.survey.questions) if context.survey.in_job else []
    return " ".join(filter(None, [advice, *asked]))


def verdict(given: Item, context: Context) -> Outcome:
    """What pods have: what pod_identity_workload_info found, as lines, a page, JSON and counts."""
    changed = changes.changes(changes.results_of(context.variables))
    made = identity.report(given["found"], given["cluster"], given["rung"] or "", context.now, changed)
    name = context.name(given["cluster"])
    html = page(made) if given["dir"] or given["artifact"] else ""
    pages = {"pod_identity_report_html": {name: html}} if given["artifact"] else {}
    severe = identity.as_severe(made, given["fail_from"]) if given["fail_from"] in SEVERITIES else []
    return Outcome(
        lines=_verdict_lines(given, context, made),
        artifacts={"pod_identity_report": {name: made["summary"]}, **pages},
        files={f"{name}.html": html, f"{name}.json": identity.as_json(made)},
        known={"report": {"summary": made["summary"]}},
        returns={"short": identity.shortfalls(made), "severe": severe},
    )


def _verdict_lines(given: Item, context: Context, made: Item) -> list[str]:
    """What was found; in check mode, where a real run would first change something, what it would find isn't known."""
    if context.check and changes.changes(changes.results_of(context.variables)):
        return ["Check mode has changed nothing, so it can't prove what the pods would have after the run."]
    return [*identity.plain(given["found"].get("ladder") or []), *identity.summary_lines(dict(made))]


def drifted(given: Item, context: Context) -> Outcome:
    """What isn't as declared: the results of the steps in check mode, and what else was looked at, as ``seen``."""
    results = changes.results_of(context.variables)
    stops = [_stopped(each) for each in given["seen"].get("stops") or ()]
    seen = {**given["seen"], "stops": stops, "others": given.get("others")}
    made = drift.drift(results, seen, given["cluster"], context.now, given["extra"])
    name = context.name(given["cluster"])
    return Outcome(
        lines=[*drift.lines(made), *_not_declared(results)],
        artifacts={"pod_identity_drift": {name: made}},
        files={f"{name}.drift.json": identity.as_json(made)},
        known={"drift": {key: made[key] for key in DRIFT_KNOWN}},
        returns={
            "drift": made["drift"],
            "not_compared": made["not_compared"],
            "brief": ". ".join(drift.lines(made, brief=True)),
        },
    )


def _not_declared(results: Results) -> list[str]:
    """What of the declaration wasn't compared, for it isn't there."""
    return list(results.get("enbuild_release", {}).get("notes") or ())


def _stopped(each: Item) -> Item:
    return {"step": each["step"], **stops.reason(each["failed_result"], each["failed_task"])}


def migrated(given: Item, context: Context) -> Outcome:
    """A migration's plan, where one was ``found``, and what was done of it."""
    made = changes.results_of(context.variables)[migration.STEP]
    lines = list((given["found"] or {}).get("lines") or ())
    return Outcome(lines=lines, artifacts=migration.artifacts(made, context.name(given["cluster"])))


def torn_down(given: Item, context: Context) -> Outcome:
    """What a teardown took away, and what stays."""
    results = changes.results_of(context.variables)
    made, name = teardown.summary(results), context.name(given["cluster"])
    lines = teardown.lines(made, given["cluster"]["name"], context.check, results[teardown.STEP]["obstacle"])
    return Outcome(lines=lines, artifacts={"pod_identity_teardown": {name: made}})


def whole_run(given: Item, context: Context) -> Outcome:
    """What the run changed, what holds and what to do, for all clusters; with ``changes``, what changed as well."""
    hosts = {host: context.known(variables) for host, variables in context.hosts.items()}
    stopped = {context.name_of(host): known["stop"] for host, known in hosts.items() if "stop" in known}
    made = changes.of_clusters(context.hosts, context.name_of) if given["changes"] else {}
    notes = _notes(context) if given["changes"] else []
    ends = run.lines(hosts, context.name_of, made, _way_out_of_check_mode(context) if context.check else "")
    return Outcome(
        lines=[*changes.lines(made, context.check), *notes, *ends],
        artifacts={**({"pod_identity_changes": made} if given["changes"] else {}), "pod_identity_stopped": stopped},
        returns={"changes": made} if given["changes"] else {},
    )


def _way_out_of_check_mode(context: Context) -> str:
    return "launch it with the job type Run" if context.survey.in_job else "run it without --check"


def _notes(context: Context) -> list[str]:
    results = {context.name_of(host): changes.results_of(variables) for host, variables in context.hosts.items()}
    return [f"{name}: {note}" for name, found in results.items() for note in changes.notes(found)]


def end(_given: Item, context: Context) -> Outcome:
    """The failure of a cluster that stopped; the task that failed says why, and of a fleet the lines of the run."""
    known = context.known(context.variables)
    if "stop" not in known:
        return Outcome()
    where = f'{context.name_of(context.host)} stopped at "{known["stop"]["task"]}", for the reason above.'
    return Outcome(failure=f"{where} {'' if len(context.hosts) > 1 else known.get('advice', '')}".strip())


ABOUT: t.Mapping[str, t.Callable[[Item, Context], Outcome]] = {
    "start": start,
    "stop": stop,
    "verdict": verdict,
    "drift": drifted,
    "migration": migrated,
    "teardown": torn_down,
    "run": whole_run,
    "end": end,
}


def report(about: str, given: Item, context: Context) -> Outcome:
    """Return the report ``about`` something; in a job of AWX, its lines name the survey's questions."""
    outcome = ABOUT[about](given, context)
    return dataclasses.replace(outcome, lines=[_worded(line, context) for line in outcome.lines])


def _worded(text: str, context: Context) -> str:
    return answers.with_questions(text, context.survey.questions) if context.survey.in_job else text


TONES: t.Mapping[re.Pattern[str], Tone] = {
    re.compile(r"(ERROR|MISSING|DIFFERENT|UNHEALTHY|NOT COMPARED) "): "bad",
    re.compile(r"WARNING "): "warn",
    re.compile(r'.* stopped at "|.*: would stop|.*; what to do is said above$'): "bad",
    re.compile(r".*(nothing to do|change nothing|changed nothing|as declared|left that was made here)$"): "good",
    re.compile(r".*: (would change|changed|would be removed:|removed:) |.* to make these changes$"): "change",
}
"""How lines read, by their words; the first pattern that fits counts."""


def tone(line: str) -> Tone | None:
    """How a line reads, for those who see colours."""
    return next((tone for pattern, tone in TONES.items() if pattern.match(line)), None)
