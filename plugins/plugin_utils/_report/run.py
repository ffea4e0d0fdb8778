# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run: what holds in each cluster, and what to do. Pure."""

from __future__ import annotations

import typing as t

from . import drift, identity

Item = t.Mapping[str, t.Any]


def lines(
    hosts: t.Mapping[str, Item],
    name_of: t.Callable[[str], str],
    changes: t.Mapping[str, t.Sequence[Item]],
    how: str = "",
) -> list[str]:
    """What is ``known`` of each host, as a table where there are several, and what to do.

    ``changes`` are those of the run by cluster. In check mode, they are those that it would make, and ``how`` says how
    to have them made.
    """
    made = {name_of(host): known for host, known in hosts.items()}
    fleet = len(made) > 1
    todo = [_to_do(name, known, how if changes.get(name) else "", fleet) for name, known in made.items()]
    return [*(_table(made) if fleet else ()), *(line for line in todo if line)]


def _table(made: t.Mapping[str, Item]) -> list[str]:
    """A line for each cluster: of drift where any was compared, and else of what its pods have."""
    if any("drift" in known for known in made.values()):
        return drift.fleet_lines(*_split(made, "drift"))
    return identity.fleet_lines(*_split(made, "report"))


def _split(made: t.Mapping[str, Item], key: str) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    found = {name: known.get(key) or {} for name, known in made.items()}
    return found, {name: known["stop"] for name, known in made.items() if "stop" in known}


def _to_do(name: str, known: Item, how: str, fleet: bool) -> str:
    if "stop" in known:
        return _why(name, known["stop"]) if fleet else ""
    if how:
        return f"{name}: {how} to make these changes"
    return _holds(name, known["report"]["summary"]) if "report" in known else ""


def _why(name: str, stop: Item) -> str:
    """Why a cluster of a fleet stopped; of one alone, the task that failed said it a few lines above."""
    return f'{name} stopped at "{stop["task"]}": {stop["message"]}'


def _holds(name: str, summary: Item) -> str:
    wrong = summary["findings"]["error"] + summary["findings"]["warning"]
    if wrong or summary["below_wanted"]:
        return f"{name}: {identity.counts(summary)}; what to do is said above"
    return f"{name}: {identity.counts(summary)}; nothing to do"
