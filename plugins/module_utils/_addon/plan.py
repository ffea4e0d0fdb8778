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
class Desired:
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
class Observed:
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
class Target:
    """An add-on and what shall be true of it; without Desired, it is absent.

    ``blank`` is the add-on as EKS would create it, and ``requires_configuration`` whether it can't do so like that.
    """

    key: Key
    desired: Desired | None
    blank: Observed = Observed(Addon(""))
    requires_configuration: bool = False
    resolve_conflicts: str = ""
    preserve: bool = False
    recreate_failed: bool = False
    wait: bool = True

    @property
    def floored(self) -> list[str]:
        """The options it uses that not every botocore has."""
        used = {"pod_identity_associations": "bindings", "namespace": "namespace"}
        return [option for option, name in used.items() if getattr(self.desired, name, None) is not None]


def plan(target: Target, observed: Observed | None) -> Plan:
    """The calls that make ``target`` true where ``observed`` is what EKS holds.

    What is being deleted counts as gone: a create has to wait for it.
    """
    if observed is not None and observed.status == "DELETING":
        observed = None
    before = view(target.key, observed)
    if target.desired is None:
        return Plan(before, {}, (_delete(target),)) if observed else Plan()
    merged = _merged(target, target.desired, observed)
    if observed is None:
        return _planned(target, before, merged, target.blank, (_create(target, merged),))
    _check_namespace(target, target.desired, observed)
    if observed.status in FAILED and target.recreate_failed:
        gone = replace(observed, arn="", created_at="", modified_at="")
        return _planned(target, before, merged, gone, (_delete(target), _create(target, merged)))
    changes = (*_update(target, merged, observed), *_tag(target, merged, observed))
    _check_status(target, observed, changes)
    return _planned(target, before, merged, observed, changes)


def _planned(
    target: Target, before: dict[str, t.Any], merged: Addon, observed: Observed, changes: tuple[Change, ...]
) -> Plan:
    status, issues = observed.status, observed.issues
    if any(change.call.endswith("_addon") for change in changes):
        status, issues = "ACTIVE" if target.wait else "UPDATING" if observed.arn else "CREATING", ()
    return Plan(before, view(target.key, replace(observed, addon=merged, status=status, issues=issues)), changes)


def view(key: Key, observed: Observed | None) -> dict[str, t.Any]:
    """An add-on in the words that modules return; {} for none, and None for what it lacks or only EKS knows."""
    if observed is None:
        return {}
    addon = observed.addon
    return {
        "cluster_name": key.cluster,
        "name": key.name,
        "version": addon.version,
        "status": observed.status,
        "issues": view_issues(observed.issues),
        "configuration_values": dict(addon.configuration),
        "service_account_role_arn": addon.service_account_role_arn or None,
        "pod_identity_associations": [_view_binding(binding) for binding in addon.bindings],
        "namespace": addon.namespace or None,
        "tags": dict(addon.tags),
        "addon_arn": observed.arn or None,
        **{fact: getattr(observed, fact) or None for fact in ("publisher", "owner", "created_at", "modified_at")},
    }


def _view_binding(binding: Binding) -> dict[str, str | None]:
    words = {"service_account": binding.service_account or None, "role_arn": binding.role_arn or None}
    return {**words, "association_arn": binding.arn} if binding.arn else words  # Only EKS knows that of a new one.


def _merged(target: Target, desired: Desired, observed: Observed | None) -> Addon:
    """What the add-on has, with what ``desired`` touches."""
    current = (observed or target.blank).addon
    values = current.configuration if desired.configuration is None else desired.configuration
    kept = tags.merged(desired.tags, current.tags, desired.purge_tags)
    if len(kept) > validate.MAX_TAGS:
        raise Refused(f"tags would give {target.key} {len(kept)} tags, and AWS allows {validate.MAX_TAGS}.")
    return Addon(
        version=desired.version or current.version,
        configuration=current.configuration if configuration.same(values, current.configuration) else values,
        service_account_role_arn=desired.service_account_role_arn or current.service_account_role_arn,
        bindings=_bindings(desired, current),
        namespace=desired.namespace or current.namespace,
        tags=kept,
    )


