# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.lab.node.variables import NotStarted, expand, mapped, variables

POD: dict[str, t.Any] = {
    "metadata": {"name": "orders-1", "namespace": "shop", "uid": "u", "labels": {"app": "orders"}},
    "spec": {"nodeName": "node-1", "serviceAccountName": "orders"},
    "status": {"podIP": "10.0.0.7"},
}
OBJECTS = {
    ("secrets", "keys"): {"data": {"ID": base64.b64encode(b"AKIA").decode()}},
    ("configmaps", "settings"): {"data": {"REGION": "eu-west-1"}},
}


class Objects:
    """A namespace with one Secret and one ConfigMap."""

    def read(self, kind: str, name: str) -> dict[str, t.Any] | None:
        return OBJECTS.get((kind, name))


def referring(**source: t.Any) -> list[dict[str, t.Any]]:
    return [{"name": "V", "valueFrom": source}]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)/b", "1/b"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A $", "$A $"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1"}) == expanded


def test_env_comes_after_envfrom_and_sees_what_is_before_it() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"prefix": "AWS_", "secretRef": {"name": "keys"}}],
        "env": [{"name": "REGION", "value": "us-east-1"}, {"name": "BUCKET", "value": "b-$(REGION)"}, {"name": "NONE"}],
    }
    expected = {"REGION": "us-east-1", "AWS_ID": "AKIA", "BUCKET": "b-us-east-1", "NONE": ""}
    assert variables(POD, container, Objects()) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "orders-1"),
        ("metadata.labels['app']", "orders"),
        ("metadata.annotations['none']", ""),
        ("spec.nodeName", "node-1"),
        ("status.podIP", "10.0.0.7"),
    ],
)
def test_fields(path: str, value: str) -> None:
    assert variables(POD, {"env": referring(fieldRef={"fieldPath": path})}, Objects()) == {"V": value}


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize(
    "source",
    [
        {"secretKeyRef": {"name": "gone", "key": "ID"}},
        {"secretKeyRef": {"name": "keys", "key": "GONE"}},
        {"configMapKeyRef": {"name": "gone", "key": "REGION"}},
    ],
)
def test_a_container_without_what_it_needs_is_not_started(source: dict[str, t.Any], optional: bool) -> None:
    (reference,) = source
    env = referring(**{reference: {**source[reference], "optional": optional}})
    if optional:
        assert variables(POD, {"env": env}, Objects()) == {}
        return
    with pytest.raises(NotStarted, match=r"not found|couldn't find key"):
        variables(POD, {"env": env}, Objects())


@pytest.mark.parametrize(
    ("name", "value", "here"),
    [
        ("URI", "http://169.254.170.23/v1/credentials", "http://127.0.0.1:4711/v1/credentials"),
        ("URI", "http://[fd00:ec2::23]/v1/credentials", "http://127.0.0.1:4711/v1/credentials"),
        ("URI", "http://169.254.170.230/v1/credentials", "http://169.254.170.230/v1/credentials"),
        ("NO_PROXY", "10.0.0.0/8,169.254.170.23", "10.0.0.0/8,127.0.0.1"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/etc/aws/credentials", "/lab/etc/aws/credentials"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/app/.aws/credentials", "/lab/app/.aws/credentials"),
        ("HOME", "/app", "/lab/app"),
        ("DATA", "/data/deep/x", "/lab/data/deep/x"),
        ("DATA", "/data", "/lab/data"),
        ("DATA", "/database", "/database"),
    ],
)
def test_addresses_and_paths_become_this_machines(name: str, value: str, here: str) -> None:
    mounts = {"/data": "/lab/data", "/data/deep": "/lab/data/deep", "/etc/aws": "/lab/etc/aws"}
    assert mapped(value, name, "127.0.0.1:4711", mounts, "/lab") == here
