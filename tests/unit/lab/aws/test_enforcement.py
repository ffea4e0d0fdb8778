# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: signatures, sessions, policies with resources and conditions."""

from __future__ import annotations

import datetime
import typing as t
import urllib.error
import urllib.request

import boto3
import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, OPERATOR, Lab, trust
from botocore.exceptions import ClientError
from moto.sts.models import sts_backends

LAB_ARN = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/lab"


def allow(action: t.Any, resource: t.Any = "*", **more: t.Any) -> dict[str, t.Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def outcome(call: t.Callable[..., t.Any], **given: t.Any) -> tuple[str, int, str]:
    """Return code, status and message of how a call ended; the code of success is empty."""
    try:
        return "", call(**given)["ResponseMetadata"]["HTTPStatusCode"], ""
    except ClientError as error:
        response = error.response
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


CALLS = {"sts": "get_caller_identity", "eks": "list_clusters", "s3": "list_buckets", "iam": "list_roles"}


@pytest.mark.parametrize(
    ("service", "unknown", "forged", "expired"),
    [
        ("sts", ("InvalidClientTokenId", 403), ("SignatureDoesNotMatch", 403), ("ExpiredToken", 403)),
        ("iam", ("InvalidClientTokenId", 403), ("SignatureDoesNotMatch", 403), ("ExpiredToken", 403)),
        (
            "eks",
            ("UnrecognizedClientException", 403),
            ("InvalidSignatureException", 403),
            ("ExpiredTokenException", 403),
        ),
        ("s3", ("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403), ("ExpiredToken", 400)),
    ],
)
def test_credentials_that_are_none(lab: Lab, service: str, unknown: t.Any, forged: t.Any, expired: t.Any) -> None:
    def call(*credentials: str) -> tuple[str, int]:
        return outcome(getattr(lab.client(service, credentials), CALLS[service]))[:2]

    assert call(*OPERATOR) == ("", 200)
    assert call("AKIAIOSFODNN7NOTHERE", "secret") == unknown
    assert call(OPERATOR[0], "secret") == forged
    assert call(*OPERATOR, "token") == unknown
    session = assume(lab, lab.role("r", trust(Principal={"AWS": ACCOUNT}), p=[allow("*")]))
    assert call(*session) == ("", 200)
    assert call(session[0], session[1], "another") == unknown
    sts_backends[ACCOUNT]["aws"].assumed_roles[-1].expiration = datetime.datetime(2020, 1, 1)  # noqa: DTZ001  (moto's)
    assert call(*session) == expired


def assume(lab: Lab, role: str, **more: t.Any) -> tuple[str, str, str]:
    answer = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="test", **more)["Credentials"]
    return answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]


def test_unsigned_calls(lab: Lab) -> None:

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{lab.url}/?Action=GetCallerIdentity&Version=2011-06-15", timeout=10)
    assert caught.value.code == 403
    assert b"MissingAuthenticationToken" in caught.value.read()


def test_presigned_caller_identity(lab: Lab) -> None:

    url = lab.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert b"user/operator" in answer.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url.replace("2011-06-15", "2011-06-16"), timeout=10)


def test_presigned_object(lab: Lab) -> None:

    s3 = lab.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="some-bucket")
    s3.put_object(Bucket="some-bucket", Key="a b/ü+~", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "some-bucket", "Key": "a b/ü+~"})
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"content"


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow("eks:ListClusters"), True),
        (allow("eks:*"), True),
        (allow("EKS:listclusters"), True),
        (allow("eks:List*"), True),
        (allow("eks:ListCluster?"), True),
        (allow("eks:DescribeCluster"), False),
        (allow("s3:*"), False),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "eks:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "eks:*", "NotResource": "arn:aws:s3:::*"}, True),
        (allow("eks:*", LAB_ARN), False),
        (allow("eks:*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), True),
        (allow("eks:*", Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}), False),
        (allow("eks:*", Condition={"Bool": {"aws:SecureTransport": "true"}}), False),
        (allow("eks:*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/*"}}), True),
        (allow("eks:*", Condition={"StringEquals": {"aws:username": "limited"}}), True),
        (allow("eks:*", Condition={"Null": {"aws:username": "true"}}), False),
        (allow("eks:*", Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}), True),
        (allow("eks:*", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), True),
    ],
)
def test_list_clusters_by_policy(lab: Lab, statement: t.Any, allowed: bool) -> None:
    found = outcome(lab.client("eks", lab.user("limited", statement)).list_clusters)
    assert (found[0] == "") == allowed
    if not allowed:
        assert found[:2] == ("AccessDeniedException", 403)
        assert found[2] == (
            f"User: arn:aws:iam::{ACCOUNT}:user/limited is not authorized to perform: eks:ListClusters "
            "because no identity-based policy allows the eks:ListClusters action"
        )


