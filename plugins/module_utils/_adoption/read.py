# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the associations of a cluster, their roles and what runs under their service accounts. No decisions."""

from __future__ import annotations

import os
import typing as t

from .._association.api import EksAssociations
from .._association.bulk_apply import select
from .._association.bulk_plan import Query
from .._core.aws import aws_client
from .._core.parallel import spread
from .._core.validate import Place, cluster_name
from .._iam.roles_api import IamRoles
from .._kubernetes.api import Kubernetes, connect
from .._kubernetes.pods import MIRRORED, Object, Owner, Template, service_account_of
from .._workload.find import living
from . import document, existing
from .plan import Declared, Item, Observed, User, plan

CONCURRENCY = 8
EXTENSIONS = ("", ".yml", ".yaml", ".json")
"""Of files of variables; Ansible reads the folder of a host, or else the first of these."""


def read_declaration(module: t.Any) -> dict[str, t.Any]:
    """The declaration of what the cluster has, as the module returns it."""
    options = module.params
    declared = plan(_observed(module), options["cluster_arn"])
    workloads = [entry for one in declared for entry in one.entries]
    text = document.text(declared, options["cluster_name"])
    return {
        "workloads": workloads,
        "notes": [f"{one.place}: {note}" for one in declared for note in one.notes],
        "undeclared": [_undeclared(one) for one in declared if one.reason],
        "text": text,
        **_file(options["path"], text, workloads, options["overwrite"]),
    }


def _undeclared(one: Declared) -> dict[str, str]:
    return {"name": one.place, "reason": one.reason}


def _file(path: str, text: str, workloads: t.Sequence[Item], overwrite: bool) -> dict[str, t.Any]:
    """What is where the declaration is to be written, and why it must not be."""
    folder = os.path.dirname(path)
    there = "" if overwrite else _text_of(path)
    hidden = [] if os.path.isdir(folder) else [folder + end for end in EXTENSIONS if os.path.isfile(folder + end)]
    problem = existing.obstacle(path, "" if there == text else there, next(iter(hidden), ""), workloads)
    return {"obstacle": problem if path else "", "folder_exists": os.path.isdir(folder)}


def _text_of(path: str) -> str:
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _observed(module: t.Any) -> list[Observed]:
    client = aws_client(module, "eks", max_pool_connections=CONCURRENCY)
    wanted = Query(cluster_name("cluster_name", module.params["cluster_name"]), CONCURRENCY)
    found = select(EksAssociations(client, wanted.cluster), wanted)
    arns = list(dict.fromkeys(one["role_arn"] for one in found))
    roles = spread(IamRoles(aws_client(module, "iam", max_pool_connections=CONCURRENCY)).trusting, arns, CONCURRENCY)
    by_arn = dict(zip(arns, roles, strict=True))
    kubernetes = connect(module.params)
    accounts = {_place(item) for item in kubernetes.objects("serviceaccounts")}
    users = users_of(kubernetes)
    return [
        Observed(one, by_arn[one["role_arn"]], place in accounts, tuple(users.get(place, ())))
        for one in found
        for place in [(one["namespace"], one["service_account"])]
    ]


def _place(item: Object) -> Place:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def users_of(kubernetes: Kubernetes) -> dict[Place, list[User]]:
    """What makes pods under each service account; pods without an owner, and owners of other kinds, too."""
    templates = {owner: Template(owner, item["spec"]["template"]) for owner, item in living(kubernetes)}
    found = {(_account(template), owner): [0, 0] for owner, template in templates.items()}
    found |= {(_cron_account(item), Owner("CronJob", *_place(item))): [0, 0] for item in kubernetes.objects("cronjobs")}
    for pod in kubernetes.running():
        template = templates.get(pod.owner)
        judged = pod.made_by(template) if template else pod
        if pod.owner.kind != MIRRORED:
            counts = found.setdefault(((pod.namespace, pod.service_account), pod.owner), [0, 0])
            counts[:] = counts[0] + 1, counts[1] + (not judged.injected)
    users: dict[Place, list[User]] = {}
    for (place, owner), counts in found.items():
        users.setdefault(place, []).append(User(owner, *counts))
    return users


def _account(template: Template) -> Place:
    return template.owner.namespace, template.service_account


def _cron_account(item: Object) -> Place:
    return item["metadata"]["namespace"], service_account_of(item["spec"]["jobTemplate"]["spec"]["template"])
