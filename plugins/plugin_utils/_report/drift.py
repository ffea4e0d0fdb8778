# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: what a cluster has that isn't as declared. Pure.

Most of it is what the site's own steps would change, seen in check mode; the rest is what they leave alone.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ...module_utils._addon import plan as addon_plan
from ...module_utils._association.plan import describe_owner
from ...module_utils._core.table import aligned
from ...module_utils._core.tags import is_ours
from .changes import (
    ASSOCIATION_ASPECTS,
    Change,
    Item,
    Registers,
    aspects,
    attached,
    changes,
    described,
    entry,
    managed,
    result,
    results,
)
from .identity import CLUSTER_KEYS, plain

CLASSES = ("missing", "different", "extra", "owned_by_addon", "orphaned", "unhealthy")
"""What can be the matter with something, in the order of reports."""
FORETOLD = {"create": "missing", "update": "different"}
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
    "pod_refused": "unhealthy",
}
"""Findings that keep pods from the identity that is declared, and their class: a restart mends what is different."""
HALF_DONE = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")

Drift = dict[str, t.Any]


def drift(seen: Registers, cluster: Item, generated_at: str = "", extra: bool = True) -> Drift:
    """All that isn't as declared, from what the tasks of drift.yml registered for ``cluster``.

    With ``extra`` false, what is there beyond the declaration is listed, and doesn't count as drift.
    """
    items = sorted(_items(seen), key=lambda item: CLASSES.index(item["class"]))
    counts = Counter(item["class"] for item in items)
    explained = set(_explained(seen))
    stops = [stop for stop in seen.get("pod_identity_drift_stops") or () if stop["step"] not in explained]
    return {
        "cluster": {key: cluster.get(key) for key in CLUSTER_KEYS},
        "generated_at": generated_at,
        "drift": any(extra or item["class"] != "extra" for item in items),
        "counts": {each: counts[each] for each in CLASSES},
        "items": plain(items),
        "not_compared": plain(stops),
    }


def _items(seen: Registers) -> t.Iterator[Drift]:
    owned = {item["name"]: item for item in _owned(seen)}
    for change in changes(seen):
        if change["action"] in FORETOLD and not (change["kind"] == "association" and change["name"] in owned):
            yield _classed(FORETOLD[change["action"]], change)
    yield from owned.values()
    for part in (_release, _agent, _unfit, _policies, _associations, _injection):
        yield from part(seen)


def _classed(name: str, change: Change) -> Drift:
    return {"class": name, **{key: change[key] for key in ("step", "kind", "name", "what")}}


def _item(name: str, step: str, kind: str, of: str, what: t.Iterable[str]) -> Drift:
    return _classed(name, entry(step, kind, of, "", what))


def _explained(seen: Registers) -> t.Iterator[str]:
    """The steps whose stop says nothing that the items don't say."""
    if _status(seen).get("status") in HALF_DONE:
        yield "enbuild_release"
    if _addon_found(seen).get("status") in addon_plan.FAILED:
        yield "pod_identity_agent"
    if result(seen, "pod_identity_drift_workloads").get("unfit"):
        yield "pod_identity_workloads"


def _status(seen: Registers) -> Item:
    return result(seen, "enbuild_release_found").get("status") or {}


def _release(seen: Registers) -> t.Iterator[Drift]:
    found = _status(seen)
    if found and found["status"] != "deployed":
        name = f"{found['namespace']}/{found['name']}"
        state = f"{found['status']}, revision {found['revision']}"
        yield _item("unhealthy", "enbuild_release", "release", name, [state])


def _addon_found(seen: Registers) -> Item:
    """The agent's add-on as it was found; {} where there is none, and none is needed."""
    done = result(seen, "pod_identity_agent_applied")
    told: Item = next(iter(result(seen, "pod_identity_drift_agent").get("addons") or ()), {})
    return (done.get("diff") or {}).get("before") or told


def _agent(seen: Registers) -> t.Iterator[Drift]:
    found = _addon_found(seen)
    if found.get("status") in (*addon_plan.FAILED, "DEGRADED") or found.get("issues"):
        issues = [f"{issue['code']}: {issue['message']}" for issue in found["issues"]]
        yield _item("unhealthy", "pod_identity_agent", "addon", found["name"], [found["status"], *issues])


