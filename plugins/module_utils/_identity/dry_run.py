# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create pods as a dry run, to see whether EKS's webhook injects them now.

The webhook learns of a new association some seconds after the call that made it:
https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._core.parallel import spread
from .._core.validate import Place
from .._kubernetes.api import Kubernetes, KubernetesError
from .._kubernetes.containers import own_container_variables, variables
from .._kubernetes.pods import (
    KINDS,
    Object,
    Template,
    bare_containers,
    containers,
    created_by,
    plain_template,
    skip_label,
    skipped_containers,
)

CONCURRENCY = 8
"""Service accounts at a time; the pods of one are tried one after another."""

MAKERS = (*KINDS.values(), "Job")
"""Kinds that have a template apart from their pods."""

DENIED = "cannot create resource"
"""In the API server's words, where the caller may not create pods."""
REFUSALS, BROKEN = (400, 403, 422), 500
"""Statuses of a pod that is refused, and of an admission webhook that fails."""
MADE_UP = "named"
"""Source of a template that was made up."""


@dataclass(frozen=True)
class Tried:
    """How each pod came out, or why none could be tried."""

    injected: tuple[bool, ...] = ()
    refusal: str = ""
    """Why the API server refuses a pod of that workload, in its own words."""
    untried: str = ""
    """The same of a pod that was made up, which says nothing about others."""
    denied: str = ""
    """Why the caller may not try one."""
    pod: Object = field(default_factory=dict)
    """The pod that was tried last, as the cluster would create it."""


def try_pods(
    cluster: Kubernetes, templates: t.Mapping[Place, t.Sequence[Template]], times: t.Mapping[Place, int]
) -> dict[Place, Tried]:
    """Try as many pods as ``times`` says, for each service account by one of its templates."""
    places = [place for place, number in times.items() if number]

    def attempt(place: Place) -> Tried:
        return _try(cluster, _plainest(place, templates.get(place, ())), times[place])

    return dict(zip(places, spread(attempt, places, CONCURRENCY), strict=True))


def _plainest(place: Place, templates: t.Sequence[Template]) -> Template:
    """A template that doesn't keep the webhook away by itself; one made up, where there is none."""
    return next((each for each in templates if _is_plain(each)), plain_template(*place))


def _is_plain(template: Template) -> bool:
    """Whether EKS's webhook would do all it can; a living pod, which is its own template, was through it already."""
    pod = template.pod
    kept_away = skip_label(pod) or skipped_containers(pod) or own_container_variables(variables(pod, {}))
    return template.owner.kind in MAKERS and not kept_away


def _try(cluster: Kubernetes, template: Template, times: int) -> Tried:
    pod, own = created_by(template), {container["name"] for container in containers(template.pod)}
    try:
        made = [cluster.created_now(pod) for _attempt in range(times)]
    except KubernetesError as error:
        return _refused(error, template)
    return Tried(tuple(not bare_containers(each, own) for each in made), pod=made[-1])


def _refused(error: KubernetesError, template: Template) -> Tried:
    """What a refusal says; raises an error that is about something else than the pod."""
    if DENIED in error.reason:
        return Tried(denied=str(error))
    if error.status not in REFUSALS and not (error.status == BROKEN and "webhook" in error.reason):
        raise error
    return Tried(untried=error.reason) if template.source == MADE_UP else Tried(refusal=error.reason)
