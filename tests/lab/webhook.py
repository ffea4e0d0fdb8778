# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS's admission webhook, deleted, altered or failing for as long as a test wants, and as before afterwards."""

from __future__ import annotations

import contextlib
import copy
import typing as t

from .cluster import WEBHOOK
from .errors import LabError
from .eventually import eventually
from .kubernetes_api import Document, KubernetesApi, KubernetesError

PATH = f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{WEBHOOK}"
NAMESPACE, ACCOUNT = "kube-public", "lab-webhook-probe"
"""A service account with a role of IRSA: a dry run shows whether the webhook works, whatever AWS holds."""
NOBODY = "https://127.0.0.1:9/mutate-pods"
SECONDS = 20.0
"""For the API server to learn of a change."""

Harm = t.Literal["deleted", "altered", "failing"]
Effect = t.Literal["injected", "left alone", "refused"]
EFFECTS: dict[Harm, Effect] = {"deleted": "left alone", "altered": "left alone", "failing": "refused"}
"""What becomes of a new pod."""


@contextlib.contextmanager
def harmed(api: KubernetesApi, harm: Harm) -> t.Iterator[None]:
    """Do ``harm`` to the webhook's configuration and restore it at the end; LabError if it has no effect.

    ``altered``: it is asked about ConfigMaps in place of pods. ``failing``: nobody answers, and it refuses what it
    can't change.
    """
    before = _content(api.call("GET", PATH))
    with _probe(api):
        try:
            _do(api, harm, before)
            _await(api, EFFECTS[harm])
            yield
        finally:
            with contextlib.suppress(KubernetesError):
                api.call("DELETE", PATH)
            api.apply(PATH, before)
            _await(api, "injected")


def effect(api: KubernetesApi) -> Effect:
    """Return what becomes of a new pod of the probe's service account, by a dry run."""
    container = {"name": "main", "image": "registry.example.com/none"}
    spec = {"serviceAccountName": ACCOUNT, "containers": [container]}
    try:
        pod = api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", _named("probe", spec=spec))
    except KubernetesError as error:
        if error.status != 500:
            raise
        return "refused"
    return "injected" if pod["spec"]["containers"][0].get("env") else "left alone"


def _content(configuration: Document) -> Document:
    """Return what a configuration says, without what the API server added."""
    metadata = {key: configuration["metadata"][key] for key in ("name", "labels") if key in configuration["metadata"]}
    return {**configuration, "metadata": metadata}


def _do(api: KubernetesApi, harm: Harm, before: Document) -> None:
    changed = copy.deepcopy(before)
    (webhook,) = changed["webhooks"]
    if harm == "deleted":
        api.call("DELETE", PATH)
        return
    if harm == "altered":
        webhook["rules"][0]["resources"] = ["configmaps"]
    else:
        webhook["clientConfig"]["url"], webhook["failurePolicy"] = NOBODY, "Fail"
    api.apply(PATH, changed)


@contextlib.contextmanager
def _probe(api: KubernetesApi) -> t.Iterator[None]:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    annotations = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/probe"}
    api.apply(f"{path}/{ACCOUNT}", _named(ACCOUNT, kind="ServiceAccount", apiVersion="v1", annotations=annotations))
    try:
        yield
    finally:
        api.call("DELETE", f"{path}/{ACCOUNT}")


def _named(name: str, annotations: Document | None = None, **more: t.Any) -> Document:
    return {"metadata": {"name": name, "annotations": annotations or {}}, **more}


def _await(api: KubernetesApi, expected: Effect) -> None:
    if not eventually(lambda: effect(api) == expected, seconds=SECONDS):
        raise LabError(f"the webhook's configuration had no effect within {SECONDS:g} s: new pods are {effect(api)}")
