# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather the evidence of the ladder of proof from EKS, IAM and Kubernetes, and have it judged."""

from __future__ import annotations

import contextlib
import functools
import typing as t
from dataclasses import dataclass, field, replace

from .._association.api import EksAssociations
from .._core.aws import aws_client
from .._core.garbage import uncollected
from .._core.validate import Place
from .._kubernetes.api import Kubernetes, connect
from .._kubernetes.pods import Contents, Owner, Pod, Template, place_of, rendered_templates
from .._kubernetes.sources import sources
from .._kubernetes.webhook import problem
from .._workload.find import PodsByPlace, Templates, named_template, names, other_templates, templates_by_owner
from .._workload.model import Workload
from .._workload.rollout import Room, needs_nodes
from .associations import Bindings, View, known_bindings, read_bindings, slips
from .cluster_state import surroundings, with_agents
from .dry_run import Tried, try_pods
from .evidence import Cluster, Evidence, Surroundings
from .findings import cluster as cluster_findings
from .findings.injected import restartable
from .ladder import judge
from .prove import prove
from .request import Asked, parse
from .run_checks import verify
from .trials import first_trials, further_trials
from .verdict import verdict
from .wait import look_until

with contextlib.suppress(ImportError):  # kubernetes needs it, and kubernetes.core names what is missing.
    import yaml

MOST_SOURCES = 5
"""ConfigMaps and Secrets that are read for workloads that nobody named."""


def observe(module: t.Any) -> dict[str, t.Any]:
    """Judge the workloads that the module's options name, again until what is waited for holds.

    What is wrong with the cluster is returned apart.
    """
    asked = parse(module.params)
    if asked.rung == "allowed":  # botocore's models of what is called take longer to read than many a look.
        verify((*asked.checks, *(check for workload in asked.workloads for check in workload.checks)))
    kubernetes = connect(module.params, asked.reading)
    return look_until(lambda: observe_once(module, asked, kubernetes.afresh()), asked.wait)


@uncollected()
def observe_once(module: t.Any, asked: Asked, kubernetes: Kubernetes) -> dict[str, t.Any]:
    """Judge what ``asked`` names as it is now."""
    sight = _survey(module, asked, kubernetes)
    seen = _with_trials(kubernetes, asked, sight, _all_evidence(kubernetes, sight))
    seen = _with_agents(module, asked, kubernetes, seen)
    room = _room(kubernetes, asked, seen)
    seen = [replace(each, room=room) for each in seen]
    if asked.proves:
        seen = prove(module, kubernetes, asked, seen)
    around = seen[0].around if seen else sight.around
    used = {id(each.mistaken) for each in seen if each.mistaken}
    orphans = [each for each in sight.bindings.orphans if id(each) not in used]
    judged = [judge(each, asked.rung) for each in seen]
    return {
        "changed": any(issued.added for each in seen for issued in (each.issued, each.asked) if issued),
        "workloads": judged,
        **verdict(judged, asked.required_rung),
        "orphaned_associations": [orphan["association_id"] for orphan in sight.bindings.orphans],
        "findings": [finding.result() for finding in cluster_findings.of_cluster(around, seen, orphans)],
    }


def _with_agents(module: t.Any, asked: Asked, kubernetes: Kubernetes, seen: list[Evidence]) -> list[Evidence]:
    """``seen``, where something is proven once the agents of new nodes are there; who waits looks again anyhow."""
    if not asked.proves or asked.wait.wait_for:
        return seen
    eks = functools.cache(lambda: aws_client(module, "eks", many=asked.scans))
    return with_agents(seen, lambda: surroundings(module, eks(), kubernetes, asked.described))


@dataclass(frozen=True)
class Sight:
    """What was read of the cluster and of AWS, before it is sorted by workload."""

    templates: Templates
    owners: t.Mapping[Owner, Template] = field(default_factory=dict)
    """The templates of what makes the pods, where they were read."""
    bindings: Bindings = field(default_factory=Bindings)
    mistaken: t.Mapping[Place, View] = field(default_factory=dict)
    accounts: t.Mapping[Place, t.Any] | None = None
    around: Surroundings = field(default_factory=Surroundings)
    contents: t.Mapping[str, Contents] = field(default_factory=dict)
    """By namespace."""

    def association(self, place: Place) -> View | None:
        """The association of a service account."""
        return dict(self.bindings.bound[place]) if place in self.bindings.bound else None


