# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which service accounts are tried with pods that are only created as a dry run. Pure.

A dry run passes through the whole admission chain of a cluster, so a look at thousands of workloads asks only what
running pods don't show.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict

from .._core.validate import Place
from .._kubernetes.pods import place_of
from .dry_run import Tried
from .evidence import Evidence
from .findings.injected import former

Times: t.TypeAlias = "dict[Place, int]"
"""How many pods to try, by service account."""


def first_trials(seen: t.Iterable[Evidence], probes: int) -> Times:
    """As many as ``probes`` for workloads that somebody named; one for others whose pods lack something.

    Of the others, whose running pods carry the injection of now, one in each namespace stands for all.
    """
    times: Times = {}
    shown: dict[str, Place] = {}
    for place, some in _by_place(seen).items():
        if any(each.workload.asked for each in some):
            times[place] = probes
        elif not all(map(_is_shown, some)):
            times[place] = 1
        else:
            shown.setdefault(place[0], place)
    return {**times, **dict.fromkeys(shown.values(), 1)}


def further_trials(seen: t.Iterable[Evidence], tried: t.Mapping[Place, Tried]) -> Times:
    """One for each that wasn't tried, in namespaces where a trial didn't go well; not where the caller may try none."""
    doubtful = {
        place[0] for place, each in tried.items() if not (each.denied or (each.injected and all(each.injected)))
    }
    return {place: 1 for place in _by_place(seen) if place[0] in doubtful and place not in tried}


def _by_place(seen: t.Iterable[Evidence]) -> dict[Place, list[Evidence]]:
    """What matters, and can be tried: the service account is there, and no release is about to change its pods."""
    found = defaultdict(list)
    for each in seen:
        matters = each.workload.asked or each.association is not None
        if each.template is not None and matters and not (each.replaced or each.account_missing):
            found[place_of(each.template)].append(each)
    return found


def _is_shown(seen: Evidence) -> bool:
    """Whether running pods show what EKS's webhook does with the association of now."""
    return bool(seen.pods) and not seen.stale and not former(seen)
