# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credentials of a role, from STS."""

from __future__ import annotations

import typing as t

SESSION_NAME = "enbuild.eks"


def assume(sts: t.Any, role_arn: str, external_id: str = "") -> dict[str, t.Any]:
    """Return STS's ``Credentials`` of a session of ``role_arn``; botocore's errors."""
    given = {"ExternalId": external_id} if external_id else {}
    answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME, **given)
    return t.cast("dict[str, t.Any]", answer["Credentials"])


def client_arguments(credentials: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what ``client`` of amazon.aws's plugins takes for ``credentials``, in place of the plugin's own."""
    return {
        "profile_name": None,
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def profile_arguments(profile: str) -> dict[str, t.Any]:
    """Return the same for a profile: keys in the environment must not go before it."""
    keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return {"profile_name": profile, **dict.fromkeys(keys)}
