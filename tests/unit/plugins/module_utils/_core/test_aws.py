# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failed call advises."""

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import advice
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

ROLE = "arn:aws:iam::123456789012:role/shop-orders"


def denied(action: str, operation: str, code: str = "AccessDeniedException") -> ClientError:
    words = (
        f"User: arn:aws:iam::123456789012:user/ann is not authorized to perform: {action} on resource: {ROLE}"
        f" because no identity-based policy allows the {action} action"
    )
    return ClientError({"Error": {"Code": code, "Message": words}}, operation)


def test_a_call_that_needs_another_permission_names_that_permission() -> None:
    """EKS denies CreatePodIdentityAssociation for want of iam:PassRole."""
    told = advice(denied("iam:PassRole", "CreatePodIdentityAssociation"))
    assert told == f"Allow iam:PassRole on {ROLE} to the caller, or run with credentials that have it"


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_a_denied_call_names_the_call(code: str) -> None:
    told = advice(denied("eks:DescribeCluster", "DescribeCluster", code))
    assert told == "Allow DescribeCluster to the caller, or run with credentials that have it"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (NoCredentialsError(), ["profile", "eks_profile", "AWS_PROFILE", "AWX"]),
        (ProfileNotFound(profile="x"), ["eks_profile"]),
        (EndpointConnectionError(endpoint_url="https://x"), ["region", "network"]),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "x"}}, "GetRole"), ["renew"]),
        (ClientError({"Error": {"Code": "ValidationError", "Message": "x"}}, "GetRole"), []),
    ],
)
def test_every_cause_has_its_advice(cause: Exception, words: list[str]) -> None:
    told = advice(cause)
    assert [word for word in words if word not in told] == []
    assert bool(told) == bool(words)
