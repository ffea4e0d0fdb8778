# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects whose controllers read the annotation of a service account, without a pod that uses it. Pure."""

from __future__ import annotations

import typing as t

from .._core.validate import Place
from .._kubernetes.pods import Object, service_account_of

Objects = t.Mapping[str, t.Sequence[Object]]
"""By plural; kinds that the cluster doesn't have are left out."""

SECRETS = "external-secrets.io"
SECRETS_DRIVER = "secrets-store.csi.x-k8s.io"
KEDA = "keda.sh"
KINDS = {
    "secretstores": SECRETS,
    "clustersecretstores": SECRETS,
    "secretproviderclasses": SECRETS_DRIVER,
    "triggerauthentications": KEDA,
    "clustertriggerauthentications": KEDA,
    "scaledobjects": KEDA,
}
"""The API group of each plural."""
DRIVER = "secrets-store.csi.k8s.io"


def readers(objects: Objects, templates: t.Iterable[tuple[str, str, Object]]) -> dict[Place, tuple[str, ...]]:
    """Who reads the annotation of each service account, as messages name it.

    ``templates`` are the pod templates: namespace, name of the workload, template.
    """
    known = list(templates)
    found: dict[Place, list[str]] = {}
    for place, reader in (*_stores(objects), *_provider_classes(objects, known), *_scalers(objects, known)):
        found.setdefault(place, []).append(reader)
    return {place: tuple(dict.fromkeys(named)) for place, named in found.items()}


def _stores(objects: Objects) -> t.Iterator[tuple[Place, str]]:
    """External Secrets: a store that signs in as a service account."""
    for plural, kind in (("secretstores", "SecretStore"), ("clustersecretstores", "ClusterSecretStore")):
        for item in objects.get(plural, ()):
            named = _within(item, "spec", "provider", "aws", "auth", "jwt", "serviceAccountRef")
            space = _within(item, "metadata").get("namespace") or named.get("namespace")
            if named.get("name") and space:
                yield (str(space), str(named["name"])), f"{kind} {_name(item)} of External Secrets"


def _provider_classes(
    objects: Objects, templates: t.Iterable[tuple[str, str, Object]]
) -> t.Iterator[tuple[Place, str]]:
    """The Secrets Store CSI driver: a class that pods mount, unless it asks for Pod Identity."""
    classes = {
        (item["metadata"]["namespace"], item["metadata"]["name"])
        for item in objects.get("secretproviderclasses", ())
        if _within(item, "spec").get("provider") == "aws"
        and str(_within(item, "spec", "parameters").get("usePodIdentity", "")).lower() != "true"
    }
    for space, _workload, template in templates:
        for name in _mounted(template):
            if (space, name) in classes:
                reader = f"SecretProviderClass {space}/{name} of the Secrets Store CSI driver"
                yield (space, service_account_of(template)), reader


def _mounted(template: Object) -> t.Iterator[str]:
    for volume in _within(template, "spec").get("volumes") or ():
        source = volume.get("csi") or {}
        if source.get("driver") == DRIVER:
            yield str((source.get("volumeAttributes") or {}).get("secretProviderClass") or "")


def _scalers(objects: Objects, templates: t.Iterable[tuple[str, str, Object]]) -> t.Iterator[tuple[Place, str]]:
    """KEDA: a trigger that takes the role of the workload that it scales."""
    asking = {
        (item["metadata"].get("namespace", ""), item["metadata"]["name"])
        for plural in ("triggerauthentications", "clustertriggerauthentications")
        for item in objects.get(plural, ())
        if _takes_workloads_role(_within(item, "spec", "podIdentity"))
    }
    accounts = {(space, workload): service_account_of(template) for space, workload, template in templates}
    for item in objects.get("scaledobjects", ()):
        space, name = item["metadata"]["namespace"], item["metadata"]["name"]
        place = (space, str(_within(item, "spec", "scaleTargetRef").get("name", "")))
        if place in accounts and any(
            _asks(each, space, asking) for each in _within(item, "spec").get("triggers") or ()
        ):
            yield (space, accounts[place]), f"ScaledObject {space}/{name} of KEDA"


def _takes_workloads_role(identity: Object) -> bool:
    provider = identity.get("provider")
    return provider == "aws-eks" or (provider == "aws" and identity.get("identityOwner") == "workload")


def _asks(trigger: Object, space: str, asking: t.Collection[Place]) -> bool:
    named = trigger.get("authenticationRef") or {}
    wide = named.get("kind") == "ClusterTriggerAuthentication"
    return ("" if wide else space, named.get("name", "")) in asking


def _name(item: Object) -> str:
    meta = item["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def _within(item: Object, *path: str) -> t.Mapping[str, t.Any]:
    """The mapping at ``path``; empty where there is none: nobody else's schema is trusted."""
    for part in path:
        item = item.get(part) or {}
        if not isinstance(item, t.Mapping):
            return {}
    return item
