# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong below the rung ``injected``: templates, EKS's webhook and pods. Pure."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ..._kubernetes.containers import IRSA, own_container_variables, variables
from ..._kubernetes.pods import SKIP_CONTAINERS, SKIP_LABEL, Owner, Pod, skip_label, skipped_containers
from ..._kubernetes.webhook import CONFIGURATION
from ..._workload.rollout import only_surges
from ..evidence import Evidence
from . import remedies
from .codes import Finding

MOST_NAMED = 3
"""Pods that a message names."""
FULL = "exceeded quota"
"""In the API server's words."""
LOOK = f"kubectl get mutatingwebhookconfigurations {CONFIGURATION} --ignore-not-found -o yaml"
WARM_SECONDS = 300
"""Seconds after which every replica of EKS's webhook knows an association.

AWS speaks of several seconds (https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html); this is far more.
"""


def of_injection(seen: Evidence) -> t.Iterator[Finding]:
    """An obstacle in the template explains all that its pods lack."""
    if seen.template is None:
        return
    if obstacle := _obstacle(seen):
        yield obstacle
        return
    if skipped := skipped_containers(seen.template.pod):
        yield _skip_containers(seen, skipped)
    yield from _of_trial(seen)
    yield from _of_pods(seen) if all(seen.tried) else (_webhook(seen),)


def _of_trial(seen: Evidence) -> t.Iterator[Finding]:
    if refusal := refused(seen):
        yield _pod_refused(seen, refusal)
    elif unknown := seen.untried or seen.refusal:
        yield _pod_untried(seen, unknown)


def injected_now(seen: Evidence) -> bool | None:
    """Whether a new pod would carry the injection; None where none was tried."""
    return all(seen.tried) and _obstacle(seen) is None if seen.tried else None


def refused(seen: Evidence) -> str:
    """Why new pods of the workload would be refused.

    A full quota doesn't refuse those of a workload that takes its old pods away first.
    """
    workload = seen.template.workload if seen.template else {}
    makes_room = FULL in seen.refusal and bool(workload) and not only_surges(workload)
    return "" if makes_room else seen.refusal


def restartable(seen: Evidence) -> tuple[Pod, ...]:
    """Pods to be created anew: those that lack the injection, and those that may hold a former role."""
    return () if _obstacle(seen) or not seen.concerned else tuple(dict.fromkeys((*seen.stale, *former(seen))))


def former(seen: Evidence) -> tuple[Pod, ...]:
    """Pods from before the association's last change; one that is older than it was injected by a former one.

    The agent keeps their credentials for hours:
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
    """
    changed = (seen.association or {}).get("modified_at", "")
    if not changed:
        return ()
    return tuple(pod for pod in seen.pods if pod.injected and pod.created and _second(pod.created) < _second(changed))


def _second(when: str) -> str:
    """An ISO 8601 time in UTC, to the second: what Kubernetes keeps."""
    return when[:19]


def _obstacle(seen: Evidence) -> Finding | None:
    template = seen.template
    if template is None:
        return None
    if skip_label(template.pod):
        return _skip_label(seen)
    own = own_container_variables(variables(template.pod, seen.contents))
    return _container_variables(seen, sorted({each.name for each in own})) if own else None


def _of_pods(seen: Evidence) -> t.Iterator[Finding]:
    if seen.stale:
        yield _stale_pods(seen)
    elif former(seen):
        yield _former_role(seen, former(seen))
    if added := sorted({name for pod in seen.pods for name in pod.added_containers}):
        yield _added_containers(seen, added)
    expected = not (seen.replaced or seen.account_missing or seen.workload.owner.kind == "Job")
    if expected and not seen.pods:
        yield _no_running_pods(seen)


def _skip_label(seen: Evidence) -> Finding:
    owner = seen.workload.owner
    removed = [{"op": "remove", "path": f"/metadata/labels/{remedies.escaped(SKIP_LABEL)}"}]
    return Finding(
        "skip_label",
        str(owner),
        f"The pods of {owner} carry the label {SKIP_LABEL}, which keeps EKS's webhook away from them",
        remedies.patch(owner, removed, f"Drop the label {SKIP_LABEL}"),
    )


def _container_variables(seen: Evidence, names: t.Sequence[str]) -> Finding:
    owner = seen.workload.owner
    return Finding(
        "container_variables",
        str(owner),
        f"The pod template of {owner} sets {' and '.join(names)} itself, and EKS's webhook then sets neither of the "
        "two variables that an SDK needs",
        remedies.set_variables(owner, dict.fromkeys(names)),
    )


def _skip_containers(seen: Evidence, skipped: t.Sequence[str]) -> Finding:
    owner = seen.workload.owner
    removed = [{"op": "remove", "path": f"/metadata/annotations/{remedies.escaped(SKIP_CONTAINERS)}"}]
    return Finding(
        "skip_containers",
        str(owner),
        f"The annotation {SKIP_CONTAINERS} of {owner} keeps credentials from {', '.join(skipped)}",
        remedies.patch(owner, removed, f"Drop the annotation {SKIP_CONTAINERS}"),
    )


