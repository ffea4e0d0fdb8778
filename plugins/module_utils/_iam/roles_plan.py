# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan IAM roles for Pod Identity. No boto3, no AnsibleModule, no clock.

A role that this collection created becomes what is declared. Any other is adopted at most: statements, policies and
tags are added to it, and nothing is taken away.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._core.plan import Change, Plan, Refused
from .._core.tags import MANAGED_BY, merged
from .._core.validate import canonical
from .adoption import opened
from .policy_documents import grown, lacking, same
from .roles_checks import check, check_path
from .roles_model import Desired, Rules, State
from .trust_policy import Document, added


@dataclass(frozen=True)
class RoleChange(Change):
    """A call, and how a report names what it does."""

    kind: str = ""
    name: str = ""
    action: str = ""
    what: tuple[str, ...] = ()


Difference = dict[str, t.Any]
"""kind, name, action, and ``what`` of it differs."""


def plan(desired: Desired, observed: State | None, rules: Rules, since: Document | None = None) -> Plan:
    """The calls that make ``desired`` of ``observed``; None where there is no such role.

    ``since`` is the trust policy that an earlier plan was made for: what somebody else added to it meanwhile stays.
    """
    target = _target(desired, observed, since)
    changes = tuple(_changes(desired, observed, target))
    if changes:
        check(desired, observed, target, rules)
    before = observed.view() if observed else {}
    return Plan(before, target.view() if changes else before, changes)


def _target(desired: Desired, observed: State | None, since: Document | None) -> State:
    if observed is None:
        return _new(desired)
    check_path(desired, observed)
    return _declared(desired, observed, since) if observed.ours else _adopted(desired, observed)


def differences(changes: t.Iterable[Change]) -> list[Difference]:
    """What ``changes`` do, one entry for each thing that is created, updated or deleted."""
    made: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        if isinstance(change, RoleChange):
            made.setdefault((change.kind, change.name, change.action), []).extend(change.what)
    return [{"kind": kind, "name": name, "action": action, "what": what} for (kind, name, action), what in made.items()]


def unlisted(desired: Desired, observed: State | None) -> list[Difference]:
    """kind, name and ``what`` of policies, as far as they were read, that a role of ours has and nobody declared."""
    if observed is None or not observed.ours:
        return []
    declared = desired.policy_name if desired.policy is not None else ""
    inline = [name for name in observed.inline or () if name != declared]
    more = [arn for arn in observed.attached or () if arn not in desired.managed]
    return [
        *({"kind": "policy", "name": f"{desired.name}/{name}", "what": []} for name in inline),
        *({**_managed(desired.name, arn), "what": [arn]} for arn in more),
    ]


def _new(desired: Desired) -> State:
    return State(
        name=desired.name,
        arn=None,
        path=desired.path or "/",
        description=desired.description or "",
        trust=desired.trust,
        boundary=desired.boundary,
        tags={**MANAGED_BY, **(desired.tags or {})},
        policy=desired.policy,
        attached=desired.managed or None,
    )


def _declared(desired: Desired, observed: State, since: Document | None) -> State:
    trust = desired.trust if since is None else added(desired.trust, _late(desired, observed, since))
    return replace(
        observed,
        trust=observed.trust if same(observed.trust, trust) else trust,
        boundary=desired.boundary or observed.boundary,
        tags=merged(desired.tags, observed.tags, desired.purge_tags),
        policy=_declared_policy(desired, observed),
        attached=_attached(desired, observed, desired.purge_policies),
        inline=_inline(desired, observed),
    )


def _late(desired: Desired, observed: State, since: Document) -> Document:
    """What somebody added to the trust policy since, and isn't declared anyway."""
    new = lacking(since, observed.trust)
    return {"Statement": lacking(desired.trust, {"Statement": new})}


def _declared_policy(desired: Desired, observed: State) -> Document | None:
    if desired.policy is None or same(observed.policy or {}, desired.policy):
        return observed.policy
    return desired.policy


def _attached(desired: Desired, observed: State, purged: bool) -> tuple[str, ...] | None:
    if observed.attached is None:
        return None
    kept = tuple(arn for arn in observed.attached if not purged or arn in desired.managed)
    return (*kept, *(arn for arn in desired.managed if arn not in kept))


def _inline(desired: Desired, observed: State) -> tuple[str, ...] | None:
    """Names of the inline policies; the declared one counts where it isn't yet."""
    if observed.inline is None or not desired.purge_policies:
        return observed.inline
    return tuple(name for name in observed.inline if name == desired.policy_name and desired.policy is not None)


