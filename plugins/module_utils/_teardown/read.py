# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from EKS, IAM and Kubernetes what a teardown has to know. No decisions."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._association.api import EksAssociations
from .._association.bulk_apply import describe_all
from .._association.plan import Key, Observed, Summary
from .._core.aws import NOT_FOUND, aws_client, doing, error_code, explain
from .._core.parallel import spread
from .._core.tags import is_ours
from .._core.validate import Place, cluster_name, namespace
from .._iam.roles_api import IamRoles
from .._kubernetes.api import Kubernetes, KubernetesError, connect
from .._kubernetes.owners import owner_of
from .._kubernetes.pods import Object, Owner, service_account_of
from .plan import Desired, agent_users, obstacle, reasons
from .release import release_of

CONCURRENCY = 8
View = dict[str, t.Any]


def read_uses(module: t.Any) -> dict[str, t.Any]:
    """What there is of the associations and roles that the module's options name, who uses them, and what stays."""
    options = module.params
    client = aws_client(module, "eks", max_pool_connections=CONCURRENCY)
    listed, asked = _associations(module, client)
    ours = {key: one for key, one in asked.items() if not one.owner_arn and is_ours(one.association.tags)}
    pods, pods_unread = _holders(module, {key.place for key in ours})
    return {
        "associations": [_view(each, asked.get(each.key), each.key in ours) for each in listed],
        **_roles(module, client, ours.values()),
        "agent_users": agent_users(
            [{**_named(each), "association_arn": each.arn} for each in listed], options["ended"]
        ),
        "pods": pods,
        "pods_unread": pods_unread,
        "obstacle": obstacle(pods, pods_unread, options["release"]),
    }


def _associations(module: t.Any, client: t.Any) -> tuple[list[Summary], dict[Key, Observed]]:
    """Every association of the cluster, and those of the namespaces asked for in full."""
    spaces = {namespace("namespaces", name) for name in module.params["namespaces"]}
    eks = EksAssociations(client, cluster_name("cluster_name", module.params["cluster_name"]))
    listed = eks.list()
    return listed, _described(eks, [each for each in listed if each.key.namespace in spaces])


def _roles(module: t.Any, client: t.Any, ours: t.Iterable[Observed]) -> dict[str, list[View]]:
    """The roles asked for and those of ``ours``, with the reasons for which they stay, and who uses them."""
    options = module.params
    names = dict.fromkeys([*options["roles"], *(_name(one.association.role_arn) for one in ours)])
    read = spread(IamRoles(aws_client(module, "iam")).whole, names, CONCURRENCY)
    roles = [role for role in read if role and role["role_arn"] not in options["elsewhere"]]
    arns = {role["role_arn"] for role in roles if role["ours"]}
    found = list(_users(module, client)) if arns else []
    users = [each for each in found if arns & {each.get("role_arn"), each.get("target_role_arn")}]
    unread = [each for each in found if "message" in each]
    desired = Desired(options["declared"], client.meta.partition, frozenset(options["ended"]), options["altered_roles"])
    judged = [{**role, "reasons": reasons(role, users, unread, desired)} for role in roles]
    return {
        "roles": judged,
        "unused_roles": [{"role_name": role["role_name"]} for role in judged if not role["reasons"]],
        "users": users,
        "unread": unread,
    }


def _name(role_arn: str) -> str:
    return role_arn.rsplit("/", 1)[-1]


def _described(eks: EksAssociations, listed: t.Collection[Summary]) -> dict[Key, Observed]:
    details = describe_all(eks, listed, CONCURRENCY)
    for _key, one in details:
        if isinstance(one, AnsibleAWSError):
            raise one
    return {key: one for key, one in details if isinstance(one, Observed)}


def _view(each: Summary, found: Observed | None, ours: bool) -> View:
    return {
        **_named(each),
        "association_arn": each.arn,
        "owner_arn": each.owner_arn,
        "role_arn": found.association.role_arn if found else "",
        "asked": found is not None,
        "ours": ours,
    }


def _named(each: Summary) -> View:
    return {"namespace": each.key.namespace, "service_account": each.key.service_account}


def _holders(module: t.Any, places: t.Collection[Place]) -> tuple[list[View], str]:
    """The pods of ``places`` that carry the injection, and the CronJobs that make such; or why that can't be read."""
    if not places:
        return [], ""
    try:
        kubernetes = connect(module.params, {place[0] for place in places})
        everything = kubernetes.objects("pods")
        running = {(pod.namespace, pod.name) for pod in kubernetes.running() if pod.container}
        pods = [item for item in everything if _place(item) in running]
        held = [_pod(kubernetes, item) for item in pods if _account(item) in places]
        return [*held, *_coming(kubernetes, places)], ""
    except KubernetesError as error:
        return [], str(error)


def _place(item: Object) -> Place:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _account(item: Object, template: Object | None = None) -> Place:
    return item["metadata"]["namespace"], service_account_of(item if template is None else template)


def _pod(kubernetes: Kubernetes, item: Object) -> View:
    owner, owning = owner_of(item, kubernetes.objects)
    return _holder(owner, item["metadata"]["name"], _account(item)[1], owning)


def _coming(kubernetes: Kubernetes, places: t.Collection[Place]) -> t.Iterator[View]:
    """CronJobs between their runs: the next pod would find nothing."""
    for item in kubernetes.objects("cronjobs"):
        account = _account(item, item["spec"]["jobTemplate"]["spec"]["template"])
        if account in places and not item["spec"].get("suspend"):
            yield _holder(Owner("CronJob", *_place(item)), "", account[1], item)


def _holder(owner: Owner, pod: str, account: str, owning: Object) -> View:
    return {
        "namespace": owner.namespace,
        "name": pod,
        "service_account": account,
        "kind": owner.kind,
        "owner": owner.name,
        "release": release_of(owning),
    }


def _users(module: t.Any, client: t.Any) -> t.Iterator[View]:
    """Every association of the account's clusters in the regions asked for, or why it can't be read.

    A region of another partition is another account's.
    """
    for region in dict.fromkeys([client.meta.region_name, *module.params["regions"]]):
        there = aws_client(module, "eks", region=region, max_pool_connections=CONCURRENCY)
        if there.meta.partition == client.meta.partition:
            yield from _of_region(there, region)


def _of_region(client: t.Any, region: str) -> t.Iterator[View]:
    try:
        with doing(f"list the EKS clusters of region {region}"):
            pages = client.get_paginator("list_clusters").paginate()
            names = [name for page in pages for name in page["clusters"]]
    except AnsibleAWSError as error:
        yield {"where": f"a cluster in {region}", "message": explain(error)["msg"]}
        return
    for found in spread(lambda name: _of_cluster(client, name, region), names, CONCURRENCY):
        yield from found


def _of_cluster(client: t.Any, name: str, region: str) -> list[View]:
    eks = EksAssociations(client, name)
    try:
        described = _described(eks, eks.list())
    except AnsibleAWSError as error:
        if error_code(error) in NOT_FOUND:
            return []  # a cluster that was deleted meanwhile uses nothing
        return [{"where": f"cluster {name} in {region}", "message": explain(error)["msg"]}]
    return [_user(key, one, name, region) for key, one in described.items()]


def _user(key: Key, one: Observed, cluster: str, region: str) -> View:
    return {
        "cluster_name": cluster,
        "region": region,
        "namespace": key.namespace,
        "service_account": key.service_account,
        "association_arn": one.arn,
        "owner_arn": one.owner_arn,
        "role_arn": one.association.role_arn,
        "target_role_arn": one.association.target_role_arn,
    }