def _pod_refused(seen: Evidence, refusal: str) -> Finding:
    owner = seen.workload.owner
    return Finding(
        "pod_refused",
        str(owner),
        f"A pod that {owner} made now would be refused: {refusal}",
        remedies.command("kubectl", "get", "events", "-n", owner.namespace, "--sort-by=.lastTimestamp"),
    )


def _pod_untried(seen: Evidence, why: str) -> Finding:
    return Finding(
        "pod_untried",
        str(seen.workload.owner),
        f"It is not known whether new pods under service account {seen.place} would get credentials, as the API server "
        f"refuses one that is tried as a dry run: {why}",
        "Nothing: the next pod that is created shows it",
    )


def _added_containers(seen: Evidence, names: t.Sequence[str]) -> Finding:
    return Finding(
        "added_containers",
        str(seen.workload.owner),
        f"Containers that another webhook adds to the pods of {seen.workload.owner} have no credentials: "
        f"{', '.join(names)}",
        "Nothing, unless they call AWS: put them into the pod template then",
    )


def _webhook(seen: Evidence) -> Finding:
    """What keeps the injection from pods that nothing in their template keeps it from."""
    if seen.webhook:
        return _webhook_missing(seen, seen.webhook)
    made = (seen.association or {}).get("created_at") or ""
    if not any(seen.tried) and seconds_between(made, seen.tried_at) > WARM_SECONDS:
        return _webhook_missing(seen, f"it passes over pods of associations as old as that of {made[:19]}Z")
    return _webhook_cold(seen)


def seconds_between(earlier: str, later: str) -> float:
    """The seconds between two ISO 8601 times in UTC; 0 where one isn't known."""
    if not (earlier and later):
        return 0
    return (datetime.fromisoformat(_second(later)) - datetime.fromisoformat(_second(earlier))).total_seconds()


def _webhook_missing(seen: Evidence, why: str) -> Finding:
    return Finding(
        "webhook_missing",
        f"MutatingWebhookConfiguration {CONFIGURATION}",
        f"EKS's webhook doesn't inject credentials into new pods in cluster {seen.around.cluster.name}: {why}",
        f"{LOOK}  # restore {CONFIGURATION} as EKS makes it, from another cluster, with this cluster's caBundle",
    )


def _webhook_cold(seen: Evidence) -> Finding:
    asked, good = len(seen.tried), sum(seen.tried)
    return Finding(
        "webhook_cold",
        str(seen.workload.owner),
        f"Of {asked} pods that were tried as a dry run just now, {good} would get credentials: EKS's webhook learns of "
        "an association some seconds after it was made",
        f"{LOOK}  # ask again in some seconds, and restart pods only then; if it lasts, look at the webhook",
    )


def _stale_pods(seen: Evidence) -> Finding:
    return Finding(
        "stale_pods",
        str(seen.workload.owner),
        f"{len(seen.stale)} of {len(seen.pods)} running pods lack AWS_CONTAINER_CREDENTIALS_FULL_URI and the token "
        f"({_names(seen.stale)}): they are older than the association, or were admitted before the webhook knew it "
        "(AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are IRSA's, and not to be expected)",
        _recreated(seen, seen.stale),
    )


def _former_role(seen: Evidence, pods: t.Sequence[Pod]) -> Finding:
    return Finding(
        "former_role",
        str(seen.workload.owner),
        f"{len(pods)} of {len(seen.pods)} running pods ({_names(pods)}) are older than the last change of association "
        f"{(seen.association or {})['association_id']}, and may hold credentials of before it for up to six hours",
        _recreated(seen, pods),
    )


def _names(pods: t.Sequence[Pod]) -> str:
    more = f" and {len(pods) - MOST_NAMED} more" if len(pods) > MOST_NAMED else ""
    return ", ".join(pod.name for pod in pods[:MOST_NAMED]) + more


def _recreated(seen: Evidence, pods: t.Iterable[Pod]) -> str:
    return "\n".join(sorted({remedies.recreate(pod.owner, _by_irsa(seen, pod.owner)) for pod in pods}))


def _by_irsa(seen: Evidence, owner: Owner) -> bool:
    template = seen.owners.get(owner) or seen.template
    given = variables(template.pod, {}) if template else ()
    return any(variable.name in IRSA for variable in given)


def _no_running_pods(seen: Evidence) -> Finding:
    owner = seen.workload.owner
    return Finding(
        "no_running_pods",
        str(owner),
        f"{owner} has no running pod, so nothing shows that it carries credentials",
        remedies.command("kubectl", "describe", remedies.kubectl_name(owner), "-n", owner.namespace),
    )
