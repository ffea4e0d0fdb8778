# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a teardown takes away, what stays and why, and what stands in its way. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._association.plan import describe_owner
from .._core.tags import MANAGED_TAG
from .._core.text import shell_quoted, some
from .._iam.trust_policy import SERVICE
from .._workload.declaration import policy_arn

Item: t.TypeAlias = "t.Mapping[str, t.Any]"
Items: t.TypeAlias = "t.Sequence[t.Mapping[str, t.Any]]"

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


def obstacle(pods: Items, pods_unread: str = "", release: str = "") -> str:
    """Why running ``pods`` forbid the teardown, or that they can't be read, and the way out; "" if none does.

    ``release`` (``namespace/name``) is a Helm release that goes before all else.
    """
    holders = [pod for pod in pods if not (release and pod["release"] == release)]
    if pods_unread:
        return (
            f"It can't be told whether running pods hold credentials from what would go. {pods_unread}"
            " Or set pod_identity_teardown_force true: pods that do then lose them."
        )
    return _held(holders) if holders else ""


def _held(holders: Items) -> str:
    owners = dict.fromkeys(f"{pod['kind']} {pod['namespace']}/{pod['owner']}" for pod in holders)
    ways = dict.fromkeys(_way(pod) for pod in holders)
    return (
        f"Running pods hold credentials from associations that would go, or CronJobs make such pods: {some(owners)}."
        f" End them first: {some(ways, '; ')}. Or set pod_identity_teardown_force true: the pods then lose them, at"
        " once where their role goes too."
    )


def _way(pod: Item) -> str:
    if pod["release"]:
        namespace, name = pod["release"].split("/")
        command = f"helm uninstall {shell_quoted(name)} -n {shell_quoted(namespace)}"
        return f"{command} (pod_identity_teardown_release true does it for enbuild's)"
    return BY_HAND[pod["kind"]].format(name=shell_quoted(pod["owner"]), namespace=shell_quoted(pod["namespace"]))


@dataclass(frozen=True)
class Desired:
    """What a teardown is asked for, beside the namespaces and roles."""

    declared: Items = ()
    """The declared workloads: what their roles were made with is not somebody else's doing."""
    partition: str = "aws"
    ended: frozenset[str] = frozenset()
    """ARNs of associations that are gone, or in check mode would be, in whatever cluster."""
    altered: bool = False
    """Whether roles go as well that somebody else altered."""


def reasons(role: Item, users: Items, unread: Items, desired: Desired) -> list[str]:
    """Why ``role`` stays, none where it goes.

    It stays if it isn't ours, if one of ``users`` (associations) uses it, if that can't be known of the ``unread``
    clusters, or if somebody else altered it.
    """
    if not role["ours"]:
        return [FOREIGN]
    if role["role_arn"] in {item.get("role_arn") for item in desired.declared}:
        return ["it is declared by role_arn, as one that is made elsewhere"]
    found = [f"{_user(each)} uses it" for each in users if _uses(each, role, desired.ended)]
    found += [f"whether {each['where']} uses it can't be read: {each['message']}" for each in unread]
    altered = [] if desired.altered else list(_altered(role, desired))
    if altered:
        altered[-1] += "; pod_identity_teardown_altered_roles true deletes it anyway"
    return [*found, *altered]


def _uses(association: Item, role: Item, ended: t.Collection[str]) -> bool:
    if association["association_arn"] in ended:
        return False
    return role["role_arn"] in (association["role_arn"], association["target_role_arn"])


def _user(each: Item) -> str:
    where = f"cluster {each['cluster_name']} in {each['region']}"
    owner = f" of {describe_owner(each['owner_arn'])}" if each["owner_arn"] else ""
    return f"the association of {each['namespace']}/{each['service_account']}{owner} in {where}"


def _altered(role: Item, desired: Desired) -> t.Iterator[str]:
    """What of the role is not as it was made here."""
    sharers = [item for item in desired.declared if item.get("role_name") == role["role_name"]]
    ours = {
        policy_arn(name, {"partition": desired.partition})
        for item in sharers
        for name in item.get("managed_policies") or ()
    }
    policies = [name for name in role["inline_policies"] if name != role["role_name"]]
    policies += [arn for arn in role["attached_policies"] if arn not in ours]
    if policies:
        yield f"somebody else gave it {some(policies)}"
    if role["instance_profiles"]:
        yield f"EC2 uses it by instance profile {some(role['instance_profiles'])}"
    if others := [name for name in role["principals"] if name != SERVICE]:
        yield f"its trust lets in {some(others)}"


def agent_users(associations: Items, ended: t.Collection[str]) -> list[str]:
    """Service accounts that the agent still serves when the associations ``ended`` (ARNs) are gone."""
    left = [each for each in associations if each["association_arn"] not in ended]
    return sorted(f"{each['namespace']}/{each['service_account']}" for each in left)
