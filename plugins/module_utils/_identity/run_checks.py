# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a workload's checks with the credentials that EKS issued to its pod."""

from __future__ import annotations

import contextlib
import typing as t
import uuid
from dataclasses import dataclass, field

from .._core.aws import DENIED_CODES, RETRIES
from .._core.converge import predicts
from .._core.plan import Refused
from .._core.suggest import nearest
from .._workload.checks import Check
from .evidence import Answer

with contextlib.suppress(ImportError):  # AnsibleAWSModule names the missing library.
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import get_session

DENIED = DENIED_CODES | {"403", "Forbidden", "UnauthorizedException", "NotAuthorizedException", "AuthorizationError"}


@dataclass(frozen=True)
class Credentials:
    """Credentials of a pod: for calls, and never for words."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


def verify(checks: t.Iterable[Check]) -> None:
    """Refuse a service or an operation that botocore doesn't know, with the nearest names; makes no call."""
    session = get_session()
    for check in dict.fromkeys(check for check in checks if not check.simulated):
        services = session.get_available_services()
        if check.service not in services:
            near = ", ".join(nearest(check.service, services))
            raise Refused(f"allowed names the service {check.service}, which boto3 doesn't know; it knows {near}")
        operations = session.get_service_model(check.service).operation_names
        if check.operation not in operations:
            near = ", ".join(nearest(check.operation, operations))
            raise Refused(f"allowed names {check.name}, and {check.service} has no such operation; it has {near}")


def make(module: t.Any, check: Check, credentials: Credentials) -> Answer:
    """Call ``check``; in check mode only one that changes nothing."""
    if predicts(module) and not check.reads:
        return _answer(check, None, "", "Not called in check mode, as it may change something")
    client = _client(module, check.service, credentials)
    try:
        getattr(client, xform_name(check.operation))(**check.parameters)
        if check.write:
            _put_then_delete(client, check.bucket)
    except ClientError as error:
        code = str(error.response["Error"].get("Code", ""))
        denied = code in DENIED
        return _answer(check, False if denied else None, code, str(error.response["Error"].get("Message") or error))
    except BotoCoreError as error:
        return _answer(check, None, type(error).__name__, str(error))
    return _answer(check, True, "", "")


def _client(module: t.Any, service: str, credentials: Credentials) -> t.Any:
    return module.client(
        service,
        config={"retries": RETRIES},
        profile_name=None,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )


def _put_then_delete(client: t.Any, bucket: str) -> None:
    key = f"enbuild-eks-check-{uuid.uuid4().hex}"
    client.put_object(Bucket=bucket, Key=key, Body=b"")
    client.delete_object(Bucket=bucket, Key=key)


def _answer(check: Check, allowed: bool | None, code: str, message: str) -> Answer:
    how = "" if allowed is None and not code else "called"
    return Answer(check.name, allowed, code, message, how, actions=check.actions, bucket=check.bucket)