def _survey(module: t.Any, asked: Asked, kubernetes: Kubernetes) -> Sight:
    templates = _templates(asked, kubernetes)
    owners = _owners(kubernetes, templates)
    if not asked.cluster:
        return Sight(templates, owners)
    accounts = _accounts(asked, kubernetes)
    places = {place_of(template) for template in templates.values() if template}
    eks = functools.cache(lambda: aws_client(module, "eks", many=asked.scans))
    bindings = _bindings(asked, eks, places, accounts)
    around = surroundings(module, eks(), kubernetes, asked.described) if asked.proves else _unseen(module, asked)
    contents = _contents(kubernetes, templates, bindings) if asked.proves else {}
    return Sight(templates, owners, bindings, slips(bindings, sorted(places)), accounts, around, contents)


def _bindings(asked: Asked, eks: t.Callable[[], t.Any], places: t.Collection[Place], accounts: t.Any) -> Bindings:
    """The associations that the caller has read, where they are all that matter; otherwise as EKS has them now."""
    known = known_bindings(asked.associations)
    if places and known.bound.keys() >= set(places):
        return known
    return read_bindings(EksAssociations(eks(), asked.cluster), asked.reading, places, accounts)


def _unseen(module: t.Any, asked: Asked) -> Surroundings:
    return Surroundings(Cluster(asked.cluster, module.region or ""))


def _templates(asked: Asked, kubernetes: Kubernetes) -> Templates:
    rendered = _rendered(asked.manifests, asked.manifests_namespace)
    named = {workload: named_template(workload, kubernetes, rendered) for workload in asked.workloads}
    found = {workload: template for workload, template in named.items() if template or not workload.optional}
    if asked.scans:
        others = other_templates(kubernetes, asked.spaces, {workload.owner for workload in found})
        found |= {Workload(owner.name, owner, None, asked.checks, asked=False): others[owner] for owner in others}
    return found


def _owners(kubernetes: Kubernetes, templates: Templates) -> dict[Owner, Template]:
    """The templates of what makes pods; for service accounts, of all that the caller may list."""
    known = {template.owner: template for template in templates.values() if template and template.source == "live"}
    if any(workload.by_service_account for workload in templates):
        return templates_by_owner(kubernetes) | known
    return known


def _rendered(manifests: str, namespace: str) -> dict[Owner, Template]:
    documents = yaml.safe_load_all(manifests) if manifests else ()
    return {template.owner: template for template in rendered_templates(documents, namespace)}


def _accounts(asked: Asked, kubernetes: Kubernetes) -> dict[Place, t.Any] | None:
    """The service accounts that exist; None where that isn't known, or where a release is about to change them."""
    found = None if asked.manifests else kubernetes.allowed_objects("serviceaccounts")
    if found is None:
        return None
    return {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in found}


def _with_trials(kubernetes: Kubernetes, asked: Asked, sight: Sight, seen: list[Evidence]) -> list[Evidence]:
    """``seen`` with what became of pods that were tried."""
    if asked.rung == "declared" or asked.probes < 1:
        return seen
    by_place: dict[Place, list[Template]] = {}
    for owned in sight.owners.values():
        by_place.setdefault(place_of(owned), []).append(owned)
    tried = try_pods(kubernetes, by_place, first_trials(seen, asked.probes))
    tried |= try_pods(kubernetes, by_place, further_trials(seen, tried))
    webhook = _webhook_problems(kubernetes, tried) if asked.cluster else {}
    return [_with_trial(each, tried, webhook) for each in seen]


