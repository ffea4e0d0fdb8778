# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ConfigMaps and Secrets that decide which credentials a pod's containers find. Pure."""

from __future__ import annotations

import typing as t

from .containers import (
    IRSA,
    NO_PROXY,
    PROFILES,
    PROXIES,
    RELATIVE_URI,
    SHARED_FILES,
    STATIC,
    key_reference,
    references,
    variables,
)
from .credential_files import candidates, unreadable_mounts, volume_sources
from .pods import CREDENTIALS_URI, TOKEN_FILE, Contents, Object, containers

DECIDING = frozenset(
    (*STATIC, *IRSA, *SHARED_FILES, *PROXIES, *NO_PROXY, *PROFILES, RELATIVE_URI, CREDENTIALS_URI, TOKEN_FILE)
)
"""Variables that matter."""

Source = tuple[str, str]
"""Kind and name."""


def sources(pod: Object) -> set[Source]:
    """What has to be read: all that containers take whole, keys of variables that matter, mounts for credentials."""
    whole = {(kind, reference["name"]) for kind, reference in _whole(pod)}
    keys = {(kind, reference["name"]) for kind, reference, _variable in _keys(pod)}
    mounts = {source for mount in candidates(pod, variables(pod, {})) for source in volume_sources(pod, mount.volume)}
    return whole | keys | mounts


def unreadable(pod: Object, contents: Contents) -> list[str]:
    """What may give containers access keys of their own, and could not be read."""
    whole = [
        f"all that {kind} {reference['name']} sets"
        for kind, reference in _whole(pod)
        if _is_denied(kind, reference, contents)
    ]
    keys = [
        f"{variable} of {kind} {reference['name']}"
        for kind, reference, variable in _keys(pod)
        if variable in STATIC and reference.get("optional") and _is_denied(kind, reference, contents)
    ]
    files = [f"the files of {each}" for each in unreadable_mounts(pod, variables(pod, contents), contents)]
    return list(dict.fromkeys([*whole, *keys, *files]))


def _is_denied(kind: str, reference: Object, contents: Contents) -> bool:
    return contents.get((kind, reference["name"]), {}) is None


def _whole(pod: Object) -> t.Iterator[tuple[str, Object]]:
    for container in containers(pod):
        for entry in container.get("envFrom") or ():
            yield from references(entry)


def _keys(pod: Object) -> t.Iterator[tuple[str, Object, str]]:
    for container in containers(pod):
        for entry in container.get("env") or ():
            found = key_reference(entry)
            if found and entry["name"] in DECIDING and found[1].get("name"):
                yield *found, entry["name"]
