# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Try pods as a dry run: whether those created now would carry the injection."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._core.parallel import spread
from .._kubernetes.api import Kubernetes, KubernetesError
from .._kubernetes.containers import own_container_variables, variables
from .._kubernetes.pods import (
    KINDS,
    Object,
    Template,
    bare_containers,
    newborn,
    plain_template,
    skip_label,
    skipped_containers,
)

CONCURRENCY = 8
"""Service accounts at a time; the pods of one are tried one after another."""

MAKERS = (*KINDS.values(), "Job")
"""Kinds that have a template apart from their pods."""

Place = tuple[str, str]
"""Namespace and service account."""


@dataclass(frozen=True)
class Tried:
    """How each pod came out, or why none could be tried."""

    injected: tuple[bool, ...] = ()
    refusal: str = ""
    """Why the API server refuses such a pod."""
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
        return _try(cluster, newborn(_plainest(place, templates[place])), times[place])

    return dict(zip(places, spread(attempt, places, CONCURRENCY), strict=True))


def _plainest(place: Place, templates: t.Sequence[Template]) -> Template:
    """A template that doesn't keep the webhook away by itself; one made up, where there is none."""
    return next((each for each in templates if _is_plain(each)), plain_template(*place))


def _is_plain(template: Template) -> bool:
    """Whether EKS's webhook would do all it can; a living pod, which is its own template, was through it already."""
    pod = template.pod
    kept_away = skip_label(pod) or skipped_containers(pod) or own_container_variables(variables(pod, {}))
    return template.owner.kind in MAKERS and not kept_away


def _try(cluster: Kubernetes, pod: Object, times: int) -> Tried:
    try:
        made = [cluster.created_now(pod) for _attempt in range(times)]
        return Tried(tuple(not bare_containers(each) for each in made), pod=made[-1])
    except KubernetesError as error:
        if error.status not in (400, 403, 422):
            raise
        return Tried(denied=str(error)) if "cannot create resource" in str(error) else Tried(refusal=str(error))
