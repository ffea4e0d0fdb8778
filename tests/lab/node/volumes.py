# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a pod's volumes, in a folder of this machine."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ..kubernetes_api import KubernetesApi, KubernetesError
from .variables import Document, NotStarted, Objects, content, field

RENEWAL = 0.8
"""The part of its life after which a kubelet replaces a token."""
DEFAULT_SECONDS = 3600
"""Life of a token whose volume doesn't say."""

Files = dict[str, bytes]


class NamespaceObjects:
    """What the API server has of one namespace now."""

    def __init__(self, api: KubernetesApi, namespace: str) -> None:
        self._api, self._path = api, f"/api/v1/namespaces/{namespace}"

    def read(self, kind: str, name: str) -> Document | None:
        """Return a Secret or ConfigMap, or None."""
        try:
            return self._api.call("GET", f"{self._path}/{kind}/{name}")
        except KubernetesError as error:
            if error.status != 404:
                raise
            return None


class Tokens:
    """Tokens bound to pods: each is used until it is due for renewal."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def of(self, pod: Document, source: Document) -> bytes:
        """Return the token that a volume's ``serviceAccountToken`` asks for."""
        key = (pod["metadata"]["uid"], repr(sorted(source.items())))
        due, token = self._known.get(key, (0.0, ""))
        if time.monotonic() >= due:
            seconds = source.get("expirationSeconds", DEFAULT_SECONDS)
            token = self._request(pod, source.get("audience"), seconds)
            self._known[key] = (time.monotonic() + RENEWAL * seconds, token)
        return token.encode()

    def _request(self, pod: Document, audience: str | None, seconds: int) -> str:
        metadata = pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {
            "audiences": [audience] if audience else [],
            "expirationSeconds": seconds,
            "boundObjectRef": bound,
        }
        account = pod["spec"].get("serviceAccountName", "default")
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        return str(self._api.call("POST", path, {"spec": spec})["status"]["token"])


def files(pod: Document, volume: Document, objects: Objects, tokens: Tokens) -> Files:
    """Return what is in a volume: nothing, where it is none of Kubernetes' own. NotStarted if that can't be known."""
    if "projected" in volume:
        found: Files = {}
        for source in volume["projected"].get("sources") or []:
            found.update(_projected(pod, source, objects, tokens))
        return found
    if "secret" in volume:
        return _selected("secrets", volume["secret"], volume["secret"]["secretName"], objects)
    if "configMap" in volume:
        return _selected("configmaps", volume["configMap"], volume["configMap"]["name"], objects)
    return _fields(pod, volume["downwardAPI"]) if "downwardAPI" in volume else {}


def _projected(pod: Document, source: Document, objects: Objects, tokens: Tokens) -> Files:
    if "serviceAccountToken" in source:
        wanted = source["serviceAccountToken"]
        return {wanted["path"]: tokens.of(pod, wanted)}
    if "secret" in source:
        return _selected("secrets", source["secret"], source["secret"]["name"], objects)
    if "configMap" in source:
        return _selected("configmaps", source["configMap"], source["configMap"]["name"], objects)
    return _fields(pod, source.get("downwardAPI") or {})


def _selected(kind: str, wanted: Document, name: str, objects: Objects) -> Files:
    found = content(kind, name, objects, wanted.get("optional", False)) or {}
    items = wanted.get("items")
    if not items:
        return found
    missing = [item["key"] for item in items if item["key"] not in found]
    if missing and not wanted.get("optional", False):
        raise NotStarted(f"{kind.removesuffix('s')} {name} has no key {missing[0]}")
    return {item["path"]: found[item["key"]] for item in items if item["key"] in found}


def _fields(pod: Document, wanted: Document) -> Files:
    items = [item for item in wanted.get("items") or [] if "fieldRef" in item]
    return {item["path"]: field(pod, item["fieldRef"]["fieldPath"]).encode() for item in items}


def write(folder: Path, held: t.Mapping[str, bytes]) -> None:
    """Put files into a volume's folder, each at once; what a process wrote there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in held.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_bytes(data)
            fresh.replace(path)
