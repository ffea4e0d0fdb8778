# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.containers import (
    irsa_variables,
    own_container_variables,
    reduced,
    relative_uris,
    static_keys,
    unproxied,
    variables,
)
from ansible_collections.enbuild.eks.tests.unit.plugins.pod_samples import CONTENTS, FROM_SECRET, key, pod


@pytest.mark.parametrize(
    ("template", "found"),
    [
        (pod(("AWS_REGION", "us-east-1")), []),
        (pod(("AWS_ACCESS_KEY_ID", "AKIA")), ["AWS_ACCESS_KEY_ID"]),
        (pod(("AWS_ACCESS_KEY_ID", {"valueFrom": {"fieldRef": {}}})), ["AWS_ACCESS_KEY_ID"]),
        (pod(("AWS_ACCESS_KEY_ID", key("aws", optional=True))), ["AWS_ACCESS_KEY_ID"]),
        (pod(("AWS_ACCESS_KEY_ID", key("aws", "other", optional=True))), []),
        (pod(("AWS_ACCESS_KEY_ID", key("gone", optional=True))), []),
        (pod(("AWS_ACCESS_KEY_ID", key("blank"))), []),
        (pod(("AWS_ACCESS_KEY_ID", key("denied"))), ["AWS_ACCESS_KEY_ID"]),
        (pod(("AWS_ACCESS_KEY_ID", key("denied", optional=True))), []),
        (pod(sources=[{"secretRef": {"name": "blank"}}]), []),
        (pod(sources=[{"secretRef": {"name": "denied"}}]), []),
        (pod(("AWS_ACCESS_KEY_ID", "")), []),
        (pod(sources=[FROM_SECRET]), ["AWS_ACCESS_KEY_ID"]),
        (pod(("AWS_ACCESS_KEY_ID", ""), sources=[FROM_SECRET]), []),
        (pod(sources=[{**FROM_SECRET, "prefix": "OLD_"}]), []),
    ],
)
def test_static_keys_are_found_wherever_they_come_from(template: t.Any, found: t.Any) -> None:
    assert [each.name for each in static_keys(variables(template, CONTENTS))] == found


URI, FILE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
IRSA_MOUNT = {"name": "aws-iam-token", "mountPath": "/x"}
IRSA = (("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/file"))


@pytest.mark.parametrize(
    ("template", "found", "live"),
    [
        (pod(*IRSA), 2, 2),
        (pod(IRSA[0]), 0, 0),
        (pod(IRSA[1]), 1, 1),
        (pod(*IRSA, mounts=[IRSA_MOUNT]), 2, 0),
        (pod(*IRSA, (URI, "http://169.254.170.23/v1/credentials"), mounts=[IRSA_MOUNT]), 2, 2),
    ],
)
def test_irsa_counts_but_where_the_webhook_gave_it_to_a_running_pod(template: t.Any, found: int, live: int) -> None:
    seen = variables(template, {})
    assert len(irsa_variables(template, seen)) == found
    assert len(irsa_variables(template, seen, live=True)) == live


@pytest.mark.parametrize(("value", "found"), [("/v2/credentials/1", 1), ("", 0), ({"valueFrom": {"fieldRef": {}}}, 1)])
def test_the_uri_of_ecs_goes_first(value: t.Any, found: int) -> None:
    assert len(relative_uris(variables(pod(("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", value)), {}))) == found


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ""),
        ("anything", "(hidden)"),
        ("[default]\nAWS_ACCESS_KEY_ID=AKIA", "aws_access_key_id"),
        ("[secret]\ncredential_process = /bin/x", "credential_process"),
    ],
)
def test_of_a_secret_is_kept_what_an_sdk_finds_in_it(text: str, left: str) -> None:
    assert reduced(base64.b64encode(text.encode()).decode()) == left


@pytest.mark.parametrize(
    ("template", "found"),
    [
        (pod(), 0),
        (pod((URI, "http://169.254.170.23/v1/credentials"), (FILE, "/f")), 0),
        (pod((URI, "http://169.254.170.23/v1/credentials")), 1),
        (pod((FILE, "/f")), 1),
        (pod((URI, "http://localhost/"), (FILE, "/f")), 2),
    ],
)
def test_variables_of_the_agent_are_the_webhooks_to_set(template: t.Any, found: int) -> None:
    assert len(own_container_variables(variables(template, {}))) == found


PROXY = ("HTTPS_PROXY", "http://p:3128")


@pytest.mark.parametrize(
    ("template", "ipv6", "found"),
    [
        (pod(), False, {}),
        (pod(PROXY), False, {"main": "169.254.170.23"}),
        (pod(PROXY), True, {"main": "fd00:ec2::23,[fd00:ec2::23]"}),
        (pod(PROXY, ("no_proxy", "fd00:ec2::23")), True, {"main": "fd00:ec2::23,[fd00:ec2::23]"}),
        (pod(PROXY, ("no_proxy", "fd00:ec2::/64")), True, {}),
        (pod(PROXY, ("no_proxy", "fd00:ec2::23, [fd00:ec2::23]")), True, {}),
        (pod(PROXY, ("no_proxy", "169.254.170.2")), False, {"main": "169.254.170.2,169.254.170.23"}),
        (pod(PROXY, ("NO_PROXY", "a, 169.254.170.23")), False, {}),
        (pod(PROXY, ("no_proxy", "169.254.0.0/16")), False, {}),
        (pod(PROXY, ("no_proxy", "*")), False, {}),
        (pod(PROXY, ("no_proxy", "[fd00:ec2::23]")), True, {"main": "[fd00:ec2::23],fd00:ec2::23"}),
        (pod(PROXY, ("NO_PROXY", "169.254.170.23"), ("no_proxy", "b")), False, {"main": "169.254.170.23,b"}),
        (pod(PROXY, ("NO_PROXY", {"valueFrom": {}})), False, {}),
        (pod(("HTTP_PROXY", "")), False, {}),
        (pod(sources=[{"configMapRef": {"name": "proxy"}}]), False, {"main": ".svc,169.254.170.23"}),
    ],
)
def test_a_proxy_needs_the_agent_as_an_exception(template: t.Any, ipv6: bool, found: t.Any) -> None:
    assert unproxied(variables(template, CONTENTS), ipv6) == found
