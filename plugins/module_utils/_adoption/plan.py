# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declare the associations that a cluster has, and say of the others why they can't be declared. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._association.plan import describe_owner
from .._core import validate
from .._core.plan import Refused
from .._core.text import clean, some
from .._iam.model import Role
from .._iam.trust_evaluation import trust_problem
from .._kubernetes.pods import KINDS, Owner

Item = t.Mapping[str, t.Any]

OPTIONS = {kind: option for option, kind in KINDS.items()}
"""The key of an entry that names a workload, by its kind. What else makes pods is declared by its service account."""


@dataclass(frozen=True)
class User:
    """What makes pods under a service account, how many of them run, and how many of these lack the injection."""

    owner: Owner
    pods: int = 0
    bare: int = 0


@dataclass(frozen=True)
class Observed:
    """An association, in the words of pod_identity_association_info, and what is around it."""

    association: Item = field(hash=False)
    role: Role
    account_exists: bool = True
    users: tuple[User, ...] = ()


@dataclass(frozen=True)
class Declared:
    """What becomes of an association: entries with ``notes``, or the ``reason`` why it has none.

    ``place`` may hold anything that EKS took as a name, but no character that a terminal obeys.
    """

    place: str
    entries: tuple[dict[str, t.Any], ...] = field(default=(), hash=False)
    notes: tuple[str, ...] = ()
    reason: str = ""


def plan(observed: t.Iterable[Observed], cluster_arn: str) -> list[Declared]:
    """What becomes of each association, by namespace and service account."""
    made = [_declared(one, cluster_arn) for one in observed]
    return sorted(made, key=lambda one: one.place)


def _declared(one: Observed, cluster_arn: str) -> Declared:
    association = one.association
    place = clean(f"{association['namespace']}/{association['service_account']}")
    if reason := _oddity(association) or _obstacle(one):
        return Declared(place, reason=reason)
    return Declared(place, _entries(one), tuple(_notes(one, cluster_arn)))


def _oddity(association: Item) -> str:
    """Why the association's own words can't stand in a file of variables."""
    if problem := _name_problem(association):
        return problem
    for key in ("role_arn", "target_role_arn"):
        value = association[key] or ""
        if "{" in value:
            return f"its {key} {clean(value)} has a brace, which Ansible may read as a template"
        if value and not validate.is_role_arn(value):
            return f"its {key} {clean(value)} is not the ARN of an IAM role"
    return ""


def _name_problem(association: Item) -> str:
    try:
        validate.namespace("its namespace", association["namespace"])
        validate.service_account("its service account", association["service_account"])
    except Refused as error:
        return clean(str(error).rstrip("."), 400)
    return ""


def _obstacle(one: Observed) -> str:
    association = one.association
    if association["owner_arn"]:
        return f"{clean(describe_owner(association['owner_arn']))} owns it; declare it with the add-on"
    if one.role.exists is False:
        return f"its role {one.role.arn} doesn't exist"
    if not one.account_exists:
        return "the service account doesn't exist"
    return "" if one.users else "no workload runs under the service account"


def _entries(one: Observed) -> tuple[dict[str, t.Any], ...]:
    """An entry for each workload, or one for the service account where something else runs under it."""
    association = one.association
    given = {"namespace": association["namespace"]}
    role = {key: association[key] for key in ("role_arn", "target_role_arn") if association[key]}
    tags = {"disable_session_tags": True} if association["disable_session_tags"] else {}
    account = association["service_account"]
    if account == "default" or not all(_can_be_named(user.owner) for user in one.users):
        return ({**given, "service_account": account, **role, **tags},)
    owners = sorted((user.owner for user in one.users), key=lambda owner: (owner.kind, owner.name))
    return tuple({**given, OPTIONS[owner.kind]: owner.name, **role, **tags} for owner in owners)


def _can_be_named(owner: Owner) -> bool:
    try:
        validate.service_account("workload", owner.name)  # the same rule
    except Refused:
        return False
    return owner.kind in OPTIONS


def _notes(one: Observed, cluster_arn: str) -> t.Iterator[str]:
    """What a reader has to know of an association that is declared."""
    association = one.association
    if association["service_account"] == "default":
        yield "every pod of the namespace that names no service account has this role"
    if association["policy"]:
        yield "its session policy is not part of a declaration and stays as it is"
    yield from _role_notes(one, cluster_arn)
    if bare := [user for user in one.users if user.bare]:
        named = some(f"{user.bare} of {user.pods} running pods of {clean(user.owner)}" for user in bare)
        yield f"site restarts it: {named} lack credentials"


def _role_notes(one: Observed, cluster_arn: str) -> t.Iterator[str]:
    association = one.association
    target = association["target_role_arn"]
    if one.role.exists is None:
        yield "its role may not be read with these permissions, so nothing is known of its trust policy"
    elif problem := _trust_problem(one, cluster_arn):
        yield f"verify will fail, for its role keeps these pods out: {clean(problem, 400)}"
    if target and validate.account_of(target) != validate.account_of(association["role_arn"]):
        yield f"its target role is of account {validate.account_of(target)}, and was not read"


def _trust_problem(one: Observed, cluster_arn: str) -> str:
    association = one.association
    return trust_problem(
        one.role.trust,
        cluster_arn=cluster_arn,
        namespace=association["namespace"],
        service_account=association["service_account"],
        session_tags=not association["disable_session_tags"],
    )
