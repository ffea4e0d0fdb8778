# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IRSA: a pod's token exchanged at STS, if IAM knows its issuer and the role trusts it."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, REGION, Lab
from ansible_collections.enbuild.eks.tests.unit.lab.aws.fake_kubernetes import ISSUER
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from joserfc.jwk import RSAKey

NAME = ISSUER.removeprefix("https://")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{NAME}"
AUDIENCE = "sts.amazonaws.com"
S3 = [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]


def trust(subject: str = "system:serviceaccount:shop:orders", **more: t.Any) -> dict[str, t.Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{NAME}:sub": subject, f"{NAME}:aud": AUDIENCE}},
        **more,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def provider(lab: Lab) -> None:
    """The cluster's issuer, known to IAM."""
    lab.client("iam").create_open_id_connect_provider(Url=ISSUER, ClientIDList=[AUDIENCE], ThumbprintList=["0" * 40])


def token(lab: Lab, **claims: t.Any) -> str:
    said = {"aud": [AUDIENCE], "sub": "system:serviceaccount:shop:orders", **claims}
    return lab.kubernetes.token("shop", "orders-1", "orders", "uid", **said)


def exchange(lab: Lab, role_arn: str, given: str) -> t.Any:
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    sts = boto3.client("sts", REGION, endpoint_url=lab.url, config=config)
    return sts.assume_role_with_web_identity(RoleArn=role_arn, RoleSessionName="orders", WebIdentityToken=given)


def refused(lab: Lab, role_arn: str, given: str) -> str:
    with pytest.raises(ClientError) as caught:
        exchange(lab, role_arn, given)
    return str(caught.value.response["Error"]["Code"])


def test_the_token_gives_the_role_and_no_more(lab: Lab, provider: None) -> None:
    found = exchange(lab, lab.role("irsa", trust(), p=S3), token(lab))["Credentials"]
    keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    assert lab.client("sts", keys).get_caller_identity()["Arn"].endswith(":assumed-role/irsa/orders")
    assert lab.client("s3", keys).list_buckets()["Buckets"] == []
    with pytest.raises(ClientError):
        lab.client("iam", keys).list_roles()


@pytest.mark.parametrize(
    ("document", "claims", "code"),
    [
        (trust("system:serviceaccount:shop:feed"), {}, "AccessDenied"),
        (trust(Effect="Deny"), {}, "AccessDenied"),
        (trust(Principal={"Federated": f"{PROVIDER}x"}), {}, "AccessDenied"),
        (trust(), {"aud": ["pods.eks.amazonaws.com"]}, "InvalidIdentityToken"),
        (trust(), {"iss": "https://elsewhere"}, "InvalidIdentityToken"),
        (trust(), {"exp": 1}, "ExpiredTokenException"),
        (trust(), {"key": RSAKey.generate_key(2048, {"kid": "k1"})}, "InvalidIdentityToken"),
    ],
)
def test_what_is_refused(lab: Lab, provider: None, document: t.Any, claims: t.Any, code: str) -> None:
    assert refused(lab, lab.role("irsa", document), token(lab, **claims)) == code


def test_the_providers_client_ids_decide_about_the_audience(lab: Lab, provider: None) -> None:
    iam, role = lab.client("iam"), lab.role("irsa", trust(Condition={}))
    address = {"OpenIDConnectProviderArn": PROVIDER, "ClientID": "corp"}
    assert refused(lab, role, token(lab, aud=["corp"])) == "InvalidIdentityToken"
    iam.add_client_id_to_open_id_connect_provider(**address)
    exchange(lab, role, token(lab, aud=["corp"]))
    exchange(lab, role, token(lab, aud=AUDIENCE))
    iam.remove_client_id_from_open_id_connect_provider(**address)
    assert refused(lab, role, token(lab, aud=["corp"])) == "InvalidIdentityToken"
    many = [f"corp-{number}" for number in range(100)]
    code = iam_refusal(
        lambda: [iam.add_client_id_to_open_id_connect_provider(**{**address, "ClientID": n}) for n in many]
    )
    assert code == "LimitExceeded"


def iam_refusal(call: t.Callable[..., t.Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_without_a_provider_no_token_is_any_good(lab: Lab) -> None:
    assert refused(lab, lab.role("irsa", trust()), token(lab)) == "InvalidIdentityToken"