def _webhook_problems(kubernetes: Kubernetes, tried: t.Mapping[Place, Tried]) -> dict[Place, str]:
    """For each service account whose pods came out without the injection, what is wrong with EKS's webhook."""
    bare = [place for place, each in tried.items() if not all(each.injected)]
    configurations = kubernetes.mutating_webhooks() if bare else None
    if configurations is None:
        return {}
    labels = {namespace: kubernetes.namespace_labels(namespace) for namespace, _account in bare}
    return {
        place: problem(configurations, labels[place[0]], tried[place].pod["metadata"].get("labels") or {})
        for place in bare
    }


def _contents(
    kubernetes: Kubernetes, templates: Templates, bindings: Bindings
) -> dict[str, dict[tuple[str, str], t.Any]]:
    """What ConfigMaps and Secrets give to containers whole: of all workloads named, and of a few others."""
    wanted: dict[tuple[str, str, str], None] = {}
    spare = MOST_SOURCES
    for workload, template in templates.items():
        if template is None or place_of(template) not in bindings.bound:
            continue
        for kind, name in sorted(sources(template.pod)):
            source = (workload.owner.namespace, kind, name)
            if source not in wanted and (workload.asked or spare):
                spare -= not workload.asked
                wanted[source] = None
    found: dict[str, dict[tuple[str, str], t.Any]] = {}
    for namespace, kind, name in wanted:
        found.setdefault(namespace, {})[(kind, name)] = kubernetes.contents(kind, namespace, name)
    return found


def _all_evidence(kubernetes: Kubernetes, sight: Sight) -> list[Evidence]:
    pods = PodsByPlace(kubernetes.running() if any(sight.templates.values()) else ())
    return [_evidence(workload, template, kubernetes, sight, pods) for workload, template in sight.templates.items()]


def _evidence(
    workload: Workload, template: Template | None, kubernetes: Kubernetes, sight: Sight, pods: PodsByPlace
) -> Evidence:
    if template is None:
        space = workload.owner.namespace
        return Evidence(workload, None, None, neighbours=tuple(names(kubernetes, space)), around=sight.around)
    place, coming = place_of(template), template.source == "rendered"
    seen = Evidence(
        workload,
        template,
        sight.association(place),
        () if coming else _pods(workload, pods, sight.owners),
        replaced=coming,
        neighbours=sight.bindings.accounts.get(place[0], ()),
        around=sight.around,
    )
    return _identified(seen, sight, place)


def _with_trial(seen: Evidence, tried: t.Mapping[Place, Tried], webhook: t.Mapping[Place, str]) -> Evidence:
    place = place_of(seen.template) if seen.template else None
    if place is None or place not in tried:
        return seen
    trial = tried[place]
    return replace(
        seen,
        tried=trial.injected,
        refusal=trial.refusal,
        untried=trial.untried,
        denied=trial.denied,
        tried_at=(trial.pod.get("metadata") or {}).get("creationTimestamp") or "",
        webhook=webhook.get(place, ""),
    )


def _room(kubernetes: Kubernetes, asked: Asked, seen: t.Sequence[Evidence]) -> Room:
    """What of the cluster matters to rollouts, where that was asked for and something may be restarted."""
    if not (asked.rollouts and (asked.wait.wait_for or any(map(restartable, seen)))):
        return Room()
    live = [template.workload for each in seen for template in each.owners.values()]
    return Room(
        kubernetes.nodes() if any(map(needs_nodes, live)) else None,
        kubernetes.allowed_objects("poddisruptionbudgets"),
    )


def _pods(workload: Workload, pods: PodsByPlace, owners: t.Mapping[Owner, Template]) -> tuple[Pod, ...]:
    return tuple(pod.made_by(owners[pod.owner]) if pod.owner in owners else pod for pod in pods.of(workload))


def _identified(seen: Evidence, sight: Sight, place: Place) -> Evidence:
    """``seen`` with the service account, and with what its pods are made from."""
    accounts = sight.accounts
    return replace(
        seen,
        account=(accounts or {}).get(place),
        account_missing=accounts is not None and place not in accounts,
        mistaken=sight.mistaken.get(place),
        contents=sight.contents.get(place[0], {}),
        owners={pod.owner: sight.owners[pod.owner] for pod in seen.pods if pod.owner in sight.owners},
    )
