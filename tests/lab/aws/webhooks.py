# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server asks: who a token is, and what becomes of a pod."""

from __future__ import annotations

import json
import typing as t

from . import pod_mutation, token_review
from .eks import every_cluster
from .kubernetes_api import KubernetesUnreachable
from .state import Lab
from .wire_request import WireRequest

Json = dict[str, t.Any]


def answer(lab: Lab, request: WireRequest) -> tuple[int, Json]:
    """Return status and JSON answer of a webhook's request."""
    try:
        body = json.loads(request.body)
        if request.path == "/token-review":
            return 200, token_review.review(lab, body["spec"]["token"])
        if request.path == "/mutate-pods":
            return 200, _mutate(lab, body["request"])
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"not a review: {error!r}"}
    except KubernetesUnreachable as error:
        return 500, {"error": str(error)}
    return 404, {"error": f"no {request.path}"}


def _mutate(lab: Lab, request: Json) -> Json:
    """Inject for an association of any cluster: which one a pod is in, the one API server behind them can't tell."""
    pod = request["object"]
    service_account = pod["spec"].get("serviceAccountName")
    if not service_account:
        return pod_mutation.review(request, pod)
    namespace = request.get("namespace") or pod["metadata"].get("namespace", "default")
    key = (namespace, service_account)
    regions = [one.region_name for one, found in every_cluster() if one.associations(found.name).webhook.knows(key)]
    annotations = lab.kubernetes.annotations(namespace, service_account)
    region = next(iter(regions), lab.config.region)
    return pod_mutation.review(request, pod_mutation.mutate(pod, bool(regions), annotations, region))
