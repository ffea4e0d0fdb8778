# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pods will find otherwise with Pod Identity, as far as templates and policies tell it beforehand. Pure."""

from __future__ import annotations

import re
import typing as t

from .._core.text import clean
from .._core.validate import account_of, is_role_arn
from .._iam.conditions import as_texts, like
from .._iam.trust_evaluation import trust_problem
from .._iam.trust_policy import statements
from .._kubernetes.containers import Variable, static_keys, variables
from .._kubernetes.pods import containers
from .model import Account, Desired, Running

SESSION_NAME = "AWS_ROLE_SESSION_NAME"
ASSUME = "sts:assumerole"
Documents = t.Mapping[str, t.Any]
"""A role's permission policies by name; None stands for those that can't be read."""


def warnings(account: Account) -> t.Iterator[str]:
    """What templates say that Pod Identity meets differently than the old way."""
    for each in account.workloads:
        given = variables(each.template, {})
        if keys := static_keys(given):
            yield f"{each.owner} has AWS keys of its own ({_names(keys)}), which win over Pod Identity: the proof fails"
        if any(variable.name == SESSION_NAME for variable in given):
            yield f"{each.owner} sets {SESSION_NAME}, and EKS names the sessions of Pod Identity itself"
        if not account.annotation and not account.bound and (sources := _sources(each)):
            yield f"{each.owner} takes variables from {sources}: an AWS_REGION there gives way to the cluster's region"
    yield from _unread(account)


def _names(found: t.Iterable[Variable]) -> str:
    return ", ".join(sorted({variable.name for variable in found}))


def _sources(each: Running) -> str:
    found = [
        f"{kind} {clean(entry[key].get('name', ''))}"
        for container in containers(each.template)
        for entry in container.get("envFrom") or ()
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret"))
        if key in entry
    ]
    return ", ".join(dict.fromkeys(found))


def _unread(account: Account) -> t.Iterator[str]:
    if account.documents is None:
        yield "Whether its role assumes further roles can't be read; those have to allow sts:TagSession"
    for arn in further_roles(account):
        if arn not in account.further:
            yield f"Its role may assume {clean(arn)}, which has to allow sts:TagSession: session tags are passed on"


def further_roles(account: Account) -> list[str]:
    """The roles, or patterns of such, that the account's role may assume by its own policies."""
    found = [
        resource
        for document in (account.documents or {}).values()
        for statement in statements(document)
        if statement.get("Effect") == "Allow" and _assumes(statement)
        for resource in as_texts(statement.get("Resource", ()))
    ]
    return list(dict.fromkeys(found))


def readable(account: Account, desired: Desired) -> list[str]:
    """Those whose trust policy can be read: roles of the cluster's account, by their ARN."""
    here = desired.cluster["account_id"]
    return [arn for arn in further_roles(account) if is_role_arn(arn) and account_of(arn) == here]


def _assumes(statement: t.Mapping[str, t.Any]) -> bool:
    return any(like(pattern.lower(), ASSUME) for pattern in as_texts(statement.get("Action", ())))


def problem(account: Account, desired: Desired, role_arn: str) -> str:
    """Which roles it could not assume any longer once it sends session tags; "" for none."""
    if not desired.session_tags or account.bound:
        return ""
    lost = [arn for arn, trust in account.further.items() if trust and _is_lost(account, desired, role_arn, trust)]
    if not lost:
        return ""
    return (
        f"Role {role_arn}, of service account {account}, assumes {', '.join(lost)}, which doesn't allow sts:TagSession:"
        " Pod Identity's session tags are passed on, and IRSA sends none. Allow it there, or set"
        " pod_identity_migrate_session_tags false"
    )


def _is_lost(account: Account, desired: Desired, role_arn: str, trust: t.Any) -> bool:
    given = {
        "cluster_arn": desired.cluster["arn"],
        "namespace": account.namespace,
        "service_account": account.name,
        "role_arn": role_arn,
    }
    plain = trust_problem(trust, session_tags=False, **given)
    return not plain and bool(re.search("sts:TagSession", trust_problem(trust, **given)))
