# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather the evidence of the ladder of proof from EKS and Kubernetes."""

from __future__ import annotations

import contextlib
import typing as t

from ._association import Found
from ._aws import aws_client
from ._eks_associations import EksAssociations
from ._kubernetes import Kubernetes, connect
from ._ladder import Evidence, Workload, judge, parse_workload
from ._pods import Owner, Pod, Template, bare_containers, newborn, plain_template, rendered_templates

with contextlib.suppress(ImportError):  # kubernetes needs it, and kubernetes.core names what is missing.
    import yaml

Associations = t.Mapping[tuple[str, str], t.Mapping[str, t.Any]]
"""Associations of a cluster by namespace and service account."""


def workload_identities(module: t.Any) -> list[dict[str, t.Any]]:
    """Judge each of the module's ``workloads``; one result for each, in their order."""
    params = module.params
    workloads = [parse_workload(item) for item in params["workloads"]]
    cluster = connect(params)
    rendered = _rendered(params["manifests"], params["manifests_namespace"])
    templates = {workload: _template(workload, cluster, rendered) for workload in workloads}
    associations = _associations(module, templates.values())
    return [
        judge(_evidence(workload, template, cluster, associations, params["probes"]))
        for workload, template in templates.items()
    ]


def _rendered(manifests: str, namespace: str) -> dict[Owner, Template]:
    documents = yaml.safe_load_all(manifests) if manifests else ()
    return {template.owner: template for template in rendered_templates(documents, namespace)}


def _template(workload: Workload, cluster: Kubernetes, rendered: t.Mapping[Owner, Template]) -> Template | None:
    """The template that ``workload`` runs by, or will run by when its release has changed."""
    owner = workload.owner
    if workload.by_service_account:
        return plain_template(owner.namespace, owner.name)
    live, coming = cluster.template(owner), rendered.get(owner)
    if live and coming and live.service_account == coming.service_account:
        return live
    return coming or live


def _associations(module: t.Any, templates: t.Iterable[Template | None]) -> Associations:
    """Every association of the namespaces looked at; those of the wanted service accounts with their roles."""
    name = module.params["cluster_name"]
    wanted = {(template.owner.namespace, template.service_account) for template in templates if template}
    if not name or not wanted:
        return {}
    eks = EksAssociations(aws_client(module, "eks"), name)
    spaces = {namespace for namespace, _account in wanted}
    found = {}
    for summary in eks.list(spaces.pop() if len(spaces) == 1 else None):
        place = (summary.key.namespace, summary.key.service_account)
        described = eks.describe(summary.id) if place in wanted else None
        found[place] = _association(described[1]) if described else {}
    return found


def _association(found: Found) -> dict[str, t.Any]:
    return {
        "association_id": found.id,
        "association_arn": found.arn,
        "role_arn": found.association.role_arn,
        "target_role_arn": found.association.target_role_arn,
        "owner_arn": found.owner_arn,
    }


def _evidence(
    workload: Workload, template: Template | None, cluster: Kubernetes, associations: Associations, probes: int
) -> Evidence:
    if template is None:
        return Evidence(workload, None, None, neighbours=tuple(cluster.workload_names(workload.owner.namespace)))
    namespace, coming = template.owner.namespace, template.source == "rendered"
    return Evidence(
        workload,
        template,
        associations.get((namespace, template.service_account)) or None,
        () if coming else tuple(pod for pod in cluster.pods(namespace) if _belongs(pod, workload, template)),
        () if coming else tuple(_probe(cluster, template) for _attempt in range(probes)),
        replaced=coming,
        neighbours=tuple(account for space, account in associations if space == namespace),
    )


def _belongs(pod: Pod, workload: Workload, template: Template) -> bool:
    if workload.by_service_account:
        return pod.service_account == template.service_account
    return pod.owner == workload.owner


def _probe(cluster: Kubernetes, template: Template) -> bool:
    """Whether a pod born now would carry the injection."""
    return not bare_containers(cluster.born_now(newborn(template)))
