# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's variables as a kubelet works them out, and what of them the lab has to put in other words."""

from __future__ import annotations

import base64
import re
import typing as t

Document = dict[str, t.Any]
Variables = dict[str, str]

AGENT_ADDRESSES = ("http://169.254.170.23:80", "http://169.254.170.23", "http://[fd00:ec2::23]")
AGENT_HOSTS = ("169.254.170.23", "[fd00:ec2::23]", "fd00:ec2::23")
LOOPBACK = "127.0.0.1"

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
_FIELDS = {
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.podIP",
}


class NotStarted(Exception):
    """A kubelet wouldn't have started this container; the message says why."""


class Objects(t.Protocol):
    """The Secrets and ConfigMaps of the pod's namespace."""

    def read(self, kind: str, name: str) -> Document | None:
        """Return the object of this plural kind, or None."""


def variables(pod: Document, container: Document, objects: Objects) -> Variables:
    """Return the variables of one of the pod's containers; NotStarted if one can't be known."""
    found: Variables = {}
    for source in container.get("envFrom") or []:
        found.update(_all_of(source, objects))
    for variable in container.get("env") or []:
        if "valueFrom" in variable:
            value = _referred(variable["valueFrom"], pod, objects)
        else:
            value = expand(variable.get("value", ""), found)
        if value is not None:
            found[variable["name"]] = value
    return found


def expand(text: str, known: Variables) -> str:
    """Replace each $(NAME) that is known, and $$ by $, as Kubernetes does."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else known.get(match[1], match[0])

    return _REFERENCE.sub(replacement, text)


def field(pod: Document, path: str) -> str:
    """Return what a fieldRef names; NotStarted for one that there isn't."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        return str((pod["metadata"].get(subscript[1]) or {}).get(subscript[2], ""))
    if path not in _FIELDS:
        raise NotStarted(f"the lab doesn't know the field {path}")
    section, name = path.split(".")
    return str(pod[section].get(name, ""))


def content(kind: str, name: str, objects: Objects, optional: bool) -> dict[str, bytes] | None:
    """Return what a Secret or ConfigMap holds, None if an optional one isn't there; NotStarted if another isn't."""
    found = objects.read(kind, name)
    if found is None:
        if optional:
            return None
        raise NotStarted(f'{kind.removesuffix("s")} "{name}" not found')
    data = found.get("data") or {}
    if kind == "secrets":
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in data.items()} | binary


def mapped(value: str, name: str, agent: str, mounts: t.Mapping[str, str], root: str) -> str:
    """Return ``value`` with the agent's address and mounted paths as they are on this machine.

    ``agent`` is HOST:PORT, ``mounts`` has the place of each mount path, ``root`` is that of the container's "/".
    """
    if name.lower() == "no_proxy":
        return ",".join(LOOPBACK if host.strip() in AGENT_HOSTS else host for host in value.split(","))
    for address in AGENT_ADDRESSES:
        if value == address or value.startswith(f"{address}/"):
            return f"http://{agent}{value.removeprefix(address)}"
    for path in sorted(mounts, key=len, reverse=True):
        if value == path or value.startswith(path.rstrip("/") + "/"):
            return mounts[path] + value.removeprefix(path.rstrip("/"))
    # This machine has files of these names, too: its user's own credentials among them.
    return root + value if value.startswith("/") and (name == "HOME" or name.endswith("_FILE")) else value


def _all_of(source: Document, objects: Objects) -> Variables:
    kind, reference = ("secrets", "secretRef") if "secretRef" in source else ("configmaps", "configMapRef")
    wanted = source[reference]
    found = content(kind, wanted["name"], objects, wanted.get("optional", False)) or {}
    return {source.get("prefix", "") + key: _text(value) for key, value in found.items()}


def _referred(source: Document, pod: Document, objects: Objects) -> str | None:
    """Return the value; None where an optional one isn't there."""
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"])
    for kind, reference in (("secrets", "secretKeyRef"), ("configmaps", "configMapKeyRef")):
        if reference in source:
            return _one_of(kind, source[reference], objects)
    raise NotStarted(f"the lab doesn't know {' or '.join(source)}")


def _one_of(kind: str, wanted: Document, objects: Objects) -> str | None:
    optional = wanted.get("optional", False)
    found = content(kind, wanted["name"], objects, optional) or {}
    if wanted["key"] in found:
        return _text(found[wanted["key"]])
    if optional:
        return None
    raise NotStarted(f"couldn't find key {wanted['key']} in {kind.removesuffix('s')} {wanted['name']}")


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")
