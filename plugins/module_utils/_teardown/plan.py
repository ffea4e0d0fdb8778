# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a teardown takes away, what stays and why, and what stands in its way. Pure."""

from __future__ import annotations

import typing as t

from .._association.plan import describe_owner
from .._core.tags import MANAGED_TAG
from .._core.text import shell_quoted
from .._iam.trust_policy import SERVICE
from .._workload.declaration import policy_arn

Item: t.TypeAlias = "t.Mapping[str, t.Any]"
Items: t.TypeAlias = "t.Sequence[t.Mapping[str, t.Any]]"

MOST_NAMED = 5
"""Things of a kind that a sentence names; the others it counts."""
DELETED = "delete_pod_identity_association"
FOREIGN = f"it was not made by enbuild.eks (no tag {MANAGED_TAG})"
BY_HAND = {
    "Deployment": "kubectl scale deployment/{name} --replicas=0 -n {namespace}",
    "StatefulSet": "kubectl scale statefulset/{name} --replicas=0 -n {namespace}",
    "DaemonSet": "kubectl delete daemonset {name} -n {namespace}",
    "Job": "kubectl delete job {name} -n {namespace}",
    "Pod": "kubectl delete pod {name} -n {namespace}",
    "ReplicaSet": "kubectl scale replicaset/{name} --replicas=0 -n {namespace}",
    "CronJob": 'kubectl patch cronjob {name} -n {namespace} -p \'{{"spec": {{"suspend": true}}}}\'',
}
"""How a workload ends, by its kind."""


def obstacle(seen: Item, release: str = "") -> str:
    """Why running pods forbid the teardown, and the way out; "" if none does.

    ``seen`` is what was read (``pods``, ``pods_unread``). ``release`` (``namespace/name``) is a Helm release that goes
    before all else.
    """
    if seen["pods_unread"]:
        return (
            f"It can't be told whether running pods hold credentials from what would go. {seen['pods_unread']}"
            " Or set pod_identity_teardown_force true: pods that do then lose them."
        )
    holders = [pod for pod in seen["pods"] if not (release and pod["release"] == release)]
    if not holders:
        return ""
    owners = dict.fromkeys(f"{pod['kind']} {pod['namespace']}/{pod['owner']}" for pod in holders)
    ways = dict.fromkeys(_way(pod) for pod in holders)
    return (
        f"Running pods hold credentials from associations that would go, or CronJobs make such pods: {_some(owners)}."
        f" End them first: {_some(ways, '; ')}. Or set pod_identity_teardown_force true: the pods then lose them, at"
        " once where their role goes too."
    )


def _way(pod: Item) -> str:
    if pod["release"]:
        namespace, name = pod["release"].split("/")
        command = f"helm uninstall {shell_quoted(name)} -n {shell_quoted(namespace)}"
        return f"{command} (pod_identity_teardown_release true does it for enbuild's)"
    return BY_HAND[pod["kind"]].format(name=shell_quoted(pod["owner"]), namespace=shell_quoted(pod["namespace"]))


def _some(things: t.Iterable[str], comma: str = ", ") -> str:
    named = list(things)
    rest = f"{comma}and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return comma.join(named[:MOST_NAMED]) + rest


def gone(seen: Item, removed: Item) -> set[str]:
    """ARNs of the associations of ``seen`` that enbuild.eks.pod_identity_associations ``removed``."""
    rows = removed.get("associations") or ()
    places = {_place(row) for row in rows if DELETED in row["changes"]}
    return {each["association_arn"] for each in (seen.get("associations") or ()) if _place(each) in places}


def _place(each: Item) -> tuple[str, str]:
    return each["namespace"], each["service_account"]


def roles(
    sights: t.Mapping[str, Item],
    removals: t.Mapping[str, Item],
    host: str,
    declared: Items,
    cluster: Item,
    altered: bool = False,
) -> list[dict[str, t.Any]]:
    """The roles that ``host`` is to see to: each with the ``reasons`` for which it stays, none for one that goes.

    ``sights`` and ``removals`` are, for each host of the play, what enbuild.eks.pod_identity_teardown_info and then
    enbuild.eks.pod_identity_associations returned. Of hosts that share a role, the first one deletes it. ``altered``
    says that roles go as well that somebody else altered.
    """
    wanted = {"declared": declared, "cluster": cluster, "altered": altered}
    ended = {arn for name, seen in sights.items() for arn in gone(seen, removals.get(name) or {})}
    mine = sights[host]
    first = _first_hosts(sights, removals)
    return [
        {**role, "reasons": _reasons(role, mine, ended, wanted)}
        for role in mine["roles"]
        if first.get(role["role_arn"], host) == host
    ]


def _first_hosts(sights: t.Mapping[str, Item], removals: t.Mapping[str, Item]) -> dict[str, str]:
    first: dict[str, str] = {}
    for name, removed in removals.items():
        for role in sights[name]["roles"] if removed and not removed.get("failed") else ():
            first.setdefault(role["role_arn"], name)
    return first


