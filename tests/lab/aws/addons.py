# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add-ons of a cluster: their life, their health, their updates."""

from __future__ import annotations

import json
import time
import typing as t
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from .addon_catalog import AGENT, CATALOG, CatalogAddon
from .addon_configuration import read_configuration
from .eks_errors import in_use, invalid_parameter, invalid_request, not_found
from .idempotency import Tokens
from .pod_identity import Associations, now
from .state import Lab
from .validation import check_tags, page
from .workloads import Issue, Release, Workload, workload_of

Parameters = dict[str, t.Any]

BUSY = {"CREATING", "UPDATING", "DELETING"}
NOT_UPDATABLE = BUSY | {"CREATE_FAILED"}


@dataclass
class Update:
    """One change of an add-on, as DescribeUpdate shows it."""

    params: list[dict[str, str]]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    created_at: datetime = field(default_factory=now)
    issue: Issue | None = None

    def view(self) -> dict[str, t.Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "status": self.status,
            "type": "AddonUpdate",
            "params": self.params,
            "createdAt": self.created_at,
            "errors": [self.issue.error()] if self.issue else [],
        }

    def finish(self, issue: Issue | None) -> None:
        """End it, well or with ``issue``."""
        self.status, self.issue = ("Failed" if issue else "Successful"), issue


@dataclass
class Addon:
    """An installed add-on. ``since`` is when its present transition, or its ill health, began (monotonic)."""

    offer: CatalogAddon
    cluster_arn: str
    version: str
    namespace: str
    role_arn: str = ""
    configuration: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "CREATING"
    since: float = field(default_factory=time.monotonic)
    failure: Issue | None = None
    issue: Issue | None = None
    unwell_since: float | None = None
    pending: Parameters = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    @property
    def name(self) -> str:
        """The add-on's name."""
        return self.offer.name

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.cluster_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """Its own ARN."""
        return f"{self.cluster_arn.rpartition(':')[0]}:addon/{self.cluster}/{self.name}/{self.uid}"

    def become(self, status: str) -> None:
        """Enter ``status`` now."""
        self.status, self.since, self.modified_at = status, time.monotonic(), now()

    def release(self, changes: Parameters) -> Release:
        """Return what runs, or will with ``changes``."""
        text = changes.get("configurationValues")
        configuration = read_configuration(self.offer, self.configuration if text is None else text)
        return Release(changes.get("addonVersion") or self.version, self.namespace, configuration)

    def view(self, association_arns: list[str]) -> dict[str, t.Any]:
        """As the API shows it."""
        return {
            "addonName": self.name,
            "clusterName": self.cluster,
            "status": self.status,
            "addonVersion": self.version,
            "health": {"issues": [self.issue.view()] if self.issue else []},
            "addonArn": self.arn,
            "createdAt": self.created_at,
            "modifiedAt": self.modified_at,
            "tags": dict(self.tags),
            "publisher": self.offer.publisher,
            "owner": self.offer.owner,
            "podIdentityAssociations": association_arns,
            "namespaceConfig": {"namespace": self.namespace},
            **({"serviceAccountRoleArn": self.role_arn} if self.role_arn else {}),
            **({"configurationValues": self.configuration} if self.configuration else {}),
        }


