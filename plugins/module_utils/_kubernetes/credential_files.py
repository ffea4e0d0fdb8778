# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounted files that an AWS SDK takes access keys from. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._core.text import shell_quoted
from .containers import DEFAULT_PROFILE, OTHER_SOURCES, SHARED_FILES, WITH_KEYS, Variable, profiles
from .pods import Contents, Object

FOLDER = "/.aws"
"""In a home directory, where the AWS CLI and the SDKs look for both of their files."""
FILES = (f"{FOLDER}/credentials", f"{FOLDER}/config")
HEADER = re.compile(r"^[ \t]*\[[ \t]*([^\]\n]*?)[ \t]*\]", re.MULTILINE)
"""Head of a profile's section in such a file."""
WRITABLE = ("emptyDir", "ephemeral", "persistentVolumeClaim")
"""Volumes that begin empty, or hold what the workload itself wrote."""
WITHOUT_KEYS = ("serviceAccountToken", "downwardAPI", "clusterTrustBundle")
"""Sources of a projected volume that give no access keys."""

Files = dict[str, str]
"""What a volume holds, by the path inside it."""


@dataclass(frozen=True)
class Mount:
    """A mount, and where in the template it stands."""

    container: str
    path: str
    volume: str
    pointer: str
    """JSON pointer below the pod's ``spec``."""
    sub_path: str = ""


def credential_files(pod: Object, seen: t.Sequence[Variable], contents: Contents) -> list[Mount]:
    """Mounts that give a container a file with access keys where the AWS CLI and the SDKs look for it."""
    return _mounts_with((WITH_KEYS,), pod, seen, contents)


def other_sources(pod: Object, seen: t.Sequence[Variable], contents: Contents) -> list[Mount]:
    """The same of a file that leads to credentials from elsewhere: a command, single sign-on, another token."""
    return _mounts_with(OTHER_SOURCES, pod, seen, contents)


def missing_profiles(pod: Object, seen: t.Sequence[Variable], contents: Contents) -> dict[str, str]:
    """The profile that a container names and no file that is known has, by the container's name.

    A file that can't be read, or that a Secret gives, is believed to have it.
    """
    volumes = _volumes(pod)
    files: dict[str, list[Files | None]] = {}
    for mount in candidates(pod, seen):
        volume = volumes.get(mount.volume, {})
        secret = any(kind == "Secret" for kind, _name, _items in _parts(volume))
        files.setdefault(mount.container, []).append(None if secret else _files(volume, contents))
    named = {name: profile for name, profile in profiles(seen).items() if profile and profile != DEFAULT_PROFILE}
    return {name: profile for name, profile in named.items() if not _may_name(files.get(name, ()), profile)}


def _may_name(files: t.Iterable[Files | None], profile: str) -> bool:
    return any(each is None or any(_section(text, profile) is not None for text in each.values()) for each in files)


def _mounts_with(settings: t.Sequence[str], pod: Object, seen: t.Sequence[Variable], contents: Contents) -> list[Mount]:
    """Mounts of files that have one of ``settings`` in the profile that their container uses."""
    volumes, named = _volumes(pod), profiles(seen)
    return [
        mount
        for mount in candidates(pod, seen)
        if any(
            _sets(text, named.get(mount.container, DEFAULT_PROFILE), settings) and _is_looked_for(path, mount, seen)
            for path, text in _mounted(mount, _files(volumes.get(mount.volume, {}), contents) or {})
        )
    ]


def _sets(text: str, profile: str | None, settings: t.Sequence[str]) -> bool:
    """Whether a file sets one of ``settings`` for ``profile``; one without sections for whatever profile."""
    used = text if profile is None or not HEADER.search(text) else _section(text, profile) or ""
    return any(setting in used.lower() for setting in settings)


def _section(text: str, profile: str) -> str | None:
    """What a file says of ``profile``; None where it doesn't name it."""
    parts = HEADER.split(text)[1:]
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    return next((named[name] for name in (profile, f"profile {profile}") if name in named), None)


