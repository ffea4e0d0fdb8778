# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a cluster's add-ons, and at what EKS offers it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core import validate
from .._core.parallel import spread
from .api import EksAddons
from .options import addon_name, check_kubernetes_version
from .plan import Key, view
from .versions import Catalogue

CONCURRENCY = 8
"""Calls at a time."""


@dataclass(frozen=True)
class Query:
    """What a task asks for. Without names it is about what is installed."""

    cluster: str
    names: tuple[str, ...]
    kubernetes: str = ""
    versions: bool = False
    pod_identity: bool = False


@dataclass(frozen=True)
class Answer:
    """Installed add-ons, and offers, in the words that modules return."""

    addons: list[dict[str, t.Any]]
    offers: list[dict[str, t.Any]]


def query(params: t.Mapping[str, t.Any]) -> Query:
    """Read the options, or refuse them before anything is called."""
    check_kubernetes_version(params["kubernetes_version"])
    return Query(
        validate.cluster_name("cluster_name", params["cluster_name"]),
        tuple(dict.fromkeys(addon_name(name) for name in params["names"] or ())),
        params["kubernetes_version"] or "",
        params["versions"],
        params["pod_identity"],
    )


def read_addons(eks: EksAddons, asked: Query) -> Answer:
    """Ask EKS. An add-on that isn't installed is left out; one that EKS doesn't offer is refused."""
    names = asked.names or tuple(eks.names())
    addons = [addon for addon in spread(lambda name: _installed(eks, asked, name), names, CONCURRENCY) if addon]
    if not (asked.versions or asked.pod_identity):
        return Answer(addons, [])
    kubernetes = asked.kubernetes or eks.kubernetes_version()
    installed = {addon["name"]: addon["version"] for addon in addons}
    offers = spread(lambda name: _offer(eks, asked, kubernetes, (name, installed.get(name, ""))), names, CONCURRENCY)
    return Answer(addons, offers)


def _installed(eks: EksAddons, asked: Query, name: str) -> dict[str, t.Any]:
    found = eks.find(name)
    return view(Key(asked.cluster, name), eks.detailed(found) if found else None)


def _offer(eks: EksAddons, asked: Query, kubernetes: str, named: tuple[str, str]) -> dict[str, t.Any]:
    name, installed = named
    catalogue = eks.catalogue(name)
    words = {"name": name, **_versions(catalogue, kubernetes)}
    if asked.pod_identity:
        words["pod_identity"] = _recommended(eks, name, installed or words["default_version"])
    return words


def _versions(catalogue: Catalogue, kubernetes: str) -> dict[str, t.Any]:
    available = catalogue.available(kubernetes)
    needing = {offer.version for offer in catalogue.offers if offer.requires_configuration}
    return {
        "kubernetes_version": kubernetes,
        "default_namespace": catalogue.default_namespace or None,
        "publisher": catalogue.publisher or None,
        "owner": catalogue.owner or None,
        "default_version": catalogue.default(kubernetes) or None,
        "latest_version": next(iter(available), None),
        "versions": [{"version": version, "requires_configuration": version in needing} for version in available],
    }


def _recommended(eks: EksAddons, name: str, version: str | None) -> list[dict[str, t.Any]]:
    """The service accounts that take a role, each with the managed policies that EKS recommends for it."""
    configuration = eks.configuration(name, version) if version else {}
    return [
        {
            "service_account": item["serviceAccount"],
            "managed_policies": list(item.get("recommendedManagedPolicies") or ()),
        }
        for item in configuration.get("podIdentityConfiguration") or ()
    ]
