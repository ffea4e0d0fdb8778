# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the service accounts of declared workloads, and return what the steps take."""

from __future__ import annotations

import typing as t

from .._core.plan import Refused
from .._kubernetes.api import connect
from .._kubernetes.pods import Owner
from .._workload import declaration
from .._workload.model import parse_workload
from .collect import observe_once
from .request import Asked, text_of

Item = t.Mapping[str, t.Any]

UNFIT = ("workload_missing", "default_service_account")
"""Findings that keep a workload from having a role."""


def declare(module: t.Any) -> dict[str, t.Any]:
    """What the steps take of the module's options, completed against the live cluster.

    ``Refused`` where a workload isn't fit to have a role, unless ``accept_unfit`` is set.
    """
    params = module.params
    declared = declaration.checked(params["workloads"])
    judged = _judged(module, declared)
    unfit = [why for item in declared for why in _why_unfit(item, judged)]
    if unfit and not params["accept_unfit"]:
        raise Refused(f"{'. '.join(why['message'] for why in unfit)}. Remedy: {unfit[0]['remedy']}")
    return {"unfit": unfit, **_steps(params, declared, judged)}


def _judged(module: t.Any, declared: t.Sequence[Item]) -> dict[Owner, Item]:
    """What was found of each workload, by the object that was named."""
    params = module.params
    workloads = tuple(parse_workload(item) for item in declared)
    if not workloads:
        return {}
    manifests = (text_of(params["manifests_file"]), params["manifests_namespace"])
    asked = Asked("", workloads, frozenset(), "declared", 0, 0, *manifests)
    rows = observe_once(module, asked, connect(params, asked.reading))["workloads"]
    return {Owner(row["kind"], row["namespace"], row["object"]): row for row in rows}


def _why_unfit(item: Item, judged: t.Mapping[Owner, Item]) -> t.Iterator[dict[str, t.Any]]:
    row = judged.get(declaration.owner(item))
    for finding in _whys(row)[:1] if row else ():
        yield {**finding, "role_name": item.get("role_name"), "role_arn": item.get("role_arn")}


def _whys(row: Item) -> list[Item]:
    return [finding for finding in row["findings"] if finding["code"] in UNFIT]


def _steps(params: Item, declared: t.Sequence[Item], judged: t.Mapping[Owner, Item]) -> dict[str, t.Any]:
    cluster, path = params["cluster"], params["path"] or "/"
    accounts = {owner: row["service_account"] for owner, row in judged.items() if row["service_account"]}
    fit = [item for item in declared if _is_fit(judged.get(declaration.owner(item)))]
    workloads = declaration.resolved(fit, accounts, cluster, path)
    return {
        "declared": fit,
        "workloads": declaration.resolved(declared, accounts, cluster, path),
        "expected": declaration.expected(fit, cluster, path),
        "roles": declaration.roles(workloads, cluster, params["trust"] or "account"),
        "associations": declaration.associations(workloads, params["association_tags"]),
    }


def _is_fit(row: Item | None) -> bool:
    return row is not None and not _whys(row)