def _bindings(desired: Desired, current: Addon) -> tuple[Binding, ...]:
    """The associations as wished; EKS keeps the ARN of a service account's association when its role changes."""
    if desired.bindings is None:
        return current.bindings
    arns = {binding.service_account: binding.arn for binding in current.bindings}
    return tuple(Binding(name, role, arns.get(name, "")) for name, role in sorted(desired.bindings.items()))


def _create(target: Target, merged: Addon) -> Change:
    if target.resolve_conflicts == "preserve":
        raise Refused(
            f"resolve_conflicts is preserve, which EKS takes only for an update, and {target.key} has to be created:"
            " take none or overwrite."
        )
    given: dict[str, t.Any] = {"addonVersion": merged.version, **_common(target, merged)}
    if merged.configuration:
        given["configurationValues"] = configuration.written(dict(merged.configuration))
    if merged.bindings:
        given["podIdentityAssociations"] = _api_bindings(merged)
    if target.desired and target.desired.namespace:
        given["namespaceConfig"] = {"namespace": target.desired.namespace}
    if merged.tags:
        given["tags"] = dict(merged.tags)
    return Change("create_addon", {**_address(target.key), **given}, f"create {target.key}")


def _common(target: Target, merged: Addon) -> dict[str, t.Any]:
    given = {
        "serviceAccountRoleArn": merged.service_account_role_arn,
        "resolveConflicts": target.resolve_conflicts.upper(),
    }
    return {name: value for name, value in given.items() if value}


def _update(target: Target, merged: Addon, observed: Observed) -> t.Iterator[Change]:
    """One update with everything that a user decided: EKS may take what is left out for what is not wanted."""
    current = observed.addon
    retry = observed.status == "UPDATE_FAILED" and bool(target.resolve_conflicts)
    differs = replace(merged, tags={}) != replace(current, tags={})
    if not (differs or retry):
        return
    given: dict[str, t.Any] = {"addonVersion": merged.version, **_common(target, merged)}
    if merged.configuration or current.configuration:
        given["configurationValues"] = configuration.written(dict(merged.configuration))
    if merged.roles != current.roles:
        given["podIdentityAssociations"] = _api_bindings(merged)
    yield Change("update_addon", {**_address(target.key), **given}, f"update {target.key}")


def _tag(target: Target, merged: Addon, observed: Observed) -> t.Iterator[Change]:
    return tags.changes(observed.arn, observed.addon.tags, merged.tags, str(target.key))


def _delete(target: Target) -> Change:
    preserve = {"preserve": True} if target.preserve else {}
    return Change("delete_addon", {**_address(target.key), **preserve}, f"delete {target.key}")


def _address(key: Key) -> dict[str, str]:
    return {"clusterName": key.cluster, "addonName": key.name}


def _api_bindings(merged: Addon) -> list[dict[str, str]]:
    return [{"serviceAccount": b.service_account, "roleArn": b.role_arn} for b in merged.bindings]


def _check_namespace(target: Target, desired: Desired, observed: Observed) -> None:
    current = observed.addon.namespace
    if desired.namespace and current and desired.namespace != current:
        raise Refused(
            f"namespace is {desired.namespace}, and {target.key} is installed in {current}: EKS can't move an add-on."
            " Delete it with state absent, then create it in the other namespace."
        )


def _check_status(target: Target, observed: Observed, changes: tuple[Change, ...]) -> None:
    """Refuse a failed add-on that no update can mend."""
    mended = observed.status == "UPDATE_FAILED" and any(change.call == "update_addon" for change in changes)
    if observed.status in FAILED and not mended:
        ways = "set recreate_failed true to delete it and create it again"
        if observed.status == "UPDATE_FAILED":
            ways += ", or set resolve_conflicts to repeat the update"
        raise Refused(
            f"{target.key} is {observed.status}: {told(observed.issues)}. To recover, {ways}."
            f" {advice(observed.issues)}".strip()
        )
