# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM's quotas and the names that it refuses."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, POD_IDENTITY_TRUST, Lab
from botocore.exceptions import ClientError

TRUST = json.dumps(POD_IDENTITY_TRUST)
STATEMENT = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


def error_of(call: t.Callable[..., t.Any], **given: t.Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**given)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def policy(characters: int) -> str:
    """Return a policy document of so many characters, white space left out."""
    document = {"Version": "2012-10-17", "Statement": [STATEMENT]}
    bare = len(json.dumps({**document, "Id": ""}, separators=(",", ":")))
    return json.dumps({**document, "Id": "x" * (characters - bare)}, indent=2)


def trust_of(characters: int) -> str:
    bare = len(json.dumps({**POD_IDENTITY_TRUST, "Id": ""}, separators=(",", ":")))
    return json.dumps({**POD_IDENTITY_TRUST, "Id": "x" * (characters - bare)}, indent=4)


def test_a_trust_policy_has_2048_characters_at_most(lab: Lab) -> None:
    iam = lab.client("iam")
    too_long = ("LimitExceeded", 409, "Cannot exceed quota for ACLSizePerRole: 2048")
    assert error_of(iam.create_role, RoleName="a", AssumeRolePolicyDocument=trust_of(2049)) == too_long
    iam.create_role(RoleName="a", AssumeRolePolicyDocument=trust_of(2048))
    assert error_of(iam.update_assume_role_policy, RoleName="a", PolicyDocument=trust_of(2049)) == too_long
    assert len(iam.get_role(RoleName="a")["Role"]["AssumeRolePolicyDocument"]["Id"]) > 1000


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not JSON", "This policy contains invalid Json"),
        ("[]", "Syntax errors in policy."),
        (json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]}), "Has prohibited field Resource"),
        (
            json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}),
            "Missing required field Principal",
        ),
    ],
)
def test_a_new_role_needs_a_trust_policy(lab: Lab, document: str, message: str) -> None:
    given = {"RoleName": "a", "AssumeRolePolicyDocument": document}
    assert error_of(lab.client("iam").create_role, **given) == ("MalformedPolicyDocument", 400, message)
    assert lab.client("iam").list_roles()["Roles"] == []


def test_the_inline_policies_of_a_role_share_10240_characters(lab: Lab) -> None:
    iam = lab.client("iam")
    lab.role("a")
    iam.put_role_policy(RoleName="a", PolicyName="one", PolicyDocument=policy(6000))
    more = {"RoleName": "a", "PolicyName": "two", "PolicyDocument": policy(4241)}
    message = "Maximum policy size of 10240 bytes exceeded for role a"
    assert error_of(iam.put_role_policy, **more) == ("LimitExceeded", 409, message)
    iam.put_role_policy(RoleName="a", PolicyName="two", PolicyDocument=policy(4240))
    iam.put_role_policy(RoleName="a", PolicyName="one", PolicyDocument=policy(5999))


def test_a_managed_policy_has_6144_characters_at_most(lab: Lab) -> None:
    iam = lab.client("iam")
    too_long = ("LimitExceeded", 409, "Cannot exceed quota for PolicySize: 6144")
    assert error_of(iam.create_policy, PolicyName="p", PolicyDocument=policy(6145)) == too_long
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(6144))["Policy"]["Arn"]
    assert error_of(iam.create_policy_version, PolicyArn=arn, PolicyDocument=policy(6145)) == too_long


def test_a_role_takes_ten_managed_policies(lab: Lab) -> None:
    iam = lab.client("iam")
    lab.role("a")
    made = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=policy(200))["Policy"]["Arn"] for n in range(11)]
    for arn in made[:10]:
        iam.attach_role_policy(RoleName="a", PolicyArn=arn)
    message = "Cannot exceed quota for PoliciesPerRole: 10"
    assert error_of(iam.attach_role_policy, RoleName="a", PolicyArn=made[10]) == ("LimitExceeded", 409, message)
    iam.attach_role_policy(RoleName="a", PolicyArn=made[0])


CHARACTERS = "It must contain only alphanumeric characters and/or the following: +=,.@_-"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"RoleName": "a b"}, f"The specified value for roleName is invalid. {CHARACTERS}"),
        ({"RoleName": "shop/orders"}, f"The specified value for roleName is invalid. {CHARACTERS}"),
        ({"RoleName": "r" * 65}, "length less than or equal to 64"),
        ({"Path": "/shop"}, "The specified value for path is invalid. It must begin and end with /"),
        ({"Path": f"/{'p' * 511}/"}, "length less than or equal to 512"),
        ({"Description": "d" * 1001}, "length less than or equal to 1000"),
        ({"Description": "→"}, "The specified value for description is invalid."),
        ({"MaxSessionDuration": 43201}, "value less than or equal to 43200"),
    ],
)
def test_what_a_role_cant_be_called(lab: Lab, given: dict[str, t.Any], message: str) -> None:
    iam = lab.client("iam")
    code, status, said = error_of(iam.create_role, **{"RoleName": "a", "AssumeRolePolicyDocument": TRUST, **given})
    assert (code, status) == ("ValidationError", 400)
    assert message in said
    assert iam.list_roles()["Roles"] == []


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("get_role", {"RoleName": "a b"}),
        ("delete_role", {"RoleName": "a b"}),
        ("list_role_policies", {"RoleName": "a:b"}),
        ("put_role_policy", {"RoleName": "a", "PolicyName": "p q", "PolicyDocument": "{}"}),
        ("put_role_policy", {"RoleName": "a", "PolicyName": "p" * 129, "PolicyDocument": "{}"}),
        ("create_policy", {"PolicyName": "p/q", "PolicyDocument": "{}"}),
        ("create_user", {"UserName": "u" * 65}),
    ],
)
def test_names_are_checked_in_every_call(lab: Lab, operation: str, given: dict[str, t.Any]) -> None:
    assert error_of(getattr(lab.client("iam"), operation), **given)[:2] == ("ValidationError", 400)


def test_names_differ_by_more_than_case(lab: Lab) -> None:
    lab.role("orders")
    given = {"RoleName": "Orders", "AssumeRolePolicyDocument": TRUST}
    message = "Role with name Orders already exists."
    assert error_of(lab.client("iam").create_role, **given) == ("EntityAlreadyExists", 409, message)


def test_whoever_may_not_call_learns_no_quota(lab: Lab) -> None:
    iam = lab.client("iam", lab.user("nobody"))
    given = {"RoleName": "a", "AssumeRolePolicyDocument": trust_of(2049)}
    assert error_of(iam.create_role, **given)[0] == "AccessDenied"
    assert f"arn:aws:iam::{ACCOUNT}:role/a" in error_of(iam.create_role, **given)[2]
