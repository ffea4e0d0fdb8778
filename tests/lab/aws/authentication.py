# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls: the signature verified, the session alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from . import principals, signature
from .operations import Call
from .principals import Principal
from .signature import Signature
from .wire_error import bad_signature, expired_token, unknown_key, unsigned
from .wire_request import WireRequest

SKEW = timedelta(minutes=15)
"""How far a signature's time may be off, and how long STS accepts a presigned request whatever X-Amz-Expires says."""


def authenticate(call: Call, request: WireRequest, signed: Signature | None) -> Principal:
    """Return the principal that signed ``request``; CallRefused in the service's own words."""
    if signed is None:
        raise unsigned(call)
    principal = principals.find(signed.key_id, signed.region)
    if principal is None or (signed.token or None) != principal.token:
        raise unknown_key(call)
    if not signature.matches(signed, request, principal.secret):
        raise bad_signature(call)
    _check_age(call, signed)
    if principal.expires and principal.expires <= datetime.now(UTC):
        raise expired_token(call)
    return principal


def read_signature(request: WireRequest) -> tuple[Signature | None, str | None]:
    """Return the signature, or None and what is wrong with it."""
    try:
        return signature.read(request), None
    except signature.MalformedSignature as error:
        return None, str(error)


def _check_age(call: Call, signed: Signature) -> None:
    age = datetime.now(UTC) - signed.signed_at
    presigned_s3 = signed.expires is not None and signed.service == "s3"
    lifetime = timedelta(seconds=signed.expires or 0) if presigned_s3 else SKEW
    if age > lifetime or age < -SKEW:
        raise bad_signature(call, f"Signature expired: {signed.timestamp} is now out of its validity")
