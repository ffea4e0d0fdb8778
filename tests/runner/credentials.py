# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX's credential types put into a job's environment."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Credential:
    """Variables of a job's environment. ``files`` maps others to the text of a file that they are to name."""

    variables: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)


def amazon_web_services(access_key: str, secret_key: str, token: str = "") -> Credential:
    """Amazon Web Services: there is no place for a region in it."""
    session = {"AWS_SECURITY_TOKEN": token, "AWS_SESSION_TOKEN": token} if token else {}
    return Credential({"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key, **session})


def kubernetes_bearer_token(host: str, token: str, authority: str = "") -> Credential:
    """OpenShift or Kubernetes API Bearer Token: without an authority, AWX turns verification off."""
    variables = {"K8S_AUTH_HOST": host, "K8S_AUTH_API_KEY": token, "K8S_AUTH_VERIFY_SSL": str(bool(authority))}
    return Credential(variables, {"K8S_AUTH_SSL_CA_CERT": authority} if authority else {})