def _adopted(desired: Desired, observed: State) -> State:
    try:
        return replace(
            observed,
            trust=_adopted_trust(desired, observed),
            tags={**(desired.tags or {}), **observed.tags},
            policy=_adopted_policy(desired, observed),
            attached=_attached(desired, observed, purged=False),
        )
    except Refused as error:
        raise Refused(f"Role {desired.name} was not created by enbuild.eks and can't be adopted: {error}.") from None


def _adopted_trust(desired: Desired, observed: State) -> Document:
    if desired.service_accounts is None:
        return grown(observed.trust, desired.trust)
    return opened(observed.trust, desired.service_accounts)


def _adopted_policy(desired: Desired, observed: State) -> Document | None:
    if desired.policy is None or not observed.policy:
        return desired.policy or observed.policy
    return grown(observed.policy, desired.policy)


def _changes(desired: Desired, observed: State | None, target: State) -> t.Iterator[RoleChange]:
    if observed is None:
        yield _create(desired, target)
    else:
        yield from _role_changes(observed, target)
    was = observed.attached or () if observed else ()
    yield from _attachments(desired.name, was, target.attached or (), new=observed is None)
    yield from _inline_changes(desired, observed, target)


def call(
    operation: str,
    role: str,
    purpose: str,
    args: t.Mapping[str, t.Any],
    *what: str,
    kind: str = "role",
    name: str = "",
    action: str = "update",
) -> RoleChange:
    """One call of ``operation``, and how a report names it."""
    return RoleChange(operation, {"RoleName": role, **args}, purpose, kind, name or role, action, what)


def _create(desired: Desired, target: State) -> RoleChange:
    args = {
        "Path": target.path,
        "AssumeRolePolicyDocument": canonical(target.trust),
        "Description": target.description,
        "PermissionsBoundary": target.boundary,
    }
    given = {key: value for key, value in args.items() if value}
    tags = _tag_list(target.tags)
    return call("create_role", desired.name, f"create role {desired.name}", {**given, "Tags": tags}, action="create")


def _role_changes(observed: State, target: State) -> t.Iterator[RoleChange]:
    role, of = observed.name, f"of role {observed.arn or observed.name}"
    if observed.trust != target.trust:
        args: dict[str, t.Any] = {"PolicyDocument": canonical(target.trust)}
        yield call("update_assume_role_policy", role, f"change the trust policy {of}", args, "trust policy")
    if observed.boundary != target.boundary:
        args = {"PermissionsBoundary": target.boundary}
        what = f"boundary {observed.boundary or 'none'} -> {target.boundary}"
        yield call("put_role_permissions_boundary", role, f"set the permissions boundary {of}", args, what)
    stale = sorted(set(observed.tags) - set(target.tags))
    if stale:
        yield call("untag_role", role, f"remove tags {of}", {"TagKeys": stale}, *(f"tags.{key}" for key in stale))
    fresh = {key: value for key, value in sorted(target.tags.items()) if observed.tags.get(key) != value}
    if fresh:
        yield call("tag_role", role, f"set tags {of}", {"Tags": _tag_list(fresh)}, *(f"tags.{key}" for key in fresh))


def _attachments(role: str, before: t.Collection[str], after: t.Collection[str], new: bool) -> t.Iterator[RoleChange]:
    """A new role is reported with its policies, a policy of another one by itself."""
    for arn in after:
        if arn not in before:
            words = {"action": "create"} if new else {**_managed(role, arn), "action": "create"}
            yield call("attach_role_policy", role, f"attach {arn} to role {role}", {"PolicyArn": arn}, arn, **words)
    for arn in before:
        if arn not in after:
            words = {**_managed(role, arn), "action": "delete"}
            yield call("detach_role_policy", role, f"detach {arn} from role {role}", {"PolicyArn": arn}, arn, **words)


def _managed(role: str, arn: str) -> dict[str, str]:
    return {"kind": "managed_policy", "name": f"{role}/{arn.rsplit('/', 1)[-1]}"}


def _inline_changes(desired: Desired, observed: State | None, target: State) -> t.Iterator[RoleChange]:
    role, name = desired.name, desired.policy_name
    was = observed.policy if observed else None
    if target.policy is not None and target.policy != was:
        args = {"PolicyName": name, "PolicyDocument": canonical(target.policy)}
        words = {"kind": "policy", "name": f"{role}/{name}", "action": "update" if was else "create"}
        yield call("put_role_policy", role, f"write policy {name} of role {role}", args, **words)
    for gone in sorted(set(observed.inline or ()) - set(target.inline or ())) if observed else ():
        words = {"kind": "policy", "name": f"{role}/{gone}", "action": "delete"}
        yield call("delete_role_policy", role, f"delete policy {gone} of role {role}", {"PolicyName": gone}, **words)


def _tag_list(tags: t.Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