def test_deny_wins(lab: Lab) -> None:
    client = lab.client("eks", lab.user("limited", allow("*"), {**allow("eks:List*"), "Effect": "Deny"}))
    assert "explicit deny" in outcome(client.list_clusters)[2]
    assert outcome(client.describe_cluster, name="lab")[0] == ""


def test_resources_of_eks(lab: Lab) -> None:
    client = lab.client("eks", lab.user("limited", allow("eks:DescribeCluster", LAB_ARN)))
    assert outcome(client.describe_cluster, name="lab")[0] == ""
    code, _unused, message = outcome(client.describe_cluster, name="auto")
    assert (code, "on resource: arn:aws:eks" in message) == ("AccessDeniedException", True)


ROLE_TO_PASS = f"arn:aws:iam::{ACCOUNT}:role/a"
CREATE = allow("eks:CreatePodIdentityAssociation", LAB_ARN)


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([CREATE], "iam:PassRole"),
        ([CREATE, allow("iam:PassRole", ROLE_TO_PASS)], ""),
        ([CREATE, allow("iam:PassRole", f"{ROLE_TO_PASS}b")], "iam:PassRole"),
        (
            [
                CREATE,
                allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "pods.eks.amazonaws.com"}}),
            ],
            "",
        ),
        (
            [CREATE, allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})],
            "iam:PassRole",
        ),
        ([allow("iam:PassRole")], "eks:CreatePodIdentityAssociation"),
    ],
)
def test_pass_role(lab: Lab, statements: t.Any, missing: str) -> None:
    client = lab.client("eks", lab.user("limited", *statements))
    given = {"clusterName": "lab", "namespace": "shop", "serviceAccount": "orders", "roleArn": lab.role("a")}
    code, _unused, message = outcome(client.create_pod_identity_association, **given)
    assert code == ("AccessDeniedException" if missing else "")
    assert missing in message


def test_tags_on_creation_need_permission(lab: Lab) -> None:
    tagged = allow("eks:TagResource", Condition={"StringEquals": {"aws:RequestTag/team": "shop"}})
    client = lab.client("eks", lab.user("limited", CREATE, allow("iam:PassRole"), tagged))
    given = {"clusterName": "lab", "namespace": "shop", "serviceAccount": "orders", "roleArn": lab.role("a")}
    refused = outcome(client.create_pod_identity_association, **given, tags={"team": "web"})
    assert "eks:TagResource" in refused[2]
    assert outcome(client.create_pod_identity_association, **given, tags={"team": "shop"})[0] == ""


def test_iam_by_resource(lab: Lab) -> None:
    lab.role("mine")
    lab.role("yours")
    iam = lab.client("iam", lab.user("limited", allow("iam:*", f"arn:aws:iam::{ACCOUNT}:role/mine")))
    assert outcome(iam.get_role, RoleName="mine")[0] == ""
    assert outcome(iam.get_role, RoleName="yours")[:2] == ("AccessDenied", 403)
    assert outcome(iam.list_roles)[0] == "AccessDenied"
    attach = {"RoleName": "mine", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}
    assert outcome(iam.attach_role_policy, **attach)[0] == ""


def test_session_is_limited_to_its_role(lab: Lab) -> None:
    lab.client("s3").create_bucket(Bucket="mine-1")
    lab.client("s3").create_bucket(Bucket="yours-1")
    policy = [allow("s3:ListBucket", "arn:aws:s3:::mine-1"), allow("s3:PutObject", "arn:aws:s3:::mine-1/in/*")]
    role = lab.role("r", trust(Principal={"AWS": ACCOUNT}), p=policy)
    s3 = lab.client("s3", assume(lab, role))
    assert outcome(s3.list_objects_v2, Bucket="mine-1")[0] == ""
    assert outcome(s3.list_objects_v2, Bucket="yours-1")[:2] == ("AccessDenied", 403)
    assert outcome(s3.put_object, Bucket="mine-1", Key="in/a", Body=b"")[0] == ""
    assert outcome(s3.put_object, Bucket="mine-1", Key="out/a", Body=b"")[0] == "AccessDenied"
    assert outcome(s3.list_buckets)[0] == "AccessDenied"
    assert lab.client("sts", assume(lab, role)).get_caller_identity()["Arn"].endswith("assumed-role/r/test")


