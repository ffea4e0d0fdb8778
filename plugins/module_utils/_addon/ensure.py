# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task about an add-on: read, complete the goal, plan, apply."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._core.aws import Deadline
from .._core.converge import converge
from .._core.plan import Change, Plan
from . import configuration
from .api import EksAddons
from .apply import active, idle, read, settle
from .plan import BUSY, Addon, Found, Goal, plan, view
from .versions import DEFAULT, Catalogue


def ensure(module: t.Any, eks: EksAddons, goal: Goal, deadline: Deadline) -> None:
    """Make ``goal`` true, and exit with the add-on."""
    found = read(eks, goal)
    goal = complete(eks, goal, found, module.params["kubernetes_version"] or "")
    todo = plan(goal, found)
    dry = module.check_mode
    if not dry and found and _waits_first(goal, found, todo):
        found = idle(eks, goal, found, deadline)
        todo = plan(goal, found)
    check_configuration(eks, goal, todo)
    if not dry and goal.wish and goal.wait and found and not todo.changes and found.status != "ACTIVE":
        words = view(goal.key, active(eks, goal, deadline, found))
        todo = Plan(words, words)
    converge(module, "addon", todo, lambda todo: settle(eks, goal, todo, deadline))


def _waits_first(goal: Goal, found: Found, todo: Plan) -> bool:
    """Whether something is under way that has to end before this task can begin, or can be said to be done."""
    in_the_way = found.status in BUSY if goal.wish else found.status == "DELETING"
    return in_the_way and (goal.wait or bool(todo.changes))


def complete(eks: EksAddons, goal: Goal, found: Found | None, kubernetes: str) -> Goal:
    """``goal`` with versions in place of words for them; asks EKS only where that takes asking."""
    wish = goal.wish
    creates = found is None or found.status == "DELETING"
    if wish is None or not (creates or wish.version not in (None, found.addon.version if found else "")):
        return goal
    catalogue = eks.catalogue(goal.key.name)
    version = _choose(eks, catalogue, wish.version or DEFAULT, kubernetes)
    offer = catalogue.offer(version)
    blank = Addon(version, namespace=catalogue.default_namespace)
    return replace(
        goal,
        wish=replace(wish, version=version) if wish.version else wish,
        blank=Found(blank, publisher=catalogue.publisher, owner=catalogue.owner),
        requires_configuration=creates and offer is not None and offer.requires_configuration,
    )


def _choose(eks: EksAddons, catalogue: Catalogue, wanted: str, kubernetes: str) -> str:
    version = catalogue.choose(wanted, kubernetes)
    return version or catalogue.choose(wanted, eks.kubernetes_version()) or ""


def check_configuration(eks: EksAddons, goal: Goal, todo: Plan) -> None:
    """Refuse a configuration that the add-on's schema doesn't allow, before anything is changed."""
    before, after = (state.get("configuration_values", {}) for state in (todo.before, todo.after))
    differs = goal.requires_configuration or not configuration.same(before, after)
    if differs and any(map(_installs, todo.changes)):
        version = todo.after["version"]
        schema = eks.configuration(goal.key.name, version).get("configurationSchema") or ""
        configuration.check(goal.key.name, version, schema, after)


def _installs(change: Change) -> bool:
    return change.call in ("create_addon", "update_addon")
