# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what a migration to Pod Identity starts from: service accounts, their workloads, associations and roles."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import replace

from .._association.api import EksAssociations
from .._cluster.api import read_cluster
from .._core.aws import aws_client
from .._core.parallel import spread
from .._core.plan import Refused
from .._core.validate import Place, role_arn
from .._iam.roles_api import IamRoles
from .._identity.associations import read_bindings
from .._identity.request import WHOLE
from .._kubernetes.api import Kubernetes, connect
from .._kubernetes.pods import Object, Owner, Pod, service_account_of
from .._workload.find import living
from .forecast import readable
from .model import Account, Desired, Running, Scope, Target, is_concerned
from .plan import plans, roles_of
from .readers import KINDS, readers

CONCURRENCY = 8
ENDED = ("Succeeded", "Failed")
"""Phases of pods that will never ask for credentials again."""


def read_accounts(module: t.Any) -> list[dict[str, t.Any]]:
    """A row for each service account that is to be migrated, or was."""
    params = module.params
    cluster = read_cluster(module, params["cluster_name"])
    desired = _desired(cluster, params)
    scope = _scope(params)
    accounts = _accounts(connect(params, scope.namespaces), scope, _declared(params["workloads"]))
    accounts = _bound(module, accounts, scope.namespaces)
    return plans(_with_roles(module, accounts, desired), desired)