def test_session_policy_limits_further(lab: Lab) -> None:
    role = lab.role("r", trust(Principal={"AWS": ACCOUNT}), p=[allow("*")])
    narrow = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "eks:*", "Resource": "*"}}'
    session = assume(lab, role, Policy=narrow)
    assert outcome(lab.client("eks", session).list_clusters)[0] == ""
    assert outcome(lab.client("iam", session).list_roles)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        (trust(Principal={"AWS": ACCOUNT}), True),
        (trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/operator"}), True),
        (trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/somebody"}), False),
        (trust(), False),
        (trust(Principal={"AWS": "*"}, Condition={"StringEquals": {"sts:ExternalId": "x1"}}), True),
        (trust(Principal={"AWS": "*"}, Condition={"StringEquals": {"sts:ExternalId": "x2"}}), False),
    ],
)
def test_assume_role_needs_trust(lab: Lab, document: t.Any, allowed: bool) -> None:
    given = {"RoleArn": lab.role("r", document), "RoleSessionName": "ss", "ExternalId": "x1"}
    assert outcome(lab.client("sts").assume_role, **given)[0] == ("" if allowed else "AccessDenied")


def test_listing_models_takes_no_resource(lab: Lab) -> None:
    model = "arn:aws:bedrock:us-east-1::foundation-model/*"
    on_models = lab.client("bedrock", lab.user("a", allow("bedrock:*", model)))
    on_all = lab.client("bedrock", lab.user("b", allow("bedrock:ListFoundationModels")))
    assert outcome(on_models.list_foundation_models)[:2] == ("AccessDeniedException", 403)
    assert len(on_all.list_foundation_models()["modelSummaries"]) > 3
    embedding = on_all.list_foundation_models(byOutputModality="EMBEDDING")["modelSummaries"]
    assert [model["providerName"] for model in embedding] == ["Amazon"]


def test_an_inference_profile_says_where_it_leads_to(lab: Lab) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
    client = lab.client("bedrock", lab.user("a", allow("bedrock:GetInferenceProfile", arn)))
    by_arn = client.get_inference_profile(inferenceProfileIdentifier=arn)
    assert [each["modelArn"].split(":", 3)[3] for each in by_arn["models"]] == [
        f"{region}::foundation-model/amazon.nova-lite-v1:0" for region in ("us-east-1", "us-east-2", "us-west-2")
    ]
    by_id = client.get_inference_profile(inferenceProfileIdentifier="us.amazon.nova-lite-v1:0")
    assert (by_id["inferenceProfileArn"], by_id["models"]) == (arn, by_arn["models"])
    other = {"inferenceProfileIdentifier": "eu.amazon.nova-lite-v1:0"}
    assert outcome(client.get_inference_profile, **other)[0] == "AccessDeniedException"
    unknown = {"inferenceProfileIdentifier": "us.nobodys-model"}
    assert outcome(lab.client("bedrock").get_inference_profile, **unknown)[0] == "ResourceNotFoundException"


def test_a_model_is_invoked_by_whoever_may(lab: Lab) -> None:
    model = "amazon.nova-lite-v1:0"
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{model}"
    client = lab.client("bedrock-runtime", lab.user("a", allow("bedrock:InvokeModel", arn)))
    said = {"messages": [{"role": "user", "content": [{"text": "1"}]}], "inferenceConfig": {"maxTokens": 1}}
    assert client.converse(modelId=model, **said)["usage"]["outputTokens"] == 1
    assert outcome(client.converse, modelId="amazon.nova-pro-v1:0", **said)[0] == "AccessDeniedException"


def test_a_role_s_policies_are_simulated(lab: Lab) -> None:
    allowed, denied, other = (f"arn:aws:bedrock:us-east-1::foundation-model/{name}" for name in "abc")
    statements = [allow("bedrock:*", [allowed, denied]), {**allow("bedrock:*", denied), "Effect": "Deny"}]
    role = lab.role("r", trust(), p=statements)
    given = {"PolicySourceArn": role, "ActionNames": ["bedrock:InvokeModel"], "ResourceArns": [allowed, denied, other]}
    found = lab.client("iam").simulate_principal_policy(**given)["EvaluationResults"]
    assert [each["EvalDecision"] for each in found] == ["allowed", "explicitDeny", "implicitDeny"]
    assert [each["EvalResourceName"] for each in found] == [allowed, denied, other]
    missing = {**given, "PolicySourceArn": f"{role}-missing"}
    assert outcome(lab.client("iam").simulate_principal_policy, **missing)[0] == "NoSuchEntity"
    assert outcome(lab.client("iam", lab.user("a")).simulate_principal_policy, **given)[0] == "AccessDenied"


def test_managed_policy_of_a_group(lab: Lab) -> None:
    iam = lab.client("iam")
    credentials = lab.user("limited")
    iam.create_group(GroupName="readers")
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert outcome(lab.client("s3", credentials).list_buckets)[0] == "AccessDenied"
    iam.add_user_to_group(GroupName="readers", UserName="limited")
    assert outcome(lab.client("s3", credentials).list_buckets)[0] == ""


def test_default_session_uses_the_endpoint_variable(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", lab.url)
    session = boto3.Session(*OPERATOR, region_name="us-east-1")
    assert session.client("sts").get_caller_identity()["Account"] == ACCOUNT
