# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provisions the volumes that claims ask for, and forgets them with the claim: an EBS driver without disks.

Kubernetes' own hostpath provisioner would do, but it keeps its folders outside the lab's.
"""

from __future__ import annotations

import argparse
import threading
import time
import typing as t
from pathlib import Path

from .cluster import PROVISIONER, STORAGE_CLASS
from .kubernetes_api import Document, KubernetesApi, KubernetesError

WATCH = 300
"""Seconds that one watch lasts."""
PAUSE = 0.5
"""Seconds between two watches."""

_SELECTED_NODE = "volume.kubernetes.io/selected-node"


class Volumes:
    """Watches claims and volumes of the lab's provisioner."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api

    def serve(self) -> None:
        """Work until ended."""
        threading.Thread(target=self._follow, args=("/api/v1/persistentvolumes", self.release), daemon=True).start()
        self._follow("/api/v1/persistentvolumeclaims", self.provision)

    def provision(self, claim: Document) -> None:
        """Create the volume of a claim that waits for one."""
        if is_waiting(claim):
            manifest = volume_for(claim)
            self._api.apply(f"/api/v1/persistentvolumes/{manifest['metadata']['name']}", manifest)

    def release(self, volume: Document) -> None:
        """Delete a volume whose claim has gone."""
        mine = volume["spec"].get("csi", {}).get("driver") == PROVISIONER
        if mine and volume.get("status", {}).get("phase") == "Released":
            self._api.call("DELETE", f"/api/v1/persistentvolumes/{volume['metadata']['name']}")

    def _follow(self, path: str, act: t.Callable[[Document], None]) -> t.NoReturn:
        while True:
            try:
                for item in self._api.watch(path, WATCH):
                    act(item)
            except KubernetesError as error:
                print(error, flush=True)
            time.sleep(PAUSE)


def is_waiting(claim: Document) -> bool:
    """Whether a claim is this provisioner's to serve now: the scheduler has chosen a node for its pod."""
    spec, annotations = claim["spec"], claim["metadata"].get("annotations", {})
    return (
        spec.get("storageClassName") == STORAGE_CLASS
        and not spec.get("volumeName")
        and _SELECTED_NODE in annotations
        and "deletionTimestamp" not in claim["metadata"]
    )


def volume_for(claim: Document) -> Document:
    """Return a volume that fits the claim, and belongs to it."""
    metadata = claim["metadata"]
    name = f"pvc-{metadata['uid']}"
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {**reference, **{key: metadata[key] for key in ("namespace", "name", "uid")}},
            "csi": {"driver": PROVISIONER, "volumeHandle": f"vol-{metadata['uid'].replace('-', '')[:17]}"},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
        },
    }


def main() -> None:
    """Serve the cluster named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("ca_file", type=Path)
    parser.add_argument("token_file", type=Path)
    options = parser.parse_args()
    Volumes(KubernetesApi(options.host, options.ca_file, options.token_file)).serve()


if __name__ == "__main__":
    main()
