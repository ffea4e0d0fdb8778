# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add-ons in the EKS API: dataclasses in and out, no decisions."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import DENIED_CODES, NOT_FOUND, doing, error_code, error_message
from .._core.plan import Change, Refused
from . import configuration
from .health import Issue
from .plan import Addon, Binding, Key, Observed
from .versions import Catalogue, Offer, unknown_addon

NOT_OFFERED = NOT_FOUND | {"InvalidParameterException"}
"""EKS's codes for an add-on that it doesn't offer."""


class EksAddons:
    """The add-ons of ``cluster``.

    ``missing_role`` asks IAM about a role's ARN, and returns a clause where IAM has no such role.
    """

    def __init__(
        self, client: t.Any, cluster: str, missing_role: t.Callable[[str], str] = lambda _role_arn: ""
    ) -> None:
        self._client = client
        self._cluster = cluster
        self.missing_role = missing_role

    def find(self, name: str) -> Observed | None:
        """The add-on, its associations known by their ARNs only; one call."""
        try:
            with doing(f"describe {Key(self._cluster, name)}"):
                raw = self._client.describe_addon(clusterName=self._cluster, addonName=name)["addon"]
        except AnsibleAWSError as error:
            if error_code(error) in NOT_FOUND and "No cluster found" not in error_message(error):
                return None
            raise
        return _observed(raw)

    def detailed(self, observed: Observed) -> Observed:
        """``observed`` with service accounts and roles of its associations; one call for each."""
        bindings = [self._binding(binding.arn) for binding in observed.addon.bindings]
        known = sorted((b for b in bindings if b), key=lambda binding: binding.service_account)
        return replace(observed, addon=replace(observed.addon, bindings=tuple(known)))

    def names(self) -> list[str]:
        """Names of the cluster's add-ons; all pages."""
        with doing(f"list the add-ons of cluster {self._cluster}"):
            pages = self._client.get_paginator("list_addons").paginate(clusterName=self._cluster)
            return [name for page in pages for name in page["addons"]]

    def catalogue(self, name: str) -> Catalogue:
        """What EKS offers of an add-on; ``Refused`` for an unknown one, with the nearest names."""
        try:
            with doing(f"describe the versions of add-on {name}"):
                offered = self._offered(addonName=name)
        except AnsibleAWSError as error:
            if error_code(error) not in NOT_OFFERED:
                raise
            offered = []
        if not offered:
            with doing("list the add-ons that EKS offers"):
                raise Refused(unknown_addon(name, [raw["addonName"] for raw in self._offered()]))
        return _catalogue(offered[0])

    def kubernetes_version(self) -> str:
        """The cluster's Kubernetes version."""
        with doing(f"describe EKS cluster '{self._cluster}'"):
            return str(self._client.describe_cluster(name=self._cluster)["cluster"]["version"])

    def configuration(self, name: str, version: str) -> dict[str, t.Any]:
        """DescribeAddonConfiguration's answer; {} where the caller may not ask."""
        try:
            with doing(f"describe the configuration of add-on {name} {version}"):
                answer = self._client.describe_addon_configuration(addonName=name, addonVersion=version)
        except AnsibleAWSError as error:
            if error_code(error) in DENIED_CODES:
                return {}
            raise
        return dict(answer)

    def make(self, change: Change) -> str:
        """Make one planned call; the id of the update that it began, or ""."""
        with doing(change.purpose):
            answer = getattr(self._client, change.call)(**change.args)
        return str(answer.get("update", {}).get("id", ""))

    def update(self, name: str, update_id: str) -> tuple[str, tuple[Issue, ...]]:
        """Status of an update of an add-on, and what went wrong."""
        with doing(f"follow the update of {Key(self._cluster, name)}"):
            answer = self._client.describe_update(name=self._cluster, addonName=name, updateId=update_id)
        raw = answer["update"]
        errors = raw.get("errors") or []
        return raw["status"], tuple(_issue(e.get("errorCode"), e.get("errorMessage"), e) for e in errors)

    def _offered(self, **only: str) -> list[dict[str, t.Any]]:
        pages = self._client.get_paginator("describe_addon_versions").paginate(**only)
        return [raw for page in pages for raw in page["addons"]]

    def _binding(self, arn: str) -> Binding | None:
        """The association of that ARN; None once it is deleted."""
        try:
            with doing(f"describe the association {arn}"):
                answer = self._client.describe_pod_identity_association(
                    clusterName=self._cluster, associationId=arn.rpartition("/")[2]
                )
        except AnsibleAWSError as error:
            if error_code(error) in NOT_FOUND:
                return None
            raise
        return Binding(answer["association"]["serviceAccount"], answer["association"]["roleArn"], arn)


def _observed(raw: dict[str, t.Any]) -> Observed:
    addon = Addon(
        version=raw.get("addonVersion") or "",
        configuration=configuration.found(raw.get("configurationValues") or ""),
        service_account_role_arn=raw.get("serviceAccountRoleArn") or "",
        bindings=tuple(Binding(arn=arn) for arn in raw.get("podIdentityAssociations") or ()),
        namespace=(raw.get("namespaceConfig") or {}).get("namespace") or "",
        tags=raw.get("tags") or {},
    )
    issues = (raw.get("health") or {}).get("issues") or []
    return Observed(
        addon=addon,
        arn=raw["addonArn"],
        status=raw["status"],
        issues=tuple(_issue(issue.get("code"), issue.get("message"), issue) for issue in issues),
        publisher=raw.get("publisher") or "",
        owner=raw.get("owner") or "",
        created_at=_time(raw.get("createdAt")),
        modified_at=_time(raw.get("modifiedAt")),
    )


def _issue(code: str | None, message: str | None, raw: dict[str, t.Any]) -> Issue:
    return Issue(code or "Unknown", message or "", tuple(raw.get("resourceIds") or ()))


def _catalogue(raw: dict[str, t.Any]) -> Catalogue:
    offers = tuple(
        Offer(
            version=version["addonVersion"],
            kubernetes={c["clusterVersion"]: bool(c.get("defaultVersion")) for c in version["compatibilities"]},
            requires_configuration=bool(version.get("requiresConfiguration")),
        )
        for version in raw["addonVersions"]
    )
    facts = (raw.get(fact) or "" for fact in ("defaultNamespace", "publisher", "owner"))
    return Catalogue(raw["addonName"], offers, *facts)


def _time(value: t.Any) -> str:
    return value.isoformat() if value else ""
