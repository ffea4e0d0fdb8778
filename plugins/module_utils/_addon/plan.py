# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan an add-on. No boto3, no AnsibleModule, no clock."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._core import tags, validate
from .._core.plan import Change, Plan, Refused
from . import configuration
from .health import Issue, advice, told
from .health import view as view_issues

FLOORS = {
    "pod_identity_associations": ("podIdentityAssociations", "1.34.118"),
    "namespace": ("namespaceConfig", "1.40.14"),
}
"""Options that botocore did not know from the start: the API's word and the first version that has it."""

BUSY = frozenset({"CREATING", "UPDATING", "DELETING"})
FAILED = frozenset({"CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"})
LONGEST_NAMESPACE = 63


@dataclass(frozen=True)
class Key:
    """What identifies an add-on."""

    cluster: str
    name: str

    def __str__(self) -> str:
        return f"add-on {self.name} in cluster {self.cluster}"


@dataclass(frozen=True)
class Binding:
    """A service account of an add-on and its role; "" is unknown, or yet to be made."""

    service_account: str = ""
    role_arn: str = ""
    arn: str = ""


@dataclass(frozen=True)
class Wish:
    """What a user wants of an add-on; None is untouched. ``version`` is a version, not a word for one."""

    version: str | None = None
    configuration: t.Mapping[str, t.Any] | None = None
    service_account_role_arn: str | None = None
    bindings: t.Mapping[str, str] | None = None
    """Role by service account; {} removes all."""
    namespace: str | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True


@dataclass(frozen=True)
class Addon:
    """What an add-on says; "" is none."""

    version: str
    configuration: t.Mapping[str, t.Any] = field(default_factory=dict)
    service_account_role_arn: str = ""
    bindings: tuple[Binding, ...] = ()
    namespace: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, str]:
        """Role by service account."""
        return {binding.service_account: binding.role_arn for binding in self.bindings}


@dataclass(frozen=True)
class Found:
    """An add-on as EKS holds it; times are ISO 8601, "" is none."""

    addon: Addon
    arn: str = ""
    status: str = ""
    issues: tuple[Issue, ...] = ()
    publisher: str = ""
    owner: str = ""
    created_at: str = ""
    modified_at: str = ""


@dataclass(frozen=True)
class Goal:
    """An add-on and what shall be true of it; without a wish, it is absent.

    ``blank`` is the add-on as EKS would create it, and ``requires_configuration`` whether it can't do so like that.
    """

    key: Key
    wish: Wish | None
    blank: Found = Found(Addon(""))
    requires_configuration: bool = False
    resolve_conflicts: str = ""
    preserve: bool = False
    recreate_failed: bool = False
    wait: bool = True

    @property
    def floored(self) -> list[str]:
        """The options it uses that not every botocore has."""
        used = {"pod_identity_associations": "bindings", "namespace": "namespace"}
        return [option for option, name in used.items() if getattr(self.wish, name, None) is not None]


def plan(goal: Goal, found: Found | None) -> Plan:
    """The calls that make ``goal`` true where ``found`` is what EKS holds.

    What is being deleted counts as gone: a create has to wait for it.
    """
    if found is not None and found.status == "DELETING":
        found = None
    before = view(goal.key, found)
    if goal.wish is None:
        return Plan(before, {}, (_delete(goal),)) if found else Plan()
    desired = _desired(goal, goal.wish, found)
    if found is None:
        return _planned(goal, before, desired, goal.blank, (_create(goal, desired),))
    _check_namespace(goal, goal.wish, found)
    if found.status in FAILED and goal.recreate_failed:
        gone = replace(found, arn="", created_at="", modified_at="")
        return _planned(goal, before, desired, gone, (_delete(goal), _create(goal, desired)))
    changes = (*_update(goal, desired, found), *_tag(goal, desired, found))
    _check_status(goal, found, changes)
    return _planned(goal, before, desired, found, changes)


def _planned(goal: Goal, before: dict[str, t.Any], desired: Addon, found: Found, changes: tuple[Change, ...]) -> Plan:
    status, issues = found.status, found.issues
    if any(change.call.endswith("_addon") for change in changes):
        status, issues = "ACTIVE" if goal.wait else "UPDATING" if found.arn else "CREATING", ()
    return Plan(before, view(goal.key, replace(found, addon=desired, status=status, issues=issues)), changes)


def view(key: Key, found: Found | None) -> dict[str, t.Any]:
    """An add-on in the words that modules return; {} for none, and None for what it lacks or only EKS knows."""
    if found is None:
        return {}
    addon = found.addon
    return {
        "cluster_name": key.cluster,
        "name": key.name,
        "version": addon.version,
        "status": found.status,
        "issues": view_issues(found.issues),
        "configuration_values": dict(addon.configuration),
        "service_account_role_arn": addon.service_account_role_arn or None,
        "pod_identity_associations": [_view_binding(binding) for binding in addon.bindings],
        "namespace": addon.namespace or None,
        "tags": dict(addon.tags),
        "addon_arn": found.arn or None,
        **{fact: getattr(found, fact) or None for fact in ("publisher", "owner", "created_at", "modified_at")},
    }


