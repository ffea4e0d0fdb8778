# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run changed, or in check mode would change: read from what its tasks registered. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

from .identity import plain

Registers = t.Mapping[str, t.Any]
"""The variables of a cluster's host; the tasks of steps that did not run registered nothing."""
Item = t.Mapping[str, t.Any]
Change = dict[str, t.Any]

DONE = {"create": "created", "update": "updated", "delete": "deleted", "restart": "restarted"}
LOCAL = ("localhost", "127.0.0.1")
ADDON_ASPECTS = ("version", "configuration_values", "service_account_role_arn", "pod_identity_associations", "tags")
ASSOCIATION_ASPECTS = ("role_arn", "target_role_arn", "disable_session_tags", "policy", "tags")


def changes(seen: Registers) -> list[Change]:
    """Each change by step, kind, name and action; ``what`` says which aspects of it, where that is known."""
    steps = (_release, _agent, _roles, _policies, _associations, _restarts)
    return [plain(change) for step in steps for change in step(seen)]


def of_clusters(hosts: t.Mapping[str, Registers], names: t.Sequence[str]) -> dict[str, list[Change]]:
    """The changes of each host of ``names``, by its cluster: of the local host, the cluster's own name says more."""
    return {_cluster_name(name, hosts[name]): changes(hosts[name]) for name in names}


def _cluster_name(host: str, seen: Registers) -> str:
    read = result(result(seen, "eks_cluster_read"), "cluster").get("name") or seen.get("eks_cluster_name")
    return str(read or host) if host in LOCAL else host


def lines(by_cluster: t.Mapping[str, t.Sequence[Item]], foretold: bool = False) -> list[str]:
    """The changes as lines for a terminal, by cluster; ``foretold`` are those that check mode would make."""
    return [line for cluster, made in by_cluster.items() for line in _lines_of(cluster, made, foretold)]


def _lines_of(cluster: str, made: t.Sequence[Item], foretold: bool) -> t.Iterator[str]:
    verb = "would change" if foretold else "changed"
    number = f"{len(made)} thing{'' if len(made) == 1 else 's'}" if made else "nothing"
    yield f"{cluster}: {verb} {number}"
    for change in made:
        yield f"  {change['action'] if foretold else DONE[change['action']]} {described(change)}"


def described(item: Item) -> str:
    """Kind, name, and which aspects: "role shop-orders: trust policy"."""
    about = f": {', '.join(item['what'])}" if item["what"] else ""
    return f"{item['kind'].replace('_', ' ')} {item['name']}{about}"


def entry(step: str, kind: str, name: str, action: str, what: t.Iterable[str] = ()) -> Change:
    """One change."""
    return {"step": step, "kind": kind, "name": name, "action": action, "what": list(what)}


def result(seen: Registers, name: str) -> Item:
    """What a task registered as ``name``; {} where it did not run."""
    return seen.get(name) or {}


def results(seen: Registers, name: str) -> list[Item]:
    """The same of a task in a loop: an entry for each item."""
    return list(result(seen, name).get("results") or ())


def _release(seen: Registers) -> t.Iterator[Change]:
    if change := result(seen, "enbuild_release_change"):
        yield dict(change)


def release(found: Item | None, wanted: Item) -> Change:
    """What becomes of a release that was ``found`` (None or {} is none), for its name, chart_version and values."""
    action = "update" if found else "create"
    what = _release_aspects(found, wanted) if found else [f"chart {wanted['chart_version']}"]
    return dict(plain(entry("enbuild_release", "release", wanted["name"], action, what)))


def _release_aspects(found: Item, wanted: Item) -> t.Iterator[str]:
    chart, version = str(found.get("chart", "")), str(wanted["chart_version"])
    if not chart.endswith(f"-{version}"):
        yield f"chart {chart} -> {version}"
    yield from (f"value {path}" for path in differing(found.get("values") or {}, wanted["values"] or {}))


