# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's token webhook: an EKS bearer token is a presigned GetCallerIdentity, replayed here."""

from __future__ import annotations

import base64
import binascii
import typing as t
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .authentication import authenticate
from .eks import every_cluster
from .operations import Call
from .principals import Principal
from .signature import MalformedSignature, read
from .state import AccessEntry, Lab
from .wire_error import CallRefused
from .wire_request import WireRequest

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"

_ALLOWED = {
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
}

Json = dict[str, t.Any]


class NoIdentity(Exception):
    """The token isn't one, or isn't of somebody whom the cluster knows."""


def review(lab: Lab, token: str) -> Json:
    """Return the TokenReview that answers for ``token``."""
    try:
        user = identify(lab, token)
        status: Json = {"authenticated": True, "user": user}
    except NoIdentity as error:
        status = {"authenticated": False, "error": str(error)}
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}


def identify(lab: Lab, token: str) -> Json:
    """Return the Kubernetes user that ``token`` stands for; NoIdentity says why there is none."""
    try:
        url = urlsplit(_decode(token))
    except ValueError as error:
        raise NoIdentity("the token is no address") from error
    hosts = {f"{name}:{lab.config.http_port}" for name in ("127.0.0.1", "localhost")}
    if url.scheme not in ("http", "https") or url.netloc not in hosts or url.path != "/":
        raise NoIdentity("the token is not a call of this lab's STS")
    request = WireRequest("GET", url.path, url.query, {"host": url.netloc})
    if request.arguments.get("Action") != "GetCallerIdentity" or not set(request.arguments) <= _ALLOWED:
        raise NoIdentity("the token is not a call of GetCallerIdentity")
    clusters = [cluster for _unused, cluster in every_cluster()]
    _check_age(request, lab.weather.cluster_token_seconds)
    name, principal = _signer(request, {cluster.name for cluster in clusters})
    return _user(lab, principal, {cluster.arn for cluster in clusters if cluster.name == name})


def _check_age(request: WireRequest, seconds: float) -> None:
    """A token that was forged or can't be read is found out later, and in other words."""
    try:
        signature = read(request)
    except MalformedSignature:
        return
    if signature and (datetime.now(UTC) - signature.signed_at).total_seconds() > seconds:
        raise NoIdentity(f"the token lapsed {seconds:g} seconds after it was signed")


def _decode(token: str) -> str:
    if not token.startswith(PREFIX):
        raise NoIdentity(f"the token does not start with {PREFIX}")
    encoded = token[len(PREFIX) :]
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise NoIdentity("the token is not base64") from error


def _signer(request: WireRequest, clusters: set[str]) -> tuple[str, Principal]:
    """The cluster's name is signed but not in the token: a cluster tries its own. Return the one, and who signed."""
    try:
        signature = read(request)
    except MalformedSignature as error:
        raise NoIdentity(str(error)) from error
    if signature is None or signature.service != "sts" or CLUSTER_HEADER not in signature.signed_headers:
        raise NoIdentity(f"the token does not sign {CLUSTER_HEADER}")
    refusal = "there is no cluster"
    for cluster in clusters:
        replayed = WireRequest("GET", request.path, request.query, {**request.headers, CLUSTER_HEADER: cluster})
        try:
            return cluster, authenticate(Call("sts", signature.region), replayed, signature)
        except CallRefused as error:
            refusal = error.message
    raise NoIdentity(refusal)


def _user(lab: Lab, principal: Principal, cluster_arns: set[str]) -> Json:
    """Who ``principal`` is in any of these: clusters of one name are not told apart by a token, nor on AWS."""
    entries = [
        entry
        for entry in (*lab.creators.values(), *lab.access_entries)
        if not entry.cluster_arn or entry.cluster_arn in cluster_arns
    ]
    entry = next((found for found in entries if _means(found, principal)), None)
    if entry is None:
        raise NoIdentity(f"{principal.arn} has no access entry")
    session = principal.arn.rpartition("/")[2] if principal.role_arn else ""
    username = entry.username.replace("{{SessionName}}", session).replace("{{AccountID}}", principal.account_id)
    return {
        "username": username,
        "uid": f"aws-iam-authenticator:{principal.account_id}:{principal.user_id}",
        "groups": list(entry.groups),
        "extra": {"arn": [principal.arn], "canonicalArn": [principal.role_arn or principal.arn]},
    }


def _means(entry: AccessEntry, principal: Principal) -> bool:
    return entry.principal_arn in (principal.arn, principal.role_arn)
