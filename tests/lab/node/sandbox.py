# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process in a container finds: its variables, its programs, and the files of its volumes."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..kubernetes_api import KubernetesApi
from . import volumes
from .image import Images, tools_of, tools_of_image
from .variables import Document, NotStarted, mapped, variables

AgentOf = t.Callable[[str], str]
"""Returns HOST:PORT at which a node's agent answers, or nobody if it has none."""

IMAGE_VARIABLES = {"LANG": "C.UTF-8"}
"""As in Python's own images. Without it, Python would choose a locale by itself and leave that to its children."""


@dataclass(frozen=True)
class Sandbox:
    """All that a process is started with."""

    folder: Path
    image: Path
    environment: dict[str, str]


class Sandboxes:
    """Makes sandboxes, in a folder for each pod."""

    def __init__(
        self, api: KubernetesApi, folder: Path, own: t.Mapping[str, str], agent_of: AgentOf, metadata_url: str
    ) -> None:
        """Everything gets the variables ``own``, whatever its pod says."""
        self._api, self._own, self._agent_of, self._metadata_url = api, own, agent_of, metadata_url
        self._images, self._pods = Images(folder / "images"), folder / "pods"
        self._tokens = volumes.Tokens(api)
        self._lock = threading.Lock()

    def make(self, pod: Document, container: Document) -> Sandbox:
        """Return the sandbox of a container; NotStarted, KubernetesError."""
        with self._lock:
            image = self._images.path(_tools(pod, container))
            home = self._pods / pod["metadata"]["uid"]
            root = home / "containers" / container["name"]
            objects = volumes.NamespaceObjects(self._api, pod["metadata"]["namespace"])
            mounts = self._mount(pod, container, root, objects)
            agent = self._agent_of(pod["spec"]["nodeName"])
            found = variables(pod, container, objects)
            given = {name: mapped(value, name, agent, mounts, str(root)) for name, value in found.items()}
            system = {**IMAGE_VARIABLES, "HOME": str(_folder(root / "root")), "HOSTNAME": pod["metadata"]["name"]}
            folder = _folder(root / container.get("workingDir", "").strip("/"))
            return Sandbox(folder, image, {**system, **given, "PATH": str(image), **self._own, **self._instance(pod)})

    def _instance(self, pod: Document) -> dict[str, str]:
        """Let pods in their node's network reach its metadata; for others that is a hop too far."""
        if pod["spec"].get("hostNetwork"):
            return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata_url}
        return {"AWS_EC2_METADATA_DISABLED": "true"}

    def _mount(
        self, pod: Document, container: Document, root: Path, objects: volumes.NamespaceObjects
    ) -> dict[str, str]:
        """Put the container's volumes into its root; return the place of each mount path."""
        known = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
        mounts = {}
        for mount in sorted(container.get("volumeMounts") or [], key=lambda one: str(one["mountPath"])):
            folder = root.parents[1] / "volumes" / mount["name"]
            volumes.write(folder, volumes.files(pod, known[mount["name"]], objects, self._tokens))
            place = root / mount["mountPath"].strip("/")
            _link(place, folder / mount.get("subPath", ""))
            mounts[mount["mountPath"]] = str(place)
        return mounts


def _tools(pod: Document, container: Document) -> tuple[str, ...]:
    if container["name"] not in (one["name"] for one in ephemeral_containers(pod)):
        return tools_of(pod)
    found = tools_of_image(container["image"])
    if found is None:
        raise NotStarted(f"{container['image']}: not found")
    return found


def ephemeral_containers(pod: Document) -> list[Document]:
    """Return those that were added to a pod."""
    return pod["spec"].get("ephemeralContainers") or []


def container_of(pod: Document, name: str) -> Document:
    """Return one of the pod's containers that runs; NotStarted."""
    status = pod.get("status", {})
    kinds = ("containers", "initContainers", "ephemeralContainers")
    states = [f"{kind.removesuffix('s')}Statuses" for kind in kinds]
    running = {one["name"] for kind in states for one in status.get(kind) or [] if "running" in one.get("state", {})}
    found = [one for kind in kinds for one in pod["spec"].get(kind) or [] if one["name"] == name]
    if not found or name not in running:
        raise NotStarted(f'container not found ("{name}")')
    return t.cast("Document", found[0])


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _link(place: Path, target: Path) -> None:
    """Let ``place`` be ``target``, unless it is already."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink() and not place.exists():
        place.symlink_to(target)
