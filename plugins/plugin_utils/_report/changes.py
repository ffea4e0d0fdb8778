# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run changed, or in check mode would change: from the results that its steps declared. Pure."""

from __future__ import annotations

import typing as t

from .identity import plain
from .model import Change, Item, Results

DONE = {"create": "created", "update": "updated", "delete": "deleted", "restart": "restarted"}
RESULTS = "pod_identity_results"


def changes(results: Results) -> list[Change]:
    """Each change of each step, in the order in which the steps recorded their results."""
    return [plain({"step": step, **change}) for step, result in results.items() for change in result["changes"]]


def of_clusters(hosts: t.Mapping[str, Item], name_of: t.Callable[[str], str]) -> dict[str, list[Change]]:
    """The changes of each host by its cluster, from the variables of ``hosts``."""
    return {name_of(host): changes(results_of(variables)) for host, variables in hosts.items()}


def notes(results: Results) -> list[str]:
    """What steps want people to know."""
    return [str(note) for result in results.values() for note in result.get("notes") or ()]


def results_of(variables: Item) -> Results:
    """The results that steps recorded among a host's variables."""
    return dict(variables.get(RESULTS) or {})


def lines(by_cluster: t.Mapping[str, t.Sequence[Item]], predicted: bool = False) -> list[str]:
    """The changes as lines for a terminal, by cluster; ``predicted`` are those that check mode would make."""
    return [line for cluster, made in by_cluster.items() for line in _lines_of(cluster, made, predicted)]


def _lines_of(cluster: str, made: t.Sequence[Item], predicted: bool) -> t.Iterator[str]:
    verb = "would change" if predicted else "changed"
    number = f"{len(made)} thing{'' if len(made) == 1 else 's'}" if made else "nothing"
    yield f"{cluster}: {verb} {number}"
    for change in made:
        yield f"  {change['action'] if predicted else DONE[change['action']]} {described(change)}"


def described(item: Item) -> str:
    """Kind, name, and which aspects: "role shop-orders: trust policy"."""
    about = f": {', '.join(item['what'])}" if item["what"] else ""
    return f"{item['kind'].replace('_', ' ')} {item['name']}{about}"
