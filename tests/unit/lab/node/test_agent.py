# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent's HTTP contract, in front of a client of EKS Auth that botocore's model checks."""

from __future__ import annotations

import http.client
import json
import threading
import time
import typing as t
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from ansible_collections.enbuild.eks.tests.lab.node.agent import Agent, Server
from botocore.stub import Stubber
from joserfc import jwt
from joserfc.jwk import OctKey

EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=6)


def token(pod: str = "uid-1", seconds: int = 600, **more: str) -> str:
    """Return a token that nobody but EKS Auth would look at closely."""
    claims = {"exp": int(time.time()) + seconds, "kubernetes.io": {"pod": {"uid": pod}}, **more}
    return str(jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("a key that is long enough for this")))


def exchanged(key: str = "ASIAEXAMPLEEXAMPLE12", expires: datetime = EXPIRES) -> dict[str, t.Any]:
    arn = "arn:aws:eks:us-east-1:123456789012:podidentityassociation/lab/a-123456789012345678"
    return {
        "subject": {"namespace": "shop", "serviceAccount": "orders"},
        "audience": "pods.eks.amazonaws.com",
        "podIdentityAssociation": {"associationArn": arn, "associationId": "a-123456789012345678"},
        "assumedRoleUser": {"arn": "arn:aws:sts::123456789012:assumed-role/orders/x", "assumeRoleId": "AROA:x"},
        "credentials": {
            "accessKeyId": key,
            "secretAccessKey": "secret",
            "sessionToken": "session",
            "expiration": expires,
        },
    }


class World:
    """An agent that listens, and EKS Auth behind it."""

    def __init__(self) -> None:
        client = boto3.client("eks-auth", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.eks_auth = Stubber(client)
        self.runs = True
        self.server = Server(Agent(client, "lab"), lambda: self.runs)

    def answers(self, **answer: t.Any) -> None:
        self.eks_auth.add_response("assume_role_for_pod_identity", exchanged(**answer))

    def refuses(self, code: str, status: int) -> None:
        self.eks_auth.add_client_error(
            "assume_role_for_pod_identity", code, "No association", status, response_meta={"RequestId": "r-1"}
        )

    def get(self, path: str = "/v1/credentials", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def world() -> t.Iterator[World]:
    made = World()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with made.eks_auth:
        yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_a_token_is_exchanged(world: World) -> None:
    world.answers()
    status, body = world.get(Authorization=token())
    assert status == 200
    assert json.loads(body) == {
        "AccessKeyId": "ASIAEXAMPLEEXAMPLE12",
        "SecretAccessKey": "secret",
        "Token": "session",
        "AccountId": "123456789012",
        "Expiration": EXPIRES.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def test_the_same_token_gets_the_same_again_and_another_does_not(world: World) -> None:
    world.answers()
    first = world.get(Authorization=token(seconds=600))
    assert world.get(Authorization=token(seconds=600)) == first
    world.answers(key="ASIAEXAMPLEEXAMPLE34")
    assert "ASIAEXAMPLEEXAMPLE34" in world.get(Authorization=token(jti="renewed"))[1]
    world.answers(key="ASIAEXAMPLEEXAMPLE56")
    assert "ASIAEXAMPLEEXAMPLE56" in world.get(Authorization=token(pod="uid-2"))[1]


def test_credentials_that_are_about_to_expire_are_not_handed_out_again(world: World) -> None:
    mine = token()
    world.answers(expires=datetime.now(UTC) + timedelta(seconds=10))
    world.get(Authorization=mine)
    world.answers(key="ASIAEXAMPLEEXAMPLE34")
    assert "ASIAEXAMPLEEXAMPLE34" in world.get(Authorization=mine)[1]


def test_a_refusal_is_handed_on_and_not_remembered(world: World) -> None:
    world.refuses("ResourceNotFoundException", 404)
    mine = token()
    answer = (404, "[r-1]: (ResourceNotFoundException): No association, fault: client\n")
    assert world.get(Authorization=mine) == answer
    world.answers()
    assert world.get(Authorization=mine)[0] == 200


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({}, 400, "Service account token cannot be empty"),
        ({"Authorization": "Bearer x"}, 400, "Service account token cannot be parsed"),
        ({"Authorization": token(seconds=-1)}, 400, "token is expired"),
        ({"Host": "169.254.169.254"}, 403, "Called agent through invalid address"),
    ],
)
def test_requests_that_never_reach_eks_auth(world: World, sent: dict[str, str], status: int, said: str) -> None:
    answer = world.get(**sent)
    assert answer[0] == status
    assert said in answer[1]


@pytest.mark.parametrize("host", ["169.254.170.23", "169.254.170.23:80", "[fd00:ec2::23]", "127.0.0.1:4711"])
def test_hosts_that_are_the_agent(world: World, host: str) -> None:
    world.answers()
    assert world.get(Host=host, Authorization=token())[0] == 200


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/healthz", 200), ("/readyz", 200)])
def test_other_paths(world: World, path: str, status: int) -> None:
    assert world.get(path)[0] == status


def test_an_agent_whose_pod_is_gone_says_nothing(world: World) -> None:
    world.runs = False
    with pytest.raises(http.client.RemoteDisconnected):
        world.get(Authorization=token())