def unreadable_mounts(pod: Object, seen: t.Sequence[Variable], contents: Contents) -> list[str]:
    """What may give a container such a file, and can't be read: "Secret NAME at PATH"."""
    volumes = _volumes(pod)
    return [
        f"{_name(volumes[mount.volume])} at {shell_quoted(mount.path)}"
        for mount in candidates(pod, seen)
        if mount.volume in volumes and _files(volumes[mount.volume], contents) is None
    ]


def candidates(pod: Object, seen: t.Sequence[Variable]) -> list[Mount]:
    """Mounts that may hold a credentials file, by their paths."""
    return [mount for mount in _mounts(pod) if _may_hold(mount, seen)]


def volume_sources(pod: Object, volume: str) -> list[tuple[str, str]]:
    """The ConfigMaps and Secrets that a volume shows, by kind and name."""
    return [(kind, name) for kind, name, _items in _parts(_volumes(pod).get(volume, {}))]


def _mounts(pod: Object) -> list[Mount]:
    return [
        Mount(
            container["name"],
            mount["mountPath"].rstrip("/"),
            mount["name"],
            f"/{section}/{place}/volumeMounts/{number}",
            mount.get("subPath", ""),
        )
        for section in ("containers", "initContainers")
        for place, container in enumerate((pod.get("spec") or {}).get(section) or ())
        for number, mount in enumerate(container.get("volumeMounts") or ())
    ]


def _volumes(pod: Object) -> dict[str, Object]:
    return {volume["name"]: volume for volume in (pod.get("spec") or {}).get("volumes") or ()}


def _named(mount: Mount, seen: t.Sequence[Variable]) -> set[str]:
    """The paths that the container's own variables name."""
    return {
        each.value for each in seen if each.name in SHARED_FILES and each.container == mount.container and each.value
    }


def _may_hold(mount: Mount, seen: t.Sequence[Variable]) -> bool:
    if mount.path.endswith((FOLDER, *FILES)):
        return True
    return any(path == mount.path or path.startswith(f"{mount.path}/") for path in _named(mount, seen))


def _is_looked_for(path: str, mount: Mount, seen: t.Sequence[Variable]) -> bool:
    return path.endswith(FILES) or path in _named(mount, seen)


def _mounted(mount: Mount, files: Files) -> t.Iterator[tuple[str, str]]:
    """The files of a volume by their paths in the container."""
    for name, text in files.items():
        if not mount.sub_path:
            yield f"{mount.path}/{name}", text
        elif name == mount.sub_path:
            yield mount.path, text
        elif name.startswith(f"{mount.sub_path}/"):
            yield f"{mount.path}/{name.removeprefix(mount.sub_path + '/')}", text


def _files(volume: Object, contents: Contents) -> Files | None:
    """What a volume holds; None where that can't be read."""
    if any(kind in volume for kind in WRITABLE):
        return {}
    parts = _parts(volume)
    if not parts and "projected" not in volume:
        return None
    found: Files = {}
    for kind, name, items in parts:
        known = contents.get((kind, name), {})
        if known is None:
            return None
        paths = {item["key"]: item["path"] for item in items} if items else {key: key for key in known}
        found |= {path: known[key] for key, path in paths.items() if key in known}
    return found


def _parts(volume: Object) -> list[tuple[str, str, t.Sequence[Object]]]:
    """The ConfigMaps and Secrets of a volume: kind, name, and the keys that are picked."""
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    return [
        (kind, str(given.get("secretName") or given.get("name") or ""), given.get("items") or ())
        for source in sources
        for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret"))
        if (given := source.get(key))
    ]


def _name(volume: Object) -> str:
    parts = _parts(volume)
    return f"{parts[0][0]} {parts[0][1]}" if parts else f"volume {volume['name']}"