def _unfit(seen: Registers) -> t.Iterator[Drift]:
    for each in result(seen, "pod_identity_drift_workloads").get("unfit") or ():
        yield _item(UNFIT[each["code"]], "pod_identity_workloads", "workload", each["object"], [each["message"]])


def sort_out(declared: t.Sequence[Item], found: t.Sequence[Item]) -> dict[str, list[t.Any]]:
    """``declared`` workloads as ``fit``, and why the others aren't, as ``unfit``, judged by what was ``found`` of each.

    Where nothing was found, for the question failed, all are fit.
    """
    whys = [[why for why in seen["findings"] if why["code"] in UNFIT][:1] for seen in found]
    pairs = list(zip(declared, whys or [[]] * len(declared), strict=True))
    role = ("role_name", "role_arn")
    return {
        "fit": [plain(item) for item, why in pairs if not why],
        "unfit": [{**plain(why[0]), **{key: item.get(key) for key in role}} for item, why in pairs if why],
    }


def _policies(seen: Registers) -> t.Iterator[Drift]:
    """Policies that somebody else gave to a role that was made here: its pods may do more than is declared."""
    there, made = results(seen, "pod_identity_iam_there"), results(seen, "pod_identity_iam_applied")
    for before, after in zip(there, made, strict=False):
        for role in before.get("iam_roles") or ():
            if is_ours(role.get("tags") or {}):
                yield from _policies_of(role, after["item"])


def _policies_of(role: Item, declared: Item) -> t.Iterator[Drift]:
    name = declared["role_name"]
    for policy in role.get("inline_policies") or ():
        if not (policy == name and declared["policy"]):
            yield _item("extra", "pod_identity_iam", "policy", f"{name}/{policy}", ())
    for arn in attached(role):
        if arn not in declared["managed_policies"]:
            yield _classed("extra", managed(name, arn, ""))


def _rows(seen: Registers) -> list[Item]:
    """The declared associations, as they would be."""
    return list(result(seen, "pod_identity_associations_applied").get("associations") or ())


def _place(one: Item) -> str:
    return f"{one['namespace']}/{one['service_account']}"


def _owned(seen: Registers) -> t.Iterator[Drift]:
    """Declared associations that an add-on owns: what EKS makes of them follows the add-on."""
    before: Item = (result(seen, "pod_identity_associations_applied").get("diff") or {}).get("before") or {}
    for row in _rows(seen):
        after, name = row["association"], _place(row)
        if after.get("owner_arn"):
            differs = aspects(before.get(name, after), after, ASSOCIATION_ASPECTS)
            what = [describe_owner(after["owner_arn"]), *differs]
            yield _item("owned_by_addon", "pod_identity_associations", "association", name, what)


def _associations(seen: Registers) -> t.Iterator[Drift]:
    """Associations that nobody declared: ours wherever they are, others' in the namespaces that are declared."""
    rows, unfit = _rows(seen), result(seen, "pod_identity_drift_workloads").get("unfit") or ()
    orphans = result(seen, "pod_identity_drift_look").get("orphaned_associations") or ()
    spaces, declared = {row["namespace"] for row in rows}, {_place(row) for row in rows}
    for one in result(seen, "pod_identity_drift_associations").get("associations") or ():
        ours = is_ours(one["tags"])
        beyond = _place(one) not in declared and not one["owner_arn"] and not _is_of(one, unfit)
        if beyond and (ours or one["namespace"] in spaces):
            name = "orphaned" if one["association_id"] in orphans else "extra"
            what = [f"role_arn {one['role_arn']}", *([] if ours else ["not made by this collection"])]
            yield _item(name, "pod_identity_associations", "association", _place(one), what)


def _is_of(one: Item, unfit: t.Iterable[Item]) -> bool:
    """Whether the association may be that of a workload that is declared, and whose service account isn't known."""
    role = one["role_arn"]
    return any(role == each["role_arn"] or role.rsplit("/", 1)[-1] == each["role_name"] for each in unfit)


def _injection(seen: Registers) -> t.Iterator[Drift]:
    for workload in result(seen, "pod_identity_drift_look").get("workloads") or ():
        for finding in workload["findings"] if workload["role_arn"] else ():
            if finding["code"] in INJECTION:
                name = f"{workload['kind']} {workload['namespace']}/{workload['object']}"
                found = INJECTION[finding["code"]]
                yield _item(found, "pod_identity_rollout", "workload", name, [finding["message"]])


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
