# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as each AWS service words them and sends them."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass

from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.serialize import get_serializer_class

from .operations import Call
from .rest_json import error_body

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class _Wording:
    unknown_key: tuple[str, int, str]
    bad_signature: tuple[str, int]
    expired_token: tuple[str, int, str]
    unsigned: tuple[str, int]
    denied: str


_INVALID_TOKEN = "The security token included in the request is invalid."
_EXPIRED_TOKEN = "The security token included in the request is expired"
_QUERY = _Wording(
    ("InvalidClientTokenId", 403, _INVALID_TOKEN),
    ("SignatureDoesNotMatch", 403),
    ("ExpiredToken", 403, _EXPIRED_TOKEN),
    ("MissingAuthenticationToken", 403),
    "AccessDenied",
)
_JSON = _Wording(
    ("UnrecognizedClientException", 403, _INVALID_TOKEN),
    ("InvalidSignatureException", 403),
    ("ExpiredTokenException", 403, _EXPIRED_TOKEN),
    ("MissingAuthenticationTokenException", 403),
    "AccessDeniedException",
)
_S3 = _Wording(
    ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
    ("SignatureDoesNotMatch", 403),
    ("ExpiredToken", 400, "The provided token has expired."),
    ("AccessDenied", 403),
    "AccessDenied",
)
_EC2 = _Wording(
    ("AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
    ("AuthFailure", 401),
    ("RequestExpired", 400, "Request has expired."),
    ("AuthFailure", 401),
    "UnauthorizedOperation",
)


class CallRefused(Exception):
    """The call isn't executed; the caller gets this error."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.message = message


class _Worded(ServiceException):
    """An error of any service: outside of moto's modules, where its serializer would guess the service."""


def unknown_key(call: Call) -> CallRefused:
    """No such access key, or not with that session token."""
    return CallRefused(*_wording(call).unknown_key)


def bad_signature(call: Call, why: str = "") -> CallRefused:
    """The signature is wrong, too old or unreadable."""
    default = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    return CallRefused(*_wording(call).bad_signature, why or default)


def expired_token(call: Call) -> CallRefused:
    """The session is over."""
    return CallRefused(*_wording(call).expired_token)


def unsigned(call: Call) -> CallRefused:
    """Nobody signed."""
    return CallRefused(*_wording(call).unsigned, "Missing Authentication Token")


def denied(call: Call, message: str) -> CallRefused:
    """The principal may not do this. Some services (EKS Auth) model a status of their own for that."""
    code = _wording(call).denied
    modelled = call.model and code in call.model.shape_names
    error = call.model.shape_for(code).metadata.get("error", {}) if call.model and modelled else {}
    return CallRefused(code, error.get("httpStatusCode", 403), message)


def render(call: Call, code: str, status: int, message: str) -> Answer:
    """Return the error in the wire form of the call's service."""
    if call.model is None:
        return status, {"content-type": "application/json"}, json.dumps({"__type": code, "message": message}).encode()
    if call.protocol == "rest-json":
        return status, *error_body(code, {"message": message})
    operation = call.operation or OperationModel({}, call.model)
    serializer = get_serializer_class(call.service, call.protocol)(operation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto warns of codes that are common to all services
        answer = serializer.serialize(_Worded(code, message))
    body = answer["body"]
    headers = {name: str(value) for name, value in answer["headers"].items()}
    return status, headers, body.encode() if isinstance(body, str) else body


def _wording(call: Call) -> _Wording:
    by_protocol: dict[str, _Wording] = {"query": _QUERY, "rest-xml": _S3, "ec2": _EC2}
    return by_protocol.get(call.protocol, _JSON)
