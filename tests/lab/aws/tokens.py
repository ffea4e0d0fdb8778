# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service account tokens: verified as EKS does, against the cluster's own keys and pods."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .eks_errors import EksError
from .kubernetes_api import KubernetesApi, KubernetesUnreachable

AUDIENCE = "pods.eks.amazonaws.com"
ALGORITHMS = ["RS256", "ES256"]


@dataclass(frozen=True)
class PodToken:
    """What a token says, once it is believed."""

    namespace: str
    service_account: str
    pod_name: str
    pod_uid: str


def claims(token: str, kubernetes: KubernetesApi) -> dict[str, t.Any]:
    """Return what ``token`` says, its signature verified; JoseError, ValueError, KubernetesUnreachable."""
    key_id = str(jws.extract_compact(token.encode()).headers().get("kid", ""))
    keys = KeySet.import_key_set(t.cast(t.Any, kubernetes.signing_keys(key_id)))
    return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)


def verify(token: str, kubernetes: KubernetesApi) -> PodToken:
    """Return the pod that ``token`` was issued for.

    InvalidTokenException for signature, issuer, audience or pod, ExpiredTokenException for its time,
    ServiceUnavailableException when the API server doesn't answer.
    """
    try:
        found = _subject(_claims(token, kubernetes), kubernetes.issuer())
        _check_pod(found, kubernetes)
    except KubernetesUnreachable as error:
        raise EksError("ServiceUnavailableException", str(error)) from error
    return found


def _claims(token: str, kubernetes: KubernetesApi) -> dict[str, t.Any]:
    try:
        return claims(token, kubernetes)
    except (JoseError, ValueError) as error:
        raise _invalid("Invalid service account token") from error


def _subject(said: dict[str, t.Any], issuer: str) -> PodToken:
    audience = said.get("aud", [])
    if said.get("iss") != issuer or AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise _invalid(f"The token is not of this cluster's issuer for the audience {AUDIENCE}")
    if said.get("exp", 0) <= time.time():
        raise EksError("ExpiredTokenException", "Token expired")
    bound = said.get("kubernetes.io", {})
    try:
        return PodToken(bound["namespace"], bound["serviceaccount"]["name"], bound["pod"]["name"], bound["pod"]["uid"])
    except KeyError as error:
        raise _invalid("The token is not bound to a pod") from error


def _check_pod(token: PodToken, kubernetes: KubernetesApi) -> None:
    pod = kubernetes.pod(token.namespace, token.pod_name)
    if not pod or pod["metadata"]["uid"] != token.pod_uid:
        raise _invalid("The token's pod does not exist")
    if pod["spec"].get("serviceAccountName") != token.service_account:
        raise _invalid("The token's pod runs under another service account")


def _invalid(message: str) -> EksError:
    return EksError("InvalidTokenException", message)