def _desired(cluster: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> Desired:
    return Desired(
        cluster,
        params["scope"],
        _targets(params["targets"]),
        params["trust_size"],
        params["host_network"],
        params["session_tags"],
        tuple(params["unproven"]),
    )


def _targets(given: t.Mapping[str, t.Any]) -> dict[str, Target]:
    """How roles of other accounts are reached; ``Refused`` for what is no role."""
    return {role_arn("targets", far): _target(f"targets[{far}]", near) for far, near in given.items()}


def _target(option: str, near: t.Any) -> Target:
    named = near if isinstance(near, dict) else {"role_arn": near}
    accounts = named.get("service_accounts") or ()
    if set(named) - {"role_arn", "service_accounts"} or isinstance(accounts, str):
        raise Refused(f"{option} takes role_arn, and service_accounts as a list of NAMESPACE/NAME.")
    return Target(role_arn(f"{option}.role_arn", named.get("role_arn")), tuple(map(str, accounts)))


def _scope(params: t.Mapping[str, t.Any]) -> Scope:
    named = params["namespaces"]
    spaces = None if WHOLE in named else frozenset(named)
    return Scope(spaces, tuple(params["include"]), tuple(params["exclude"]))


def _declared(workloads: t.Iterable[t.Mapping[str, t.Any]]) -> dict[Place, tuple[t.Mapping[str, t.Any], ...]]:
    """Completed declarations by service account; those of workloads that aren't there have none."""
    found: dict[Place, list[t.Mapping[str, t.Any]]] = defaultdict(list)
    for item in workloads:
        if item.get("service_account"):
            found[(item["namespace"], item["service_account"])].append(item)
    return {place: tuple(items) for place, items in found.items()}


def _accounts(kubernetes: Kubernetes, scope: Scope, declared: t.Mapping[Place, t.Any]) -> list[Account]:
    """The service accounts that are concerned, in the order of their names, with all that runs under them."""
    objects = {_place(each): each for each in kubernetes.objects("serviceaccounts")}
    concerned = {place for place, item in objects.items() if is_concerned(item)} | set(declared)
    workloads, (pods, raw_pods) = _workloads(kubernetes), _pods(kubernetes)
    known, unread = _readers(kubernetes, workloads, raw_pods) if concerned else ({}, ())
    return [
        Account(
            place[0],
            place[1],
            objects.get(place, {}),
            declared=declared.get(place, ()),
            workloads=tuple(workloads[place]),
            pods=tuple(pods[place]),
            raw_pods=tuple(raw_pods[place]),
            readers=(*known.get(place, ()), *unread),
        )
        for place in sorted(concerned)
        if scope.has(place)
    ]


def _place(item: Object) -> Place:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _pods(kubernetes: Kubernetes) -> tuple[dict[Place, list[Pod]], dict[Place, list[Object]]]:
    """Running pods, and as the API gives them all that haven't ended, by service account."""
    pods, raw_pods = defaultdict(list), defaultdict(list)
    everything = kubernetes.objects("pods")
    for pod in kubernetes.running():
        pods[(pod.namespace, pod.service_account)].append(pod)
    for item in everything:
        if (item.get("status") or {}).get("phase") not in ENDED:
            raw_pods[(item["metadata"]["namespace"], service_account_of(item))].append(item)
    return pods, raw_pods


def _workloads(kubernetes: Kubernetes) -> dict[Place, list[Running]]:
    """Whatever makes pods, or may again, by service account."""
    found = defaultdict(list)
    jobs = [(_owner("CronJob", item), item) for item in kubernetes.objects("cronjobs")]
    for owner, item in (*living(kubernetes), *jobs):
        running = Running(owner, item)
        found[(owner.namespace, service_account_of(running.template))].append(running)
    return found


def _owner(kind: str, item: Object) -> Owner:
    return Owner(kind, item["metadata"]["namespace"], item["metadata"]["name"])


def _readers(
    kubernetes: Kubernetes, workloads: t.Mapping[Place, list[Running]], pods: t.Mapping[Place, list[Object]]
) -> tuple[dict[Place, tuple[str, ...]], tuple[str, ...]]:
    """Who else reads the annotation of each service account, and who may: kinds that the caller may not list."""
    listed = {plural: kubernetes.custom_objects(group, plural) for plural, group in KINDS.items()}
    templates = [(each.owner.namespace, each.owner.name, each.template) for some in workloads.values() for each in some]
    loose = [item for some in pods.values() for item in some]
    templates += [(item["metadata"]["namespace"], item["metadata"]["name"], item) for item in loose]
    known = {plural: items for plural, items in listed.items() if items is not None}
    unread = sorted(set(listed) - set(known))
    return readers(known, templates), tuple(
        f"perhaps one of {plural}.{KINDS[plural]}, which the caller may not list," for plural in unread
    )


def _bound(module: t.Any, accounts: list[Account], spaces: t.Collection[str] | None) -> list[Account]:
    eks = EksAssociations(aws_client(module, "eks"), module.params["cluster_name"])
    bound = read_bindings(eks, spaces, {account.place for account in accounts}, None, tagged=True).bound
    return [replace(account, association=bound.get(account.place)) for account in accounts]


def _with_roles(module: t.Any, accounts: list[Account], desired: Desired) -> list[Account]:
    named = [roles_of(account, desired)[0] for account in accounts]
    reader = IamRoles(aws_client(module, "iam"))
    arns = sorted({arn for arn in named if arn})
    roles = {role.arn: role for role in spread(reader.read, arns, CONCURRENCY)}
    here = [role for role in roles.values() if role.exists]
    documents = dict(zip([role.arn for role in here], spread(reader.documents, here, CONCURRENCY), strict=True))
    found = [
        replace(account, role=roles.get(arn), documents=documents.get(arn, {}))
        for account, arn in zip(accounts, named, strict=True)
    ]
    return _with_further(reader, found, desired)


def _with_further(reader: IamRoles, accounts: list[Account], desired: Desired) -> list[Account]:
    """The service accounts with the trust policies of the roles that theirs may assume."""
    wanted = [readable(account, desired) for account in accounts]
    arns = sorted({arn for some in wanted for arn in some})
    trusts = {role.arn: role.trust for role in spread(reader.trusting, arns, CONCURRENCY)}
    return [
        replace(account, further={arn: trusts[arn] for arn in some})
        for account, some in zip(accounts, wanted, strict=True)
    ]
