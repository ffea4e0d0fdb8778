# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few calls that AWS makes to a cluster's API server."""

from __future__ import annotations

import json
import ssl
import threading
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from .config import KubernetesAccess

FIELD_MANAGER = "eks"
TIMEOUT = 10
"""Seconds that one call may take."""


class KubernetesUnreachable(Exception):
    """The API server doesn't answer, or not sensibly."""


class KubernetesConflict(Exception):
    """Fields are owned by somebody else; the message names them."""


class KubernetesRefused(Exception):
    """The API server does not take what was sent; the message tells why."""


class KubernetesApi:
    """A client with cluster-admin rights that connects for each call (the server may come and go)."""

    def __init__(self, access: KubernetesAccess) -> None:
        self._access = access
        self._jwks: dict[str, t.Any] = {}
        self._annotations: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def pod(self, namespace: str, name: str) -> dict[str, t.Any] | None:
        """Return a live pod, or None."""
        return self._get(f"/api/v1/namespaces/{namespace}/pods/{name}")

    def annotations(self, namespace: str, service_account: str, max_age: float = 1.0) -> dict[str, str]:
        """Return a service account's annotations, at most ``max_age`` seconds old; none if it isn't there."""
        key, now = (namespace, service_account), time.monotonic()
        cached = self._annotations.get(key)
        if cached and now - cached[0] < max_age:
            return cached[1]
        found = self._get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}") or {}
        annotations: dict[str, str] = found.get("metadata", {}).get("annotations") or {}
        self._annotations[key] = (now, annotations)
        return annotations

    def issuer(self) -> str:
        """Return the issuer of service account tokens."""
        return str((self._get("/.well-known/openid-configuration") or {}).get("issuer", ""))

    def signing_keys(self, key_id: str) -> dict[str, t.Any]:
        """Return the JSON web key set that signs service account tokens; asked again when ``key_id`` is new."""
        with self._lock:
            if not any(key.get("kid") == key_id for key in self._jwks.get("keys", [])):
                self._jwks = self._get("/openid/v1/jwks") or {}
            return self._jwks

    def daemon_set(self, namespace: str, name: str) -> dict[str, t.Any] | None:
        """Return a DaemonSet, or None."""
        return self._get(f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}")

    def apply_daemon_set(self, manifest: dict[str, t.Any], force: bool) -> None:
        """Apply ``manifest`` as EKS does, on the server side; KubernetesConflict unless ``force``."""
        path = self._daemon_set_path(manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        query = f"?fieldManager={FIELD_MANAGER}&force={'true' if force else 'false'}"
        self._call("PATCH", path + query, manifest, "application/apply-patch+yaml")

    def delete_daemon_set(self, namespace: str, name: str) -> None:
        """Delete a DaemonSet and its pods; none is fine."""
        self._call("DELETE", self._daemon_set_path(namespace, name))

    @staticmethod
    def _daemon_set_path(namespace: str, name: str) -> str:
        return f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}"

    def _get(self, path: str) -> dict[str, t.Any] | None:
        return self._call("GET", path)

    def _call(
        self, method: str, path: str, body: t.Any = None, content_type: str = "application/json"
    ) -> dict[str, t.Any] | None:
        """Return the answer, None for 404; KubernetesConflict, KubernetesRefused or KubernetesUnreachable."""
        try:
            return self._answer(method, path, body, content_type)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            failures = {400: KubernetesRefused, 403: KubernetesRefused, 409: KubernetesConflict, 422: KubernetesRefused}
            raise failures.get(error.code, KubernetesUnreachable)(
                f"{method} {path}: {error.code} {_message(error)}"
            ) from error
        except (OSError, ValueError) as error:
            raise KubernetesUnreachable(f"{method} {path}: {error}") from error

    def _answer(self, method: str, path: str, body: t.Any, content_type: str) -> dict[str, t.Any]:
        token = Path(self._access.token_file).read_text(encoding="utf-8").strip()
        request = urllib.request.Request(
            self._access.host + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": content_type},
            method=method,
        )
        context = ssl.create_default_context(cafile=self._access.ca_file) if self._secure else None
        with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as response:
            return t.cast("dict[str, t.Any]", json.loads(response.read()))

    @property
    def _secure(self) -> bool:
        return self._access.host.startswith("https:")


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read()).get("message", ""))
    except ValueError:
        return ""
