# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run changed, or in check mode would change: from the results that its steps declared. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from .identity import number, plain
from .model import Change, Item, Results

DONE = {"create": "created", "update": "updated", "delete": "deleted", "restart": "restarted"}
RESULTS = "pod_identity_results"
MOST_LISTED = 3
"""Changes that the end of a run names; more of them it counts."""
ELSEWHERE = "Each of these changes: in the report (pod_identity_report_dir), or with -v"


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
    """The changes as lines for a terminal, by cluster; ``predicted`` are those that check mode would make.

    Those that were made are counted where there are many: each of them is in the report and in the artifact.
    """
    if predicted or sum(map(len, by_cluster.values())) <= MOST_LISTED:
        return [line for cluster, made in by_cluster.items() for line in _listed(cluster, made, predicted)]
    return [*(_counted(cluster, made) for cluster, made in by_cluster.items()), ELSEWHERE]


def _listed(cluster: str, made: t.Sequence[Item], predicted: bool) -> t.Iterator[str]:
    yield f"{cluster}: {'would change' if predicted else 'changed'} {_things(made)}"
    for change in made:
        yield f"  {change['action'] if predicted else DONE[change['action']]} {described(change)}"


def _counted(cluster: str, made: t.Sequence[Item]) -> str:
    return f"{cluster}: changed {_things(made)}{': ' if made else ''}{grouped(made)}"


def _things(made: t.Sequence[Item]) -> str:
    return number(len(made), "thing") if made else "nothing"


def grouped(made: t.Iterable[Item]) -> str:
    """How many of each kind were created, updated and so on: "created 2 roles and 1 policy; restarted 1 workload"."""
    counts: dict[str, Counter[str]] = {}
    for change in made:
        counts.setdefault(change["action"], Counter())[word(change["kind"])] += 1
    return "; ".join(f"{DONE[action]} {_row(kinds)}" for action, kinds in counts.items())


def _row(kinds: t.Mapping[str, int]) -> str:
    *most, last = [number(count, kind) for kind, count in kinds.items()]
    return f"{', '.join(most)} and {last}" if most else last


def word(kind: str) -> str:
    """A kind of things in words."""
    return {"addon": "add-on"}.get(kind, kind.replace("_", " "))


def described(item: Item) -> str:
    """Kind, name, and which aspects: "role shop-orders: trust policy"."""
    about = f": {', '.join(item['what'])}" if item["what"] else ""
    return f"{word(item['kind'])} {item['name']}{about}"
