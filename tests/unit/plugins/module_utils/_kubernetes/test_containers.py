# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.containers import (
    irsa_variables,
    own_container_variables,
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


IRSA = (("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/file"))


@pytest.mark.parametrize(
    ("template", "found"),
    [
        (pod(*IRSA), 2),
        (pod(IRSA[0]), 0),
        (pod(IRSA[1]), 1),
        (pod(*IRSA, mounts=[{"name": "aws-iam-token", "mountPath": "/x"}]), 0),
    ],
)
def test_irsa_counts_where_the_template_sets_it_itself(template: t.Any, found: int) -> None:
    assert len(irsa_variables(template, variables(template, {}))) == found


URI, FILE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


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
        (pod(PROXY), True, {"main": "[fd00:ec2::23]"}),
        (pod(PROXY, ("NO_PROXY", "a, 169.254.170.23")), False, {}),
        (pod(PROXY, ("no_proxy", "169.254.0.0/16")), False, {}),
        (pod(PROXY, ("no_proxy", "*")), False, {}),
        (pod(PROXY, ("no_proxy", "[fd00:ec2::23]")), True, {}),
        (pod(PROXY, ("NO_PROXY", "169.254.170.23"), ("no_proxy", "b")), False, {"main": "169.254.170.23,b"}),
        (pod(PROXY, ("NO_PROXY", {"valueFrom": {}})), False, {}),
        (pod(("HTTP_PROXY", "")), False, {}),
        (pod(sources=[{"configMapRef": {"name": "proxy"}}]), False, {"main": ".svc,169.254.170.23"}),
    ],
)
def test_a_proxy_needs_the_agent_as_an_exception(template: t.Any, ipv6: bool, found: t.Any) -> None:
    assert unproxied(variables(template, CONTENTS), ipv6) == found
