# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from EKS which service accounts are bound, to which roles, and which associations nothing can use."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._association.api import EksAssociations
from .._association.plan import Observed, Summary
from .._core.parallel import spread
from .._core.suggest import meant
from .._core.validate import Place

CONCURRENCY = 8

View = dict[str, t.Any]
_TEXTS = ("role_arn", "target_role_arn", "owner_arn", "created_at", "modified_at")
"""What is "" where an association has none."""


@dataclass(frozen=True)
class Bindings:
    """The associations of the namespaces looked at, by namespace and service account."""

    bound: t.Mapping[Place, View] = field(default_factory=dict)
    orphans: tuple[View, ...] = ()
    """Those whose service account or namespace is gone."""


def read_bindings(
    eks: EksAssociations,
    spaces: t.Collection[str] | None,
    wanted: t.Collection[Place],
    accounts: t.Any,
    tagged: bool = False,
) -> Bindings:
    """Read the associations of ``spaces`` (None is all): those ``wanted``, and those that nothing can use.

    ``accounts`` are the places of existing service accounts; None: unknown. With ``tagged``, each has its tags, too.
    """
    listed = _listed(eks, spaces)
    gone = [] if accounts is None else [each for each in listed if _is_gone(each, wanted, accounts)]
    used = [each for each in listed if _place(each) in wanted]
    views = spread(lambda each: _described(eks, each, tagged), [*used, *gone], CONCURRENCY)
    known = {_place(each): view for each, view in zip([*used, *gone], views, strict=True) if view}
    bare = {_place(each): _summary(each) for each in listed}
    alive = {place[0] for place in accounts or ()}
    orphans = ({**known[_place(each)], "namespace_exists": each.key.namespace in alive} for each in gone)
    return Bindings({**bare, **known}, tuple(orphans))


def known_bindings(known: t.Iterable[t.Mapping[str, t.Any]]) -> Bindings:
    """The associations that the caller has read, as modules return them; nothing is known of others."""
    rows = [{**dict.fromkeys(_TEXTS, ""), **{key: value for key, value in each.items() if value}} for each in known]
    return Bindings({(each["namespace"], each["service_account"]): each for each in rows})


def _listed(eks: EksAssociations, spaces: t.Collection[str] | None) -> list[Summary]:
    only = next(iter(spaces)) if spaces is not None and len(spaces) == 1 else None
    return [each for each in eks.list(only) if spaces is None or each.key.namespace in spaces]


def _is_gone(each: Summary, wanted: t.Collection[Place], accounts: t.Collection[Place]) -> bool:
    """An add-on's own associations are its business, and one that a workload is to use isn't in the way."""
    return _place(each) not in accounts and _place(each) not in wanted and not each.owner_arn


def _place(each: Summary) -> Place:
    return each.key.namespace, each.key.service_account


def _summary(each: Summary) -> View:
    namespace, account = _place(each)
    return {"association_id": each.id, "namespace": namespace, "service_account": account, "role_arn": ""}


def _described(eks: EksAssociations, each: Summary, tagged: bool) -> View:
    found = eks.describe(each.id)
    if not found:
        return {}
    tags = {"tags": dict(found[1].association.tags)} if tagged else {}
    return {**_summary(each), **_view(found[1]), **tags}


def _view(found: Observed) -> View:
    return {
        "association_id": found.id,
        "association_arn": found.arn,
        "role_arn": found.association.role_arn,
        "target_role_arn": found.association.target_role_arn,
        "disable_session_tags": found.association.disable_session_tags,
        "policy": found.association.policy,
        "owner_arn": found.owner_arn,
        "created_at": found.created_at,
        "modified_at": found.modified_at,
    }


def slips(bindings: Bindings, wanted: t.Iterable[Place]) -> dict[Place, View]:
    """For each service account without an association, the one that was made for it under another name, perhaps.

    An association that nothing can use goes to the one name that is nearest to its own.
    """
    bare = [place for place in dict.fromkeys(wanted) if place not in bindings.bound and place[1] != "default"]
    found = {}
    for orphan in bindings.orphans:
        near = {account: space for space, account in bare if space == orphan["namespace"]}
        if name := meant(orphan["service_account"], near):
            found[(near[name], name)] = orphan
    return found