class Addons:
    """The add-ons of one cluster."""

    def __init__(self, lab: Lab, cluster_arn: str, kubernetes_version: str, associations: Associations) -> None:
        self._lab = lab
        self._cluster_arn = cluster_arn
        self._kubernetes_version = kubernetes_version
        self._associations = associations
        self._addons: dict[str, Addon] = {}
        self._created: Tokens[Addon] = Tokens()
        self._updated: Tokens[Update] = Tokens()

    def find(self, name: str) -> Addon:
        """Return an add-on as it is by now; ResourceNotFoundException."""
        addon = self._addons.get(name)
        if addon:
            self._settle(addon)
        if name not in self._addons:
            cluster = self._cluster_arn.rpartition("/")[2]
            raise not_found(f"No addon: {name} found in cluster: {cluster}", clusterName=cluster, addonName=name)
        return self._addons[name]

    def arn_of(self, name: str) -> str | None:
        """Return an add-on's ARN, or None."""
        addon = self._addons.get(name)
        return addon.arn if addon else None

    def by_arn(self, arn: str) -> Addon | None:
        """Return the add-on of that ARN, or None."""
        return next((addon for addon in self._addons.values() if addon.arn == arn), None)

    def view(self, addon: Addon) -> dict[str, t.Any]:
        """As the API shows it, its associations included."""
        return addon.view(self._associations.owned_by(addon.arn))

    def list_page(self, parameters: Parameters) -> tuple[list[str], str | None]:
        """Return one page of names, and the token of the next."""
        for addon in list(self._addons.values()):
            self._settle(addon)
        return page(list(self._addons), str, parameters)

    def create(self, parameters: Parameters) -> Addon:
        """Install an add-on, or return what this very request installed before."""
        return self._created.once(
            parameters, lambda made: self._addons.get(made.name) is made, lambda: self._create(parameters)
        )

    def update(self, parameters: Parameters) -> Update:
        """Begin to change an add-on, or return the update that this very request began before."""
        return self._updated.once(parameters, lambda _unused: True, lambda: self._update(parameters))

    def delete(self, name: str, preserve: bool) -> Addon:
        """Begin to remove an add-on; ``preserve`` leaves its software and its associations alone."""
        addon = self.find(name)
        if not preserve:
            addon.issue = self._workload(addon).remove(addon.namespace)
            self._associations.delete_owned(addon.arn)
        self._associations.disown(addon.arn)
        addon.become("DELETING")
        return addon

    def find_update(self, name: str, update_id: str) -> Update:
        """Return an update; ResourceNotFoundException."""
        found = next((update for update in self.find(name).updates if update.id == update_id), None)
        if found is None:
            raise not_found(f"No update found for ID: {update_id}", addonName=name)
        return found

    def updates_page(self, parameters: Parameters) -> tuple[list[str], str | None]:
        """Return one page of the ids of an add-on's updates, and the token of the next."""
        name = parameters.get("addonName")
        ids = [update.id for update in self.find(name).updates] if name else []
        return page(ids, str, parameters)

    # creation

    def _create(self, parameters: Parameters) -> Addon:
        offer = _offer(parameters["addonName"])
        existing = self._addons.get(offer.name)
        if existing:
            self._settle(existing)
        if offer.name in self._addons:
            raise in_use(
                "Addon already exists.", clusterName=existing.cluster if existing else "", addonName=offer.name
            )
        addon = self._new(offer, parameters)
        self._check_associations(addon, parameters, creating=True)
        conflicts = parameters.get("resolveConflicts") or "NONE"
        addon.failure = self._ordered_failure(addon, "CREATE_FAILED") or self._workload(addon).install(
            addon.release({}), conflicts
        )
        self._addons[offer.name] = addon
        self._set_associations(addon, parameters)
        return addon

    def _new(self, offer: CatalogAddon, parameters: Parameters) -> Addon:
        check_tags(parameters.get("tags") or {})
        if parameters.get("resolveConflicts") == "PRESERVE":
            raise invalid_parameter("Resolve conflicts option preserve is not supported for operation CreateAddon")
        default = offer.default_version(self._kubernetes_version)
        version = parameters.get("addonVersion") or (default.name if default else "")
        self._check_version(offer, version)
        configuration = parameters.get("configurationValues") or ""
        read_configuration(offer, configuration)
        return Addon(
            offer,
            self._cluster_arn,
            version,
            (parameters.get("namespaceConfig") or {}).get("namespace") or offer.namespace,
            parameters.get("serviceAccountRoleArn") or "",
            configuration,
            dict(parameters.get("tags") or {}),
        )

    def _check_version(self, offer: CatalogAddon, version: str) -> None:
        if not offer.version(version, self._kubernetes_version):
            raise invalid_parameter("Addon version specified is not supported", addonName=offer.name)

    # updates

    def _update(self, parameters: Parameters) -> Update:
        addon = self.find(parameters["addonName"])
        if addon.status in NOT_UPDATABLE:
            message = f"Addon {addon.name} cannot be updated as it is currently in {addon.status} state"
            raise in_use(message, clusterName=addon.cluster, addonName=addon.name)
        if parameters.get("addonVersion"):
            self._check_version(addon.offer, parameters["addonVersion"])
        release = addon.release(parameters)
        self._check_associations(addon, parameters, creating=False)
        conflicts = parameters.get("resolveConflicts") or "NONE"
        addon.failure = self._ordered_failure(addon, "UPDATE_FAILED") or self._workload(addon).install(
            release, conflicts
        )
        if not addon.failure:
            self._set_associations(addon, parameters)
        addon.pending = parameters
        addon.updates.append(Update(_update_params(parameters)))
        addon.become("UPDATING")
        return addon.updates[-1]

    # associations

    def _check_associations(self, addon: Addon, parameters: Parameters, creating: bool) -> None:
        given = parameters.get("podIdentityAssociations") or []
        if given and addon.name == AGENT:
            version = f"{addon.name} {addon.version}"
            raise invalid_parameter(f"Pod Identity feature is not supported for addon version: {version}")
        for item in given:
            if item["serviceAccount"] not in addon.offer.pod_identity:
                message = f"Service account {item['serviceAccount']} in pod identity configuration is not supported"
                raise invalid_parameter(f"{message} for addon {addon.name}", addonName=addon.name)
            self._associations.check_role(item["roleArn"])
            existing = self._associations.for_service_account(addon.namespace, item["serviceAccount"])
            if creating or not existing or existing.owner_arn != addon.arn:
                self._associations.check_free((addon.namespace, item["serviceAccount"]))
        if len({item["serviceAccount"] for item in given}) < len(given):
            raise invalid_request("A service account can have one pod identity association only")

    def _set_associations(self, addon: Addon, parameters: Parameters) -> None:
        """An add-on's list replaces all that it owns; no list leaves them."""
        wanted = parameters.get("podIdentityAssociations")
        if wanted is not None:
            roles = {item["serviceAccount"]: item["roleArn"] for item in wanted}
            self._associations.replace_owned(addon.arn, addon.namespace, roles)

    # time

    def _workload(self, addon: Addon) -> Workload:
        return workload_of(addon.name, self._lab.kubernetes)

    def _ordered_failure(self, addon: Addon, outcome: str) -> Issue | None:
        fault = self._lab.faults.for_addon(addon.name, outcome)
        return Issue(fault.code, fault.message, (addon.name,)) if fault else None

    def _settle(self, addon: Addon) -> None:
        """Bring an add-on to the state that time and its workload have given it."""
        if addon.status in BUSY and time.monotonic() - addon.since < self._lab.weather.addon_seconds:
            return
        if addon.status == "DELETING":
            del self._addons[addon.name]
        elif addon.status in BUSY and addon.failure:
            self._finish(addon, "CREATE_FAILED" if addon.status == "CREATING" else "UPDATE_FAILED", addon.failure)
        elif addon.status in BUSY | {"ACTIVE", "DEGRADED"}:
            self._follow_health(addon)

    def _follow_health(self, addon: Addon) -> None:
        issue = self._workload(addon).unhealthy(addon.namespace)
        if issue is None:
            addon.unwell_since = None
            self._finish(addon, "ACTIVE", None)
            return
        addon.unwell_since = addon.unwell_since or time.monotonic()
        if addon.status == "DEGRADED" or time.monotonic() - addon.unwell_since >= self._grace:
            self._finish(addon, "DEGRADED", issue)

    @property
    def _grace(self) -> float:
        return self._lab.weather.health_grace_seconds

    @staticmethod
    def _finish(addon: Addon, status: str, issue: Issue | None) -> None:
        if addon.status == "UPDATING":
            addon.updates[-1].finish(issue)
            if status != "UPDATE_FAILED":
                _take_over(addon, addon.pending)
        addon.failure, addon.issue = None, issue
        if addon.status != status:
            addon.become(status)


