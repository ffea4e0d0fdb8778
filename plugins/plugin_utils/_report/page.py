# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on one cluster as a page of HTML that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import itertools
import typing as t
from pathlib import Path

import jinja2

from ...module_utils._identity.ladder import RUNGS
from ...module_utils._identity.verdict import involved
from .changes import described
from .identity import Report, number, plain, report_findings

Item = t.Mapping[str, t.Any]

FOLDER = Path(__file__).parent / "assets"
MOST_PODS = 10
"""Pods of a workload that are listed by name, those without credentials first; the JSON has them all."""
COMMANDS = ("aws", "kubectl")
"""First words of remedies that are commands. All others are sentences, which nobody pastes."""
MOST_IN_GROUP = 5
"""Findings of one code that show before the reader asks for more."""

# What the page says of a workload that lacks them.
NO_ASSOCIATION = {"association_id": "", "role_arn": "", "target_role_arn": None, "owner_arn": None}
NO_ROLE: dict[str, t.Any] = {"trust_problem": "", "policies": []}
NO_ISSUE = {"how": "", "assumed_role_arn": ""}


def page(report: Item) -> str:
    """The report's data, as _report.report() makes it, as HTML. Whatever names it holds are escaped."""
    made: Report = plain(report)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=made,
            ladder=RUNGS,
            verdict=_verdict(made["summary"]),
            groups=_groups(made),
            changes=[f"{change['action']} {described(change)}" for change in made["changes"]],
            namespaces=_namespaces(made["workloads"]),
            most_in_group=MOST_IN_GROUP,
            style_hash=_hash("report.css"),
            script_hash=_hash("report.js"),
        )
    )


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.tests["command"] = _is_command
    return made


def _is_command(remedy: str) -> bool:
    return remedy.partition(" ")[0] in COMMANDS


def _hash(name: str) -> str:
    """What a Content-Security-Policy calls a script or a style: the browser takes these and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256((FOLDER / name).read_bytes()).digest()).decode()


def _verdict(summary: Item) -> dict[str, str]:
    below, errors, warnings = summary["below_wanted"], summary["findings"]["error"], summary["findings"]["warning"]
    if not summary["workloads"]:
        return {"tone": "unknown", "text": "No workload was looked at."}
    if below or errors:
        return {"tone": "bad", "text": _bad_news(below, summary["workloads"], errors)}
    tail = f" {number(warnings, 'warning')} below." if warnings else ""
    return {"tone": "good", "text": f"Every workload holds as far as was asked for.{tail}"}


def _bad_news(below: int, workloads: int, errors: int) -> str:
    parts = [f"{below} of {number(workloads, 'workload')} fall short"] if below else []
    parts += [number(errors, "error")] if errors else []
    return ", ".join(parts) + "."


def _groups(report: Report) -> list[dict[str, t.Any]]:
    """Findings by code, the most severe first, then the most frequent."""
    rows = {_identity(finding): _anchor(number) for number, finding in _numbered(report["workloads"])}
    by_code: dict[str, list[dict[str, t.Any]]] = {}
    for finding in report_findings(report):
        by_code.setdefault(finding["code"], []).append({**finding, "row": rows.get(_identity(finding))})
    groups = [{"code": code, "severity": items[0]["severity"], "items": items} for code, items in by_code.items()]
    order = ("error", "warning", "info")
    return sorted(groups, key=lambda group: (order.index(group["severity"]), -len(group["items"])))


def _numbered(workloads: t.Sequence[Item]) -> t.Iterator[tuple[int, Item]]:
    return ((number, finding) for number, item in enumerate(workloads) for finding in item["findings"])


def _identity(finding: Item) -> tuple[str, str, str]:
    return finding["code"], finding["object"], finding["message"]


def _anchor(number: int) -> str:
    """ID of a workload's row; never a name, for names are anybody's."""
    return f"workload-{number}"


def _namespaces(workloads: t.Sequence[Item]) -> list[dict[str, t.Any]]:
    rows = [_row(number, item) for number, item in enumerate(workloads)]
    grouped = itertools.groupby(rows, key=lambda row: row["item"]["namespace"])
    return [{"name": name, "rows": list(members)} for name, members in grouped]


def _row(number: int, item: Item) -> dict[str, t.Any]:
    association = {**NO_ASSOCIATION, **(item["association"] or {})}
    role = {**NO_ROLE, **(item["role"] or {})}
    arn = association["role_arn"] or item["role_arn"] or ""
    pods = sorted(item["pods"], key=lambda pod: pod["injected"])
    return {
        "id": _anchor(number),
        "item": item,
        "rungs": item["rungs"] if involved(item) else dict.fromkeys(RUNGS[1:]),
        "involved": involved(item),
        "association": association,
        "role": role,
        "role_name": arn.rsplit("/", 1)[-1],
        "policies": [policy.rsplit("/", 1)[-1] for policy in role["policies"] or ()],
        "issued": {**NO_ISSUE, **(item["issued"] or {})},
        "checks": item["allowed"],
        "stopped_by": item["stopped_by"],
        "pods": pods[:MOST_PODS],
        "more_pods": len(pods) - len(pods[:MOST_PODS]),
    }