def differing(before: t.Any, after: t.Any, path: str = "") -> t.Iterator[str]:
    """Paths of the values that differ, in order; what they hold may be a secret."""
    old, new = ({} if each is None else each for each in (before, after))
    if isinstance(old, t.Mapping) and isinstance(new, t.Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from differing(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield path


def _agent(seen: Registers) -> t.Iterator[Change]:
    done = result(seen, "pod_identity_agent_applied")
    if not done.get("changed"):
        return
    before, after = done["diff"]["before"], done["diff"]["after"]
    step, kind, name = "pod_identity_agent", "addon", after["name"]
    if before:
        yield entry(step, kind, name, "update", aspects(before, after, ADDON_ASPECTS))
    else:
        yield entry(step, kind, name, "create", [f"version {after['version']}"])


def aspects(before: Item, after: Item, names: t.Iterable[str]) -> t.Iterator[str]:
    """Those of ``names`` that differ: values that are text with both, others by their paths."""
    for name in names:
        old, new = before.get(name), after.get(name)
        if old != new and isinstance(old or "", str) and isinstance(new or "", str):
            yield f"{name} {old or 'none'} -> {new or 'none'}"
        elif old != new:
            yield from differing(old, new, name)


def _roles(seen: Registers) -> t.Iterator[Change]:
    there, done = results(seen, "pod_identity_iam_there"), results(seen, "pod_identity_iam_applied")
    for before, after in zip(there, done, strict=False):
        if after.get("changed"):
            yield from _role(next(iter(before["iam_roles"]), None), after["item"])


def _role(found: Item | None, wanted: Item) -> t.Iterator[Change]:
    policies, name = wanted["managed_policies"] or (), wanted["role_name"]
    if found is None:
        yield entry("pod_identity_iam", "role", name, "create", policies)
        return
    missing = [arn for arn in policies if arn not in attached(found)]
    what = list(_role_aspects(found, wanted))
    if what or not missing:
        yield entry("pod_identity_iam", "role", name, "update", what)
    for arn in missing:
        yield managed(name, arn, "create")


def attached(role: Item) -> list[str]:
    """ARNs of the managed policies of a role that was found."""
    return [policy["policy_arn"] for policy in role.get("managed_policies") or ()]


def managed(role: str, arn: str, action: str) -> Change:
    """A change of a managed policy's attachment."""
    return entry("pod_identity_iam", "managed_policy", f"{role}/{arn.rsplit('/', 1)[-1]}", action, [arn])


def _role_aspects(found: Item, wanted: Item) -> t.Iterator[str]:
    if compare_policies(found["assume_role_policy_document"], wanted["trust_policy"]):
        yield "trust policy"
    boundary = (found.get("permissions_boundary") or {}).get("permissions_boundary_arn")
    tags = {key: (found.get("tags") or {}).get(key) for key in wanted["tags"] or ()}
    before = {"path": found["path"], "boundary": boundary, "tags": tags}
    yield from aspects(before, wanted, [name for name in before if wanted.get(name)])


def _policies(seen: Registers) -> t.Iterator[Change]:
    for done in results(seen, "pod_identity_iam_permitted"):
        if done.get("changed"):
            name = done["item"]["role_name"]  # its policy has the same
            there = name in (done.get("diff") or {}).get("before", {})
            yield entry("pod_identity_iam", "policy", f"{name}/{name}", "update" if there else "create")


def _associations(seen: Registers) -> t.Iterator[Change]:
    done = result(seen, "pod_identity_associations_applied")
    for row in done.get("associations") or ():
        if row["changed"]:
            name = f"{row['namespace']}/{row['service_account']}"
            before, after = done["diff"]["before"][name], row["association"]
            yield _association(name, before, after)


def _association(name: str, before: Item, after: Item) -> Change:
    step, kind = "pod_identity_associations", "association"
    if not before:
        return entry(step, kind, name, "create", [f"role_arn {after['role_arn']}"])
    return entry(step, kind, name, "update", aspects(before, after, ASSOCIATION_ASPECTS))


def _restarts(seen: Registers) -> t.Iterator[Change]:
    for each in seen.get("pod_identity_rollout_restarted") or ():
        name = f"{each['kind']} {each['namespace']}/{each['name']}"
        yield entry("pod_identity_rollout", "workload", name, "restart")
