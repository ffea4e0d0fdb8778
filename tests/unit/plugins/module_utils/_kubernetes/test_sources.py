# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.sources import sources, unreadable
from ansible_collections.enbuild.eks.tests.unit.plugins.pod_samples import CONTENTS, FROM_SECRET, key, pod


@pytest.mark.parametrize(
    ("template", "found"),
    [
        (pod(("AWS_ACCESS_KEY_ID", key("denied", optional=True))), ["AWS_ACCESS_KEY_ID of Secret denied"]),
        (pod(("AWS_ACCESS_KEY_ID", key("denied"))), []),
        (pod(("AWS_ACCESS_KEY_ID", key("gone", optional=True))), []),
        (pod(("LEVEL", key("denied", optional=True))), []),
        (pod(sources=[{"secretRef": {"name": "denied"}}]), ["all that Secret denied sets"]),
        (pod(sources=[{"secretRef": {"name": "gone"}}]), []),
        (pod(mounts=[{"name": "denied", "mountPath": "/app/.aws"}]), ["the files of Secret denied at /app/.aws"]),
        (pod(mounts=[{"name": "csi", "mountPath": "/app/.aws"}]), ["the files of volume csi at /app/.aws"]),
    ],
)
def test_what_cannot_be_read_is_unknown(template: t.Any, found: t.Any) -> None:
    template["spec"]["volumes"] = [{"name": "denied", "secret": {"secretName": "denied"}}, {"name": "csi", "csi": {}}]
    assert unreadable(template, CONTENTS) == found


def test_sources_are_what_has_to_be_read() -> None:
    template = pod(
        ("AWS_ACCESS_KEY_ID", key("one")),
        ("HTTP_PROXY", {"valueFrom": {"configMapKeyRef": {"name": "two", "key": "proxy"}}}),
        ("LEVEL", key("not-read")),
        mounts=[{"name": "three", "mountPath": "/app/.aws"}, {"name": "four", "mountPath": "/data"}],
    )
    secrets = ({"name": name, "secret": {"secretName": name}} for name in ("three", "four"))
    template["spec"]["volumes"] = list(secrets)
    assert sources(template) == {("Secret", "one"), ("ConfigMap", "two"), ("Secret", "three")}


def test_whole_sources_are_read() -> None:
    assert sources(pod(sources=[FROM_SECRET, {"configMapRef": {"name": "proxy"}}])) == {
        ("Secret", "aws"),
        ("ConfigMap", "proxy"),
    }
