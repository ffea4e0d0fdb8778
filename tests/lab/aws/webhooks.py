# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server asks: who a token is, and what becomes of a pod."""

from __future__ import annotations

import json
import typing as t

from moto.eks.models import eks_backends

from . import pod_mutation, token_review
from .eks import LabEKSBackend
from .kubernetes_api import KubernetesUnreachable
from .state import Lab
from .wire_request import WireRequest

Json = dict[str, t.Any]

_MUTATE_PODS = "/mutate-pods/"
"""Then comes the cluster's name: Kubernetes allows no query in a webhook's address."""


def answer(lab: Lab, request: WireRequest) -> tuple[int, Json]:
    """Return status and JSON answer of a webhook's request."""
    try:
        body = json.loads(request.body)
        if request.path == "/token-review":
            return 200, token_review.review(lab, body["spec"]["token"])
        if request.path.startswith(_MUTATE_PODS):
            return 200, _mutate(lab, request.path.removeprefix(_MUTATE_PODS), body["request"])
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"not a review: {error!r}"}
    except KubernetesUnreachable as error:
        return 500, {"error": str(error)}
    return 404, {"error": f"no {request.path}"}


def _mutate(lab: Lab, cluster: str, request: Json) -> Json:
    pod = request["object"]
    service_account = pod["spec"].get("serviceAccountName")
    backend = _backend_of(lab, cluster)
    if not service_account or backend is None:
        return pod_mutation.review(request, pod)
    namespace = request.get("namespace") or pod["metadata"].get("namespace", "default")
    associated = backend.associations(cluster).webhook.knows((namespace, service_account))
    annotations = lab.kubernetes.annotations(namespace, service_account)
    return pod_mutation.review(request, pod_mutation.mutate(pod, associated, annotations, backend.region_name))


def _backend_of(lab: Lab, cluster: str) -> LabEKSBackend | None:
    for backend in list(eks_backends[lab.config.account_id].values()):
        if cluster in backend.clusters:
            return t.cast(LabEKSBackend, backend)
    return None
