# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.containers import WITH_KEYS, variables
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.credential_files import (
    credential_files,
    missing_profiles,
    other_sources,
)
from ansible_collections.enbuild.eks.tests.unit.plugins.pod_samples import pod

VOLUMES = {
    "keys": {"secret": {"secretName": "files"}},
    "renamed": {"secret": {"secretName": "files", "items": [{"key": "credentials", "path": "aws/keys"}]}},
    "settings": {"configMap": {"name": "settings"}},
    "with-keys": {"configMap": {"name": "with-keys"}},
    "gone": {"secret": {"secretName": "gone", "optional": True}},
    "denied": {"secret": {"secretName": "denied"}},
    "scratch": {"emptyDir": {}},
    "disk": {"persistentVolumeClaim": {"claimName": "home"}},
    "both": {"projected": {"sources": [{"configMap": {"name": "settings"}}, {"secret": {"name": "files"}}]}},
}
FILES = {
    ("Secret", "files"): {"credentials": WITH_KEYS},
    ("Secret", "gone"): {},
    ("Secret", "denied"): None,
    ("ConfigMap", "settings"): {"config": "[default]\nregion = us-east-1\n"},
    ("ConfigMap", "with-keys"): {"config": "[default]\naws_access_key_id = AKIA\n", "credentials": "[default]\n"},
}


@pytest.mark.parametrize(
    ("volume", "path", "more", "variable", "found"),
    [
        ("keys", "/app/.aws", {}, None, True),
        ("keys", "/app/.aws/", {}, None, True),
        ("keys", "/srv/app/.aws/credentials", {"subPath": "credentials"}, None, True),
        ("keys", "/app/.aws/other", {}, None, False),
        ("keys", "/data", {}, None, False),
        ("keys", "/etc/aws", {}, "/etc/aws/credentials", True),
        ("keys", "/etc/aws", {}, "/etc/awsome", False),
        ("renamed", "/etc", {}, "/etc/aws/keys", True),
        ("renamed", "/app/.aws/credentials", {"subPath": "aws/keys"}, None, True),
        ("renamed", "/app/.aws", {}, None, False),
        ("settings", "/app/.aws", {}, None, False),
        ("with-keys", "/app/.aws", {}, None, True),
        ("gone", "/app/.aws", {}, None, False),
        ("denied", "/app/.aws", {}, None, False),
        ("scratch", "/app/.aws", {}, None, False),
        ("disk", "/app/.aws", {}, None, False),
        ("both", "/app/.aws", {}, None, True),
    ],
)
def test_credentials_files_are_told_by_where_they_are_and_what_they_hold(
    volume: str, path: str, more: t.Any, variable: str | None, found: bool
) -> None:
    mount = {"name": volume, "mountPath": path, **more}
    template = pod(*([("AWS_SHARED_CREDENTIALS_FILE", variable)] if variable else []), mounts=[mount])
    template["spec"]["volumes"] = [{"name": volume, **t.cast("t.Any", VOLUMES[volume])}]
    seen = credential_files(template, variables(template, FILES), FILES)
    assert [each.pointer for each in seen] == (["/containers/0/volumeMounts/0"] if found else [])


CONFIG = """
region = us-east-1
[default]
output = json
[profile dev]
credential_process = /bin/x
[profile keys]
aws_access_key_id = AKIA
"""


@pytest.mark.parametrize(
    ("profile", "elsewhere", "keys", "missing"),
    [
        (None, False, False, False),
        ("default", False, False, False),
        ("dev", True, False, False),
        ("keys", False, True, False),
        ("prod", False, False, True),
        ({"valueFrom": {"fieldRef": {}}}, True, True, False),
    ],
)
def test_the_profile_that_a_container_names_decides(profile: t.Any, elsewhere: bool, keys: bool, missing: bool) -> None:
    template = pod(*([("AWS_PROFILE", profile)] if profile else []), mounts=[{"name": "aws", "mountPath": "/app/.aws"}])
    template["spec"]["volumes"] = [{"name": "aws", "configMap": {"name": "aws"}}]
    contents = {("ConfigMap", "aws"): {"config": CONFIG}}
    seen = variables(template, contents)
    assert bool(other_sources(template, seen, contents)) == elsewhere
    assert bool(credential_files(template, seen, contents)) == keys
    assert missing_profiles(template, seen, contents) == ({"main": profile} if missing else {})


@pytest.mark.parametrize("volume", ["keys", "denied", "disk", "gone"])
def test_a_file_that_cannot_be_read_is_believed_to_have_the_profile(volume: str) -> None:
    template = pod(("AWS_PROFILE", "prod"), mounts=[{"name": volume, "mountPath": "/app/.aws"}])
    template["spec"]["volumes"] = [{"name": volume, **t.cast("t.Any", VOLUMES[volume])}]
    seen = variables(template, FILES)
    assert missing_profiles(template, seen, FILES) == ({"main": "prod"} if volume == "disk" else {})


def test_a_secret_that_leads_elsewhere_does_for_whatever_profile() -> None:
    template = pod(mounts=[{"name": "aws", "mountPath": "/app/.aws"}])
    template["spec"]["volumes"] = [{"name": "aws", "secret": {"secretName": "aws"}}]
    contents = {("Secret", "aws"): {"config": "credential_process"}}
    assert len(other_sources(template, variables(template, contents), contents)) == 1
