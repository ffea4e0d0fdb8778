# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks of a migration take from its plan: workloads to look at and to restart, and patches. Pure."""

from __future__ import annotations

import typing as t

from .._iam.trust_edit import Provider
from .._identity.findings.declared import IRSA_ANNOTATION
from .._kubernetes.pods import ALL_KINDS, Owner
from .memory import MIGRATION, PROVEN, UNPROVEN, made_here, memory, remembered_statements
from .model import REMEMBERED_NETWORK, REMEMBERED_ROLE, Account, Running

Row = dict[str, t.Any]
SECTIONS = ("containers", "initContainers")


def acts(account: Account, steps: t.Mapping[str, list[str]], session_tags: bool = True) -> Row:
    """What the tasks that act need; ``steps`` are those of the plan, by what they are."""
    alive = {pod.owner for pod in account.pods}
    return {
        "tags": {} if account.bound else {MIGRATION: UNPROVEN},
        "without_session_tags": not account.bound and not session_tags,
        "proven": {MIGRATION: PROVEN} if not account.bound or made_here(account.bound, UNPROVEN) else {},
        "role": "role" in steps,
        "trust": "trust" in steps,
        "prepare": [*steps.get("role", ()), *steps.get("trust", ())],
        "restart": [_words(owner) for owner in account.restarted],
        "ahead": _entries(account, [each for each in account.workloads if each.owner.kind in ALL_KINDS.values()]),
        "prove": _entries(
            account,
            [each for each in account.workloads if each.can_restart and each.owner in alive],
            alone=bool(account.provable) and not account.stale,
        ),
        "declared": [item["name"] for item in account.declared],
    }


def _words(owner: Owner) -> Row:
    return {"kind": owner.kind, "namespace": owner.namespace, "name": owner.name, "predicted": False}


def _entries(account: Account, found: t.Sequence[Running], alone: bool = True) -> list[Row]:
    """What pod_identity_workload_info takes to look at these; the service account ``alone`` where there are none."""
    if not found and alone:
        found = [Running(Owner("ServiceAccount", account.namespace, account.name), {})]
    return [_entry(account, each) for each in found]


def _entry(account: Account, each: Running) -> Row:
    keys = {kind: key for key, kind in ALL_KINDS.items()} | {"ServiceAccount": "service_account"}
    key = keys[each.owner.kind]
    declared = [item for item in account.declared if item.get(key) == each.owner.name] or account.declared
    checks = next((item["allowed"] for item in declared if item.get("allowed")), None)
    words = {"name": each.owner.name, "namespace": account.namespace, key: each.owner.name}
    return {**words, "allowed": checks} if checks else words


def finishes(account: Account, provider: Provider, codes: t.Collection[str]) -> Row:
    """What the tasks that finish need."""
    parts = account.irsa_parts(provider) if "irsa" in codes else []
    return {
        "memory": remembering(account, provider) if {"annotation", "irsa"} & set(codes) else {},
        "statements": parts,
        "host_network": [_off(each) for each in account.on_host_network] if "host_network" in codes else [],
        "metadata": _forgotten(account) if "annotation" in codes else {},
        "irsa": account.irsa_role if "irsa" in codes else "",
        "restart": [_words(each.owner) for each in account.workloads if each.can_restart and not each.on_host_network],
    }


def remembering(account: Account, provider: Provider) -> dict[str, str]:
    """The tags by which its association remembers its old way; what it remembers already is kept."""
    parts = account.irsa_parts(provider) or remembered_statements(account.bound)
    return memory(account.by_irsa, parts) if account.by_irsa else {}


def _forgotten(account: Account) -> Row:
    """Metadata that takes IRSA's annotation away and remembers it."""
    return {"annotations": {IRSA_ANNOTATION: None, REMEMBERED_ROLE: account.annotation}}


def _off(each: Running) -> Row:
    """A patch that takes a workload out of its node's network, with the host ports that came with it."""
    spec = {"hostNetwork": False, **{section: found for section in SECTIONS if (found := _closed_ports(each, section))}}
    return _patch(each, "true", spec)


def _patch(each: Running, memory: str | None, spec: Row) -> Row:
    definition = {"metadata": {"annotations": {REMEMBERED_NETWORK: memory}}, "spec": {"template": {"spec": spec}}}
    return {**_words(each.owner), "definition": definition}


def _closed_ports(each: Running, section: str) -> list[Row]:
    """Of each container, the ports that are the node's, too: outside of its network they would keep pods apart."""
    return [
        {"name": container["name"], "ports": closed}
        for container in each.template["spec"].get(section) or ()
        if (closed := [{**port, "hostPort": None} for port in container.get("ports") or () if port.get("hostPort")])
    ]


def goes_back(account: Account) -> Row:
    """What the tasks that go back need."""
    annotations = {IRSA_ANNOTATION: account.remembered, REMEMBERED_ROLE: None}
    there = [each for each in account.workloads if each.was_on_host_network]
    injected = any(pod.injected for pod in account.pods)
    return {
        "irsa": account.remembered,
        "statements": remembered_statements(account.bound) if account.remembered else [],
        "metadata": {"annotations": annotations} if account.remembered else {},
        "host_network": [_patch(each, None, {"hostNetwork": True}) for each in there],
        "association_id": account.bound.get("association_id"),
        "made_here": made_here(account.bound),
        "injected": injected,
        "kept": bool(account.remembered or there),
        "bound": bool(account.remembered or there or account.bound or injected),
    }
