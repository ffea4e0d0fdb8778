# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from EKS which service accounts are bound, to which roles, and which associations nothing can use."""

from __future__ import annotations

import functools
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

    @functools.cached_property
    def accounts(self) -> dict[str, tuple[str, ...]]:
        """The bound service accounts of each namespace."""
        found: dict[str, list[str]] = {}
        for space, account in self.bound:
            found.setdefault(space, []).append(account)
        return {space: tuple(accounts) for space, accounts in found.items()}


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
    used = [each for each in listed if each.key.place in wanted]
    views = spread(lambda each: _described(eks, each, tagged), [*used, *gone], CONCURRENCY)
    known = {each.key.place: view for each, view in zip([*used, *gone], views, strict=True) if view}
    bare = {each.key.place: _summary(each) for each in listed}
    orphans = [known[each.key.place] for each in gone if each.key.place in known]
    return Bindings({**bare, **known}, _orphans(orphans, accounts))


def known_bindings(known: t.Iterable[t.Mapping[str, t.Any]]) -> Bindings:
    """The associations that the caller has read, as modules return them; nothing is known of others."""
    rows = [{**dict.fromkeys(_TEXTS, ""), **{key: value for key, value in each.items() if value}} for each in known]
    return Bindings({(each["namespace"], each["service_account"]): each for each in rows})


def _listed(eks: EksAssociations, spaces: t.Collection[str] | None) -> list[Summary]:
    only = next(iter(spaces)) if spaces is not None and len(spaces) == 1 else None
    return [each for each in eks.list(only) if spaces is None or each.key.namespace in spaces]


def _is_gone(each: Summary, wanted: t.Collection[Place], accounts: t.Collection[Place]) -> bool:
    """An add-on's own associations are its business, and one that a workload is to use isn't in the way."""
    return each.key.place not in accounts and each.key.place not in wanted and not each.owner_arn


def _orphans(views: t.Iterable[View], accounts: t.Collection[Place] | None) -> tuple[View, ...]:
    alive = {space for space, _account in accounts or ()}
    return tuple({**view, "namespace_exists": view["namespace"] in alive} for view in views)


def _summary(each: Summary) -> View:
    namespace, account = each.key.place
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
    bare: dict[str, list[str]] = {}
    for space, account in dict.fromkeys(wanted):
        if (space, account) not in bindings.bound and account != "default":
            bare.setdefault(space, []).append(account)
    found = {}
    for orphan in bindings.orphans:
        if name := meant(orphan["service_account"], bare.get(orphan["namespace"], ())):
            found[(orphan["namespace"], name)] = orphan
    return found
