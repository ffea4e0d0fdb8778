# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signature Version 4, as a server sees it: in the Authorization header or in the query string."""

from __future__ import annotations

import hashlib
import hmac
import re
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .wire_request import WireRequest

ALGORITHM = "AWS4-HMAC-SHA256"
_HEADER = re.compile(
    rf"{ALGORITHM} Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]+)"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class MalformedSignature(Exception):
    """The request carries something that starts like a signature and isn't one."""


@dataclass(frozen=True)
class Signature:
    """Who claims to have signed a request, when and what."""

    key_id: str
    region: str
    service: str
    timestamp: str
    signed_headers: tuple[str, ...]
    value: str
    token: str | None
    expires: int | None = None
    """Seconds that a presigned request asks to be valid; None when the signature is in the header."""

    @property
    def signed_at(self) -> datetime:
        """The time in the signature."""
        return datetime.strptime(self.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def authorization(self) -> str:
        """The Authorization header that says the same; moto finds service and region in it."""
        scope = f"{self.timestamp[:8]}/{self.region}/{self.service}/aws4_request"
        return (
            f"{ALGORITHM} Credential={self.key_id}/{scope}, SignedHeaders={';'.join(self.signed_headers)}, "
            f"Signature={self.value}"
        )


def read(request: WireRequest) -> Signature | None:
    """Return the signature that ``request`` carries, None if none; MalformedSignature if it can't be read."""
    header = request.headers.get("authorization")
    if header:
        return _from_header(header, request)
    if "X-Amz-Signature" in request.arguments:
        return _from_query(request.arguments)
    return None


def _from_header(header: str, request: WireRequest) -> Signature:
    match = _HEADER.match(header)
    if not match:
        raise MalformedSignature("Authorization header requires Credential, SignedHeaders and Signature")
    return _signature(
        match["credential"],
        request.headers.get("x-amz-date", ""),
        match["headers"],
        match["signature"],
        request.headers.get("x-amz-security-token"),
    )


def _from_query(arguments: dict[str, str]) -> Signature:
    try:
        return _signature(
            arguments["X-Amz-Credential"],
            arguments["X-Amz-Date"],
            arguments["X-Amz-SignedHeaders"],
            arguments["X-Amz-Signature"],
            arguments.get("X-Amz-Security-Token"),
            int(arguments.get("X-Amz-Expires", "0")),
        )
    except (KeyError, ValueError) as error:
        raise MalformedSignature(f"query string lacks {error}") from error


def _signature(
    credential: str, timestamp: str, headers: str, value: str, token: str | None, expires: int | None = None
) -> Signature:
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request" or parts[1] != timestamp[:8]:
        raise MalformedSignature("Credential must be KEY/DATE/REGION/SERVICE/aws4_request, DATE as in X-Amz-Date")
    found = Signature(parts[0], parts[2], parts[3], timestamp, tuple(headers.split(";")), value, token, expires)
    try:
        found.signed_at  # noqa: B018  (raises if it is no time)
    except ValueError as error:
        raise MalformedSignature("X-Amz-Date is not a time like 20260101T000000Z") from error
    return found


def matches(signature: Signature, request: WireRequest, secret: str) -> bool:
    """Say whether ``secret`` signed exactly this request, its host and body included."""
    if "host" not in signature.signed_headers or not _body_is_as_declared(request):
        return False
    return hmac.compare_digest(_expected(signature, request, secret), signature.value)


def _body_is_as_declared(request: WireRequest) -> bool:
    declared = request.headers.get("x-amz-content-sha256", "")
    return not _SHA256.fullmatch(declared) or declared == hashlib.sha256(request.body).hexdigest()


def _expected(signature: Signature, request: WireRequest, secret: str) -> str:
    signer = _signer(signature, secret)
    query = "&".join(part for part in request.query.split("&") if not part.startswith("X-Amz-Signature="))
    headers = {name: request.headers[name] for name in signature.signed_headers if name in request.headers}
    url = f"http://{request.headers.get('host', '')}{request.path}?{query}"
    signed = AWSRequest(method=request.method, url=url, data=request.body, headers=headers)
    signed.context["timestamp"] = signature.timestamp
    return str(signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed))


def _signer(signature: Signature, secret: str) -> t.Any:
    credentials = Credentials(signature.key_id, secret)
    kind: t.Any = SigV4Auth
    if signature.service == "s3":
        kind = S3SigV4Auth if signature.expires is None else S3SigV4QueryAuth
    return kind(credentials, signature.service, signature.region)
