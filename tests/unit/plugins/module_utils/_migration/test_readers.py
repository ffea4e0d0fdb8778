# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers that read a service account's annotation without a pod of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._migration.readers import readers

Object = dict[str, t.Any]
PLACE = ("shop", "orders")


def item(name: str, namespace: str = "shop", **spec: t.Any) -> Object:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, "spec": spec}


def store(name: str, namespace: str, reference: dict[str, str]) -> Object:
    return item(name, namespace, provider={"aws": {"auth": {"jwt": {"serviceAccountRef": reference}}}})


def template(provider_class: str = "") -> Object:
    source = {"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"secretProviderClass": provider_class}}
    volumes = [{"name": "v", "csi": source}] if provider_class else [{"name": "v", "emptyDir": {}}]
    return {"spec": {"serviceAccountName": "orders", "volumes": volumes}}


def scaled(kind: str = "TriggerAuthentication") -> Object:
    reference = {"name": "aws", "kind": kind}
    return item("queue", scaleTargetRef={"name": "web"}, triggers=[{"type": "cpu"}, {"authenticationRef": reference}])


PLAIN = [("shop", "web", template())]
FOUND = {
    "a store": ({"secretstores": [store("aws", "shop", {"name": "orders"})]}, PLAIN, "SecretStore shop/aws"),
    "a store of the cluster": (
        {"clustersecretstores": [store("aws", "", {"name": "orders", "namespace": "shop"})]},
        PLAIN,
        "ClusterSecretStore aws",
    ),
    "a provider class that a pod mounts": (
        {"secretproviderclasses": [item("keys", provider="aws")]},
        [("shop", "web", template("keys"))],
        "SecretProviderClass shop/keys",
    ),
    "a scaler": (
        {"scaledobjects": [scaled()], "triggerauthentications": [item("aws", podIdentity={"provider": "aws-eks"})]},
        PLAIN,
        "ScaledObject shop/queue",
    ),
    "a scaler by an authentication of the cluster": (
        {
            "scaledobjects": [scaled("ClusterTriggerAuthentication")],
            "clustertriggerauthentications": [
                item("aws", "", podIdentity={"provider": "aws", "identityOwner": "workload"})
            ],
        },
        PLAIN,
        "ScaledObject shop/queue",
    ),
}


@pytest.mark.parametrize(("objects", "templates", "named"), FOUND.values(), ids=FOUND)
def test_found(objects: t.Any, templates: t.Any, named: str) -> None:
    (reader,) = readers(objects, templates)[PLACE]
    assert reader.startswith(named)


NOT: dict[str, tuple[t.Any, t.Any]] = {
    "a store by a secret": ({"secretstores": [item("aws", provider={"aws": {"auth": {"secretRef": {}}}})]}, PLAIN),
    "a store with another schema": ({"secretstores": [item("aws", provider="aws")]}, PLAIN),
    "a class of Pod Identity": (
        {"secretproviderclasses": [item("keys", provider="aws", parameters={"usePodIdentity": "true"})]},
        [("shop", "web", template("keys"))],
    ),
    "a class that nobody mounts": ({"secretproviderclasses": [item("keys", provider="aws")]}, PLAIN),
    "a scaler with its own role": (
        {"scaledobjects": [scaled()], "triggerauthentications": [item("aws", podIdentity={"provider": "aws"})]},
        PLAIN,
    ),
    "nothing": ({}, PLAIN),
}


@pytest.mark.parametrize(("objects", "templates"), NOT.values(), ids=NOT)
def test_not_found(objects: t.Any, templates: t.Any) -> None:
    assert readers(objects, templates) == {}
