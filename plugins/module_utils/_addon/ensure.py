# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task about an add-on: read, complete the target, plan, apply."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._core.aws import Deadline
from .._core.converge import converge, predicts
from .._core.plan import Change, Plan, Refused
from . import configuration
from .api import EksAddons
from .apply import active, idle, read, settle
from .host_ports import holders, sentence
from .plan import BUSY, Addon, Observed, Target, plan, view
from .versions import DEFAULT, Catalogue


def ensure(module: t.Any, eks: EksAddons, target: Target, deadline: Deadline) -> None:
    """Make ``target`` true, and exit with the add-on."""
    observed = read(eks, target)
    target = complete(eks, target, observed, module.params["kubernetes_version"] or "")
    todo = plan(target, observed)
    dry = predicts(module)
    if not dry and observed and _waits_first(target, observed, todo):
        observed = idle(eks, target, observed, deadline)
        todo = plan(target, observed)
    check_configuration(eks, target, todo)
    if any(change.call == "create_addon" for change in todo.changes):
        check_host_ports(module, target)
    if not dry and target.desired and target.wait and observed and not todo.changes and observed.status != "ACTIVE":
        words = view(target.key, active(eks, target, deadline, observed))
        todo = Plan(words, words)
    converge(module, "addon", target.key.name, todo, lambda todo: settle(eks, target, todo, deadline))


def _waits_first(target: Target, observed: Observed, todo: Plan) -> bool:
    """Whether something is under way that has to end before this task can begin, or can be said to be done."""
    in_the_way = observed.status in BUSY if target.desired else observed.status == "DELETING"
    return in_the_way and (target.wait or bool(todo.changes))


def complete(eks: EksAddons, target: Target, observed: Observed | None, kubernetes: str) -> Target:
    """``target`` with versions in place of words for them; asks EKS only where that takes asking."""
    desired = target.desired
    creates = observed is None or observed.status == "DELETING"
    if desired is None or not (creates or desired.version not in (None, observed.addon.version if observed else "")):
        return target
    catalogue = eks.catalogue(target.key.name)
    version = _choose(eks, catalogue, desired.version or DEFAULT, kubernetes)
    offer = catalogue.offer(version)
    blank = Addon(version, namespace=catalogue.default_namespace)
    return replace(
        target,
        desired=replace(desired, version=version) if desired.version else desired,
        blank=Observed(blank, publisher=catalogue.publisher, owner=catalogue.owner),
        requires_configuration=creates and offer is not None and offer.requires_configuration,
    )


def _choose(eks: EksAddons, catalogue: Catalogue, wanted: str, kubernetes: str) -> str:
    version = catalogue.choose(wanted, kubernetes)
    return version or catalogue.choose(wanted, eks.kubernetes_version()) or ""


def check_configuration(eks: EksAddons, target: Target, todo: Plan) -> None:
    """Refuse a configuration that the add-on's schema doesn't allow, before anything is changed."""
    before, after = (state.get("configuration_values", {}) for state in (todo.before, todo.after))
    differs = target.requires_configuration or not configuration.same(before, after)
    if differs and any(map(_installs, todo.changes)):
        version = todo.after["version"]
        schema = eks.configuration(target.key.name, version).get("configurationSchema") or ""
        configuration.check(target.key.name, version, schema, after)


def check_host_ports(module: t.Any, target: Target) -> None:
    """Refuse an add-on whose pods would take the place of others; what can't be known is a warning."""
    ports = module.params["host_ports"]
    if not ports:
        return
    from .._kubernetes.api import KubernetesError, connect  # Only an installation asks Kubernetes.

    try:
        kubernetes = connect(module.params)
        pods, nodes = kubernetes.allowed_objects("pods"), kubernetes.nodes()
    except KubernetesError as error:
        module.warn(f"Whether pods hold a port that {target.key} needs is not known. {error}")
        return
    if pods is None:
        module.warn(f"Whether pods hold a port that {target.key} needs is not known, as you may not list all pods.")
    if held := holders(target.key, ports, pods or (), nodes):
        raise Refused(sentence(target.key, ports, held))


def _installs(change: Change) -> bool:
    return change.call in ("create_addon", "update_addon")