def configuration_view(name: str, version: str) -> dict[str, t.Any]:
    """As DescribeAddonConfiguration shows it; InvalidParameterException for what isn't on offer."""
    offer = _offer(name)
    if version not in {known.name for known in offer.versions}:
        raise invalid_parameter("Addon version specified is not supported", addonName=name)
    return {
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": json.dumps(offer.schema),
        "podIdentityConfiguration": [
            {
                "serviceAccount": service_account,
                "recommendedManagedPolicies": [f"arn:aws:iam::aws:policy/{policy}" for policy in policies],
            }
            for service_account, policies in offer.pod_identity.items()
        ],
    }


def offers_page(parameters: Parameters) -> tuple[list[dict[str, t.Any]], str | None]:
    """Return one page of what DescribeAddonVersions shows, and the token of the next."""
    if parameters.get("addonName"):
        _offer(parameters["addonName"])
    wanted = {
        name: set(parameters[plural])
        for name, plural in (("type", "types"), ("publisher", "publishers"), ("owner", "owners"))
        if parameters.get(plural)
    }
    shown = [addon.view(parameters.get("kubernetesVersion") or None) for addon in CATALOG.values()]
    found = [
        addon
        for addon in shown
        if addon["addonVersions"]
        and parameters.get("addonName") in (None, "", addon["addonName"])
        and all(addon[name] in values for name, values in wanted.items())
    ]
    return page(found, lambda addon: addon["addonName"], parameters)


def _offer(name: str) -> CatalogAddon:
    if name not in CATALOG:
        raise invalid_parameter("Addon specified is not supported", addonName=name)
    return CATALOG[name]


def _take_over(addon: Addon, changes: Parameters) -> None:
    addon.version = changes.get("addonVersion") or addon.version
    for attribute, name in (("role_arn", "serviceAccountRoleArn"), ("configuration", "configurationValues")):
        if changes.get(name) is not None:
            setattr(addon, attribute, changes[name])


def _update_params(parameters: Parameters) -> list[dict[str, str]]:
    names = {
        "addonVersion": "AddonVersion",
        "serviceAccountRoleArn": "ServiceAccountRoleArn",
        "resolveConflicts": "ResolveConflicts",
        "configurationValues": "ConfigurationValues",
        "podIdentityAssociations": "PodIdentityAssociations",
    }
    given = {kind: parameters[name] for name, kind in names.items() if parameters.get(name) is not None}
    return [{"type": kind, "value": v if isinstance(v, str) else json.dumps(v)} for kind, v in given.items()]
