# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: what a cluster has that isn't as declared. Pure.

Most of it is what the site's own steps would change, seen in check mode; the rest is what they leave alone.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ...module_utils._core.table import aligned
from ...module_utils._core.tags import is_ours
from .changes import changes, described
from .identity import CLUSTER_KEYS, plain
from .model import Drift, Item, Results, place
from .steps import classed, drift_item

CLASSES = ("missing", "different", "extra", "owned_by_addon", "orphaned", "unhealthy")
"""What can be the matter with something, in the order of reports."""
PREDICTED = {"create": "missing", "update": "different"}
"""The class of what a step would change."""
UNFIT = {"workload_missing": "missing", "default_service_account": "different"}
"""Findings that keep a workload from being declared at all, and their class."""
INJECTION = {
    "service_account_missing": "missing",
    "stale_pods": "different",
    "former_role": "different",
    "skip_label": "unhealthy",
    "container_variables": "unhealthy",
    "webhook_cold": "unhealthy",
    "webhook_missing": "unhealthy",
    "pod_refused": "unhealthy",
}
"""Findings that keep pods from the identity that is declared, and their class: a restart mends what is different."""


OTHERS = "in a namespace with a declared workload, and not made by this collection"
"""Why an association of somebody else is listed."""


def drift(results: Results, seen: Item, cluster: Item, generated_at: str = "", extra: bool = True) -> Drift:
    """All that isn't as declared, from the ``results`` of the steps in check mode for ``cluster``.

    ``seen`` is what else was looked at, each where it was: ``stops`` of steps, ``unfit`` workloads, the cluster's
    ``associations`` and those that are ``declared``, ``workloads``, and the IDs of ``orphans`` among the associations.
    With ``others`` in it, associations of others count that nobody declared, in the namespaces of declared ones.
    With ``extra`` false, what is there beyond the declaration is listed, and doesn't count as drift.
    """
    items = sorted(_items(results, seen), key=lambda item: CLASSES.index(item["class"]))
    counts = Counter(item["class"] for item in items)
    explained = set(_explained(results, seen))
    stops = [stop for stop in seen.get("stops") or () if stop["step"] not in explained]
    return {
        "cluster": {key: cluster.get(key) for key in CLUSTER_KEYS},
        "generated_at": generated_at,
        "drift": any(extra or item["class"] != "extra" for item in items),
        "counts": {each: counts[each] for each in CLASSES},
        "items": plain(items),
        "not_compared": plain(stops),
    }


def _items(results: Results, seen: Item) -> t.Iterator[Drift]:
    left = [{"step": step, **item} for step, result in results.items() for item in result["drift"]]
    owned = {(item["kind"], item["name"]) for item in left if item["class"] == "owned_by_addon"}
    for change in changes(results):
        if change["action"] in PREDICTED and (change["kind"], change["name"]) not in owned:
            yield classed(PREDICTED[change["action"]], change)
    yield from _unfit(seen)
    yield from left
    yield from _associations(seen)
    yield from _injection(seen)


def _explained(results: Results, seen: Item) -> t.Iterator[str]:
    """The steps whose stop says nothing that the items don't say."""
    yield from (step for step, result in results.items() if result.get("explains_stop"))
    if seen.get("unfit"):
        yield "pod_identity_workloads"


def _unfit(seen: Item) -> t.Iterator[Drift]:
    for each in seen.get("unfit") or ():
        yield drift_item(UNFIT[each["code"]], "pod_identity_workloads", "workload", each["object"], [each["message"]])


def _associations(seen: Item) -> t.Iterator[Drift]:
    """Associations that nobody declared: ours wherever they are; if asked for, others' beside a declared one."""
    unfit, orphans = seen.get("unfit") or (), seen.get("orphans") or ()
    spaces = {one["namespace"] for one in seen.get("declared") or ()}
    declared = {place(one) for one in seen.get("declared") or ()}
    for one in seen.get("associations") or ():
        ours = is_ours(one["tags"])
        beyond = place(one) not in declared and not one["owner_arn"] and not _is_of(one, unfit)
        if beyond and (ours or (seen.get("others") and one["namespace"] in spaces)):
            name = "orphaned" if one["association_id"] in orphans else "extra"
            what = [f"role_arn {one['role_arn']}", *([] if ours else [OTHERS])]
            yield drift_item(name, "pod_identity_associations", "association", place(one), what)


def _is_of(one: Item, unfit: t.Iterable[Item]) -> bool:
    """Whether the association may be that of a workload that is declared, and whose service account isn't known."""
    role = one["role_arn"]
    return any(role == each["role_arn"] or role.rsplit("/", 1)[-1] == each["role_name"] for each in unfit)


def _injection(seen: Item) -> t.Iterator[Drift]:
    for workload in seen.get("workloads") or ():
        for finding in workload["findings"] if workload["role_arn"] else ():
            if finding["code"] in INJECTION:
                name = f"{workload['kind']} {workload['namespace']}/{workload['object']}"
                found = INJECTION[finding["code"]]
                yield drift_item(found, "pod_identity_rollout", "workload", name, [finding["message"]])


def lines(made: Drift, brief: bool = False) -> list[str]:
    """A cluster's drift as lines for a terminal; ``brief`` counts the items instead of naming them."""
    head = f"{made['cluster']['name']}: {_counts(made) or 'as declared'}"
    items = [] if brief else [f"{_word(item['class']).upper()} {described(item)}" for item in made["items"]]
    return [head, *items, *(f"NOT COMPARED {stop['step']}: {stop['message']}" for stop in made["not_compared"])]


def _counts(made: Drift) -> str:
    told = [f"{number} {_word(name)}" for name, number in made["counts"].items() if number]
    return ", ".join([*told, *([f"{len(made['not_compared'])} not compared"] if made["not_compared"] else [])])


def _word(name: str) -> str:
    return {"owned_by_addon": "owned by an add-on"}.get(name, name)


def fleet_lines(made: t.Mapping[str, Drift], stopped: t.Mapping[str, Item]) -> list[str]:
    """A table with a line for each cluster, by its host's name; a stop is what ``_stops.reason`` made of a failure."""
    head = ("CLUSTER", *(_word(name).upper() for name in CLASSES), "NOT COMPARED")
    return aligned([head, *(_fleet_row(name, made[name], stopped.get(name)) for name in sorted(made))])


def _fleet_row(name: str, made: Drift, stop: Item | None) -> tuple[str, ...]:
    if not made:
        return (name, f"stopped at {stop['task']}: {stop['message']}" if stop else "not compared")
    return (name, *(str(made["counts"][each]) for each in CLASSES), str(len(made["not_compared"])))
