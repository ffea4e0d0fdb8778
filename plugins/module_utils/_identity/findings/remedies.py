# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remedies that can be pasted into a shell, or a sentence where no command would do. Pure."""

from __future__ import annotations

import json
import shlex
import typing as t

from ..._core.tags import MANAGED_BY
from ..._iam.model import Role
from ..._kubernetes.pods import KINDS, Owner
from ..evidence import Cluster, Evidence

Operation = dict[str, t.Any]


def command(*words: str) -> str:
    """One command of a shell."""
    return " ".join(map(shlex.quote, words))


def compact(document: t.Any) -> str:
    """JSON on one line."""
    return json.dumps(document, separators=(",", ":"))


def kubectl_name(owner: Owner) -> str:
    """What kubectl takes: ``deployment/orders``."""
    return f"{owner.kind.lower()}/{owner.name}"


def restarts(owner: Owner) -> bool:
    """Whether a change of the owner's template makes its pods anew."""
    return owner.kind in KINDS.values()


def eks(cluster: Cluster, operation: str, *words: str) -> str:
    """A command of ``aws eks`` for ``cluster``."""
    region = ("--region", cluster.region) if cluster.region else ()
    return command("aws", "eks", operation, *region, "--cluster-name", cluster.name, *words)


def associate(seen: Evidence, role_arn: str) -> str:
    """Bind the workload's service account to a role; ROLE_ARN stands for one that isn't known.

    It carries the collection's tag, so that drift and teardown find it as one that site made.
    """
    words = ("--namespace", seen.workload.owner.namespace, "--service-account", str(seen.service_account))
    tags = ("--tags", ",".join(f"{key}={value}" for key, value in MANAGED_BY.items()))
    role = ("--role-arn", role_arn or "ROLE_ARN")
    return eks(seen.around.cluster, "create-pod-identity-association", *words, *role, *tags)


def change_association(seen: Evidence, *words: str) -> str:
    """Change the workload's association."""
    found = (seen.association or {})["association_id"]
    return eks(seen.around.cluster, "update-pod-identity-association", "--association-id", found, *words)


def delete_association(cluster: Cluster, association_id: str) -> str:
    """Delete an association."""
    return eks(cluster, "delete-pod-identity-association", "--association-id", association_id)


def trust(role: Role, document: t.Any) -> str:
    """Replace a role's trust policy."""
    words = ("--role-name", role.name, "--policy-document", compact(document))
    return command("aws", "iam", "update-assume-role-policy", *words)


def create_role(role: Role, document: t.Any) -> str:
    """Create a role of that ARN."""
    path = role.arn.partition(":role")[2].rsplit("/", 1)[0] + "/"
    words = ("--role-name", role.name, "--path", path, "--assume-role-policy-document", compact(document))
    return command("aws", "iam", "create-role", *words)


def grant(role: Role, actions: t.Iterable[str], resources: t.Sequence[str]) -> str:
    """Give a role an inline policy."""
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    document = compact({"Version": "2012-10-17", "Statement": [statement]})
    name = ("--role-name", role.name, "--policy-name", "enbuild-eks-" + "-".join(sorted(_short(a) for a in actions)))
    return command("aws", "iam", "put-role-policy", *name, "--policy-document", document)


def _short(action: str) -> str:
    return action.partition(":")[2]


def own_service_account(owner: Owner) -> str:
    """Give a workload a service account of its name, which may exist."""
    place = (owner.name, "-n", owner.namespace)
    made = command("kubectl", "create", "serviceaccount", *place, "--dry-run=client", "-o", "yaml")
    given = command("kubectl", "set", "serviceaccount", kubectl_name(owner), *place)
    return f"{made} | kubectl apply -f - && {given}"


def set_variables(owner: Owner, values: t.Mapping[str, str | None], container: str = "") -> str:
    """Set variables of a workload's containers, or take away those of None."""
    words = [f"{name}-" if value is None else f"{name}={value}" for name, value in values.items()]
    if not restarts(owner):
        return f"Change {', '.join(values)} in the manifest of {owner}, and create it anew"
    only = ("-c", container) if container else ()
    return command("kubectl", "set", "env", kubectl_name(owner), "-n", owner.namespace, *only, *words)


def patch(owner: Owner, operations: t.Sequence[Operation], what: str) -> str:
    """Change a workload's template by JSON patch; ``what`` says it for one whose template can't be changed."""
    if not restarts(owner):
        return f"{what} in the manifest of {owner}, and create it anew"
    rooted = [{**operation, "path": f"/spec/template{operation['path']}"} for operation in operations]
    words = ("-n", owner.namespace, "--type=json", "-p", compact(rooted))
    return command("kubectl", "patch", kubectl_name(owner), *words)


def escaped(key: str) -> str:
    """A key as part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


WITHOUT_EPHEMERAL_CONTAINERS = (
    *("kubectl", "patch", "--local", "-f", "-", "--type", "merge", "-o", "json"),
    *("-p", compact({"spec": {"ephemeralContainers": None}})),
)
"""Takes from a pod what Kubernetes refuses in a new one; ``replace`` has deleted the old one by then."""


def recreate(owner: Owner, by_irsa: bool = False) -> str:
    """Make the owner's pods anew; ``by_irsa`` is a pod that IRSA's variables were injected into."""
    if restarts(owner):
        return command("kubectl", "rollout", "restart", kubectl_name(owner), "-n", owner.namespace)
    if owner.kind == "Pod" and by_irsa:
        return f"Create {owner} anew from its manifest: a copy of the pod keeps IRSA's variables, which win"
    if owner.kind == "Pod":
        read = command("kubectl", "get", "pod", owner.name, "-n", owner.namespace, "-o", "json")
        return f"{read} | {command(*WITHOUT_EPHEMERAL_CONTAINERS)} | kubectl replace --force -f -"
    return f"Let {owner} end, and run it again: nothing restarts its pods"
