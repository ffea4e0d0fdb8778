# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator under test, as its tests see it: clients, control, IAM in a line."""

from __future__ import annotations

import json
import typing as t
import urllib.request

import boto3
from ansible_collections.enbuild.eks.tests.lab.aws.config import Config
from ansible_collections.enbuild.eks.tests.lab.aws.server import Emulator
from ansible_collections.enbuild.eks.tests.unit.lab.aws.fake_kubernetes import FakeKubernetes
from ansible_collections.enbuild.eks.tests.unit.lab.aws.strict import make_strict
from botocore.config import Config as BotoConfig

ACCOUNT = "123456789012"
REGION = "us-east-1"
OPERATOR = ("AKIAIOSFODNN7OPERATR", "wJalrXUtnFEMI/K7MDENG+bPxRfiCY")
CONTROL_TOKEN = "the-labs-own"
STRICT = {"eks", "eks-auth", "bedrock"}


class Lab:
    """The emulator under test: clients, control, IAM in a line."""

    def __init__(self, emulator: Emulator, config: Config, kubernetes: FakeKubernetes) -> None:
        self.state = emulator.lab
        self.config = config
        self.kubernetes = kubernetes
        self.url = f"http://127.0.0.1:{config.http_port}"

    def client(
        self, service: str, credentials: t.Sequence[str] = OPERATOR, region: str = REGION, **options: t.Any
    ) -> t.Any:
        """Return a client that doesn't retry, and checks what it gets."""
        client = boto3.client(
            service,
            region,
            endpoint_url=self.url,
            aws_access_key_id=credentials[0],
            aws_secret_access_key=credentials[1],
            aws_session_token=credentials[2] if len(credentials) > 2 else None,
            config=BotoConfig(retries={"total_max_attempts": 1}, **options),
        )
        return make_strict(client) if service in STRICT else client

    def control(
        self, method: str, path: str, body: t.Any = None, *, token: str = CONTROL_TOKEN, **headers: str
    ) -> t.Any:
        """Call a control endpoint."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token}", **headers}
        request = urllib.request.Request(f"{self.url}/_lab/{path}", data, sent, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def role(self, name: str, trust: t.Any = None, **policies: t.Any) -> str:
        """Make a role with inline policies and return its ARN."""
        iam = self.client("iam")
        document = json.dumps(trust or POD_IDENTITY_TRUST)
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for policy, statement in policies.items():
            text = json.dumps({"Version": "2012-10-17", "Statement": statement})
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
        return str(arn)

    def user(self, name: str, *statements: t.Any) -> tuple[str, str]:
        """Make a user with an inline policy and return its credentials."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if statements:
            text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=text)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


def trust(**changes: t.Any) -> dict[str, t.Any]:
    """Return a trust policy for Pod Identity, its statement changed."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    return {"Version": "2012-10-17", "Statement": [{**statement, **changes}]}


POD_IDENTITY_TRUST = trust()
