# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token is what the AWS CLI makes, names its cluster, and takes no call."""

from __future__ import annotations

import base64
import datetime
import urllib.parse

import boto3
import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._cluster.token import cluster_token
from awscli.customizations.eks.get_token import STSClientFactory, TokenGenerator

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}


def url_of(token: str) -> str:
    text = token.removeprefix("k8s-aws-v1.")
    assert text != token
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def test_the_token_is_the_aws_cli_s(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment.replace(tzinfo=None))
    ours = cluster_token(boto3.client("sts", "eu-west-1", **KEYS), "prod")
    theirs = boto3.client("sts", "eu-west-1", **KEYS)
    STSClientFactory(None)._register_k8s_aws_id_handlers(theirs)
    assert ours == TokenGenerator(theirs).get_token("prod")
    assert "X-Amz-Date=20260102T030405Z" in url_of(ours)


def test_a_client_makes_tokens_for_several_clusters() -> None:
    sts = boto3.client("sts", "eu-west-1", **KEYS)
    queries = [urllib.parse.parse_qs(url_of(cluster_token(sts, name))) for name in ("prod", "dev", "prod")]
    assert [query["X-Amz-SignedHeaders"] for query in queries] == [["host;x-k8s-aws-id"]] * 3
    signatures = [query["X-Amz-Signature"] for query in queries]
    assert signatures[0] != signatures[1]


def test_the_token_is_for_the_client_s_endpoint() -> None:
    sts = boto3.client("sts", "eu-west-1", endpoint_url="http://127.0.0.1:4566", **KEYS)
    assert url_of(cluster_token(sts, "prod")).startswith("http://127.0.0.1:4566/?")