def _view_binding(binding: Binding) -> dict[str, str | None]:
    return {
        "service_account": binding.service_account or None,
        "role_arn": binding.role_arn or None,
        "association_arn": binding.arn or None,
    }


def _desired(goal: Goal, wish: Wish, found: Found | None) -> Addon:
    """What the add-on has, with what the wish touches."""
    current = (found or goal.blank).addon
    values = current.configuration if wish.configuration is None else wish.configuration
    kept = tags.merged(wish.tags, current.tags, wish.purge_tags)
    if len(kept) > validate.MAX_TAGS:
        raise Refused(f"tags would give {goal.key} {len(kept)} tags, and AWS allows {validate.MAX_TAGS}.")
    return Addon(
        version=wish.version or current.version,
        configuration=current.configuration if configuration.same(values, current.configuration) else values,
        service_account_role_arn=wish.service_account_role_arn or current.service_account_role_arn,
        bindings=_bindings(wish, current),
        namespace=wish.namespace or current.namespace,
        tags=kept,
    )


def _bindings(wish: Wish, current: Addon) -> tuple[Binding, ...]:
    """The associations as wished; EKS keeps the ARN of a service account's association when its role changes."""
    if wish.bindings is None:
        return current.bindings
    arns = {binding.service_account: binding.arn for binding in current.bindings}
    return tuple(Binding(name, role, arns.get(name, "")) for name, role in sorted(wish.bindings.items()))


def _create(goal: Goal, desired: Addon) -> Change:
    if goal.resolve_conflicts == "preserve":
        raise Refused(
            f"resolve_conflicts is preserve, which EKS takes only for an update, and {goal.key} has to be created:"
            " take none or overwrite."
        )
    given: dict[str, t.Any] = {"addonVersion": desired.version, **_common(goal, desired)}
    if desired.configuration:
        given["configurationValues"] = configuration.written(dict(desired.configuration))
    if desired.bindings:
        given["podIdentityAssociations"] = _api_bindings(desired)
    if goal.wish and goal.wish.namespace:
        given["namespaceConfig"] = {"namespace": goal.wish.namespace}
    if desired.tags:
        given["tags"] = dict(desired.tags)
    return Change("create_addon", {**_address(goal.key), **given}, f"create {goal.key}")


def _common(goal: Goal, desired: Addon) -> dict[str, t.Any]:
    given = {
        "serviceAccountRoleArn": desired.service_account_role_arn,
        "resolveConflicts": goal.resolve_conflicts.upper(),
    }
    return {name: value for name, value in given.items() if value}


def _update(goal: Goal, desired: Addon, found: Found) -> t.Iterator[Change]:
    """One update with everything that a user decided: EKS may take what is left out for what is not wanted."""
    current = found.addon
    retry = found.status == "UPDATE_FAILED" and bool(goal.resolve_conflicts)
    differs = replace(desired, tags={}) != replace(current, tags={})
    if not (differs or retry):
        return
    given: dict[str, t.Any] = {"addonVersion": desired.version, **_common(goal, desired)}
    if desired.configuration or current.configuration:
        given["configurationValues"] = configuration.written(dict(desired.configuration))
    if desired.roles != current.roles:
        given["podIdentityAssociations"] = _api_bindings(desired)
    yield Change("update_addon", {**_address(goal.key), **given}, f"update {goal.key}")


def _tag(goal: Goal, desired: Addon, found: Found) -> t.Iterator[Change]:
    return tags.changes(found.arn, found.addon.tags, desired.tags, str(goal.key))


def _delete(goal: Goal) -> Change:
    preserve = {"preserve": True} if goal.preserve else {}
    return Change("delete_addon", {**_address(goal.key), **preserve}, f"delete {goal.key}")


def _address(key: Key) -> dict[str, str]:
    return {"clusterName": key.cluster, "addonName": key.name}


def _api_bindings(desired: Addon) -> list[dict[str, str]]:
    return [{"serviceAccount": b.service_account, "roleArn": b.role_arn} for b in desired.bindings]


def _check_namespace(goal: Goal, wish: Wish, found: Found) -> None:
    current = found.addon.namespace
    if wish.namespace and current and wish.namespace != current:
        raise Refused(
            f"namespace is {wish.namespace}, and {goal.key} is installed in {current}: EKS can't move an add-on."
            " Delete it with state absent, then create it in the other namespace."
        )


def _check_status(goal: Goal, found: Found, changes: tuple[Change, ...]) -> None:
    """Refuse a failed add-on that no update can mend."""
    mended = found.status == "UPDATE_FAILED" and any(change.call == "update_addon" for change in changes)
    if found.status in FAILED and not mended:
        ways = "set recreate_failed true to delete it and create it again"
        if found.status == "UPDATE_FAILED":
            ways += ", or set resolve_conflicts to repeat the update"
        raise Refused(
            f"{goal.key} is {found.status}: {told(found.issues)}. To recover, {ways}. {advice(found.issues)}".strip()
        )
