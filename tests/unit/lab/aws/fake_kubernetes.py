# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few paths of the Kubernetes API that the emulator calls, served from memory."""

from __future__ import annotations

import json
import threading
import time
import typing as t
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://kubernetes.default.svc"
AUDIENCE = "pods.eks.amazonaws.com"

Json = dict[str, t.Any]


class FakeKubernetes:
    """Objects by path; DaemonSets get the status that ``ready`` of ``nodes`` pods give them."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.nodes = 2
        self.ready = 2
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": self}))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        """Forget all objects."""
        self.objects.clear()
        self.nodes = self.ready = 2

    def add_service_account(self, namespace: str, name: str, annotations: dict[str, str]) -> None:
        """Make a service account."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
        self.objects[path] = {"metadata": {"name": name, "annotations": annotations}}

    def add_pod(self, namespace: str, name: str, service_account: str) -> str:
        """Make a pod and return its uid."""
        uid = str(uuid.uuid4())
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        self.objects[path] = {"metadata": {"uid": uid}, "spec": {"serviceAccountName": service_account}}
        return uid

    def token(self, namespace: str, pod: str, service_account: str, uid: str, **claims: t.Any) -> str:
        """Return a token as TokenRequest does; ``claims`` replace the usual ones, ``key`` the signing key."""
        key = claims.pop("key", self.key)
        bound = {
            "namespace": namespace,
            "pod": {"name": pod, "uid": uid},
            "serviceaccount": {"name": service_account, "uid": str(uuid.uuid4())},
        }
        usual = {"iss": ISSUER, "aud": [AUDIENCE], "exp": int(time.time()) + 600, "kubernetes.io": bound}
        return jwt.encode({"alg": "RS256", "kid": key.kid}, {**usual, **claims}, key)

    def read(self, path: str) -> Json | None:
        """Answer a GET."""
        if path == "/openid/v1/jwks":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/.well-known/openid-configuration":
            return {"issuer": ISSUER}
        found = self.objects.get(path)
        if found and found.get("kind") == "DaemonSet":
            status = {
                "observedGeneration": 1,
                "desiredNumberScheduled": self.nodes,
                "updatedNumberScheduled": self.nodes,
            }
            return {**found, "status": {**status, "numberReady": self.ready}}
        return found

    def apply(self, path: str, manifest: Json, manager: str) -> Json:
        """Answer a server-side apply."""
        manifest["metadata"].update(generation=1, managedFields=[{"manager": manager}])
        self.objects[path] = manifest
        return manifest


class _Handler(BaseHTTPRequestHandler):
    fake: FakeKubernetes

    def do_GET(self) -> None:
        found = self.fake.read(self.path)
        self._send(404 if found is None else 200, found or {"message": "not found"})

    def do_PATCH(self) -> None:
        path, _unused, query = self.path.partition("?")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/apply-patch+yaml"
        self._send(200, self.fake.apply(path, body, query.split("fieldManager=")[1].split("&")[0]))

    def do_DELETE(self) -> None:
        found = self.fake.objects.pop(self.path, None)
        self._send(404 if found is None else 200, {})

    def _send(self, status: int, body: Json) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002  (the base class's name)
        """Be quiet."""