def _reasons(role: Item, seen: Item, ended: t.Collection[str], wanted: Item) -> list[str]:
    """Why ``role`` stays: it isn't ours, somebody uses it, that can't be known, or somebody else altered it."""
    if not role["ours"]:
        return [FOREIGN]
    if role["role_arn"] in {item.get("role_arn") for item in wanted["declared"]}:
        return ["it is declared by role_arn, as one that is made elsewhere"]
    users = [each for each in seen["users"] if _uses(each, role) and each["association_arn"] not in ended]
    found = [f"{_user(each)} uses it" for each in users]
    found += [f"whether {each['where']} uses it can't be read: {each['message']}" for each in seen["unread"]]
    altered = [] if wanted["altered"] else list(_altered(role, wanted))
    if altered:
        altered[-1] += "; pod_identity_teardown_altered_roles true takes it away all the same"
    return [*found, *altered]


def _uses(association: Item, role: Item) -> bool:
    return role["role_arn"] in (association["role_arn"], association["target_role_arn"])


def _user(each: Item) -> str:
    where = f"cluster {each['cluster_name']} in {each['region']}"
    owner = f" of {describe_owner(each['owner_arn'])}" if each["owner_arn"] else ""
    return f"the association of {each['namespace']}/{each['service_account']}{owner} in {where}"


def _altered(role: Item, wanted: Item) -> t.Iterator[str]:
    """What of the role is not as it was made here."""
    sharers = [item for item in wanted["declared"] if item.get("role_name") == role["role_name"]]
    ours = {policy_arn(name, wanted["cluster"]) for item in sharers for name in item.get("managed_policies") or ()}
    policies = [name for name in role["inline_policies"] if name != role["role_name"]]
    policies += [arn for arn in role["attached_policies"] if arn not in ours]
    if policies:
        yield f"somebody else gave it {_some(policies)}"
    if role["instance_profiles"]:
        yield f"EC2 uses it by instance profile {_some(role['instance_profiles'])}"
    if others := [name for name in role["principals"] if name != SERVICE]:
        yield f"its trust lets in {_some(others)}"


def agent_users(seen: Item, removed: Item) -> list[str]:
    """Service accounts that the agent still serves when the associations ``removed`` are gone."""
    ended = gone(seen, removed)
    left = [each for each in seen["associations"] if each["association_arn"] not in ended]
    return sorted("/".join(_place(each)) for each in left)


def report(seen: Item, done: Item) -> dict[str, list[t.Any]]:
    """What was taken away, or in check mode would be, and what stays, with the reasons.

    ``done`` has what the tasks registered (``release``, ``associations``, ``roles``, ``agent``), the ``release_name``,
    the ``planned`` roles and the ``agent_users``.
    """
    removed = [f"release {done['release_name']}"] if _changed(done["release"]) else []
    rows = done["associations"].get("associations") or ()
    removed += [f"association {'/'.join(_place(row))}" for row in rows if DELETED in row["changes"]]
    removed += [f"role {each['item']['role_name']}" for each in done["roles"].get("results") or () if _changed(each)]
    removed += ["add-on eks-pod-identity-agent"] if _changed(done["agent"]) else []
    foreign = [each for each in seen["associations"] if each["asked"] and not each["ours"]]
    kept = [_kept("association", "/".join(_place(each)), [_foreign(each)]) for each in foreign]
    kept += [_kept("role", role["role_name"], role["reasons"]) for role in done["planned"] if role["reasons"]]
    if done["agent_users"]:
        kept.append(_kept("add-on", "eks-pod-identity-agent", [f"it serves {_some(done['agent_users'])}"]))
    return {"removed": removed, "kept": kept}


def _changed(result: Item) -> bool:
    return bool(result.get("changed"))


def _kept(kind: str, name: str, reasons: list[str]) -> dict[str, t.Any]:
    return {"kind": kind, "name": name, "reasons": list(reasons)}


def _foreign(each: Item) -> str:
    return f"{describe_owner(each['owner_arn'])} owns it" if each["owner_arn"] else FOREIGN


def lines(made: Item, cluster: str, predicted: bool = False, stops: str = "") -> list[str]:
    """A report as lines for a terminal; ``predicted`` is check mode, and ``stops`` what would stop the run."""
    words = ("would be removed", "would stay") if predicted else ("removed", "stays")
    told = [f"{words[0]}: {thing}" for thing in made["removed"]]
    told += [f"{words[1]}: {each['kind']} {each['name']}: {'; '.join(each['reasons'])}" for each in made["kept"]]
    if stops:
        told.insert(0, f"would stop, with nothing removed: {stops}")
    return [f"{cluster}: {line}" for line in told or ["nothing is left that was made here"]]
