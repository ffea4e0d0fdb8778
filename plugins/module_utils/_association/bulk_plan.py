# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan a whole set of Pod Identity associations. No boto3, no AnsibleModule, no clock."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._core import validate
from .._core.plan import Plan, Refused
from .._core.tags import MANAGED_BY, is_ours
from .plan import Association, Key, Observed, Summary, Target, plan, target

KEEP, OWN, ALL = "false", "true", "all"
"""What is purged of the unlisted: nothing, what this collection created, everything that no add-on owns."""


MOST_AT_A_TIME = 64


@dataclass(frozen=True)
class Request:
    """A set of targets, and the part of the cluster that it speaks for: the namespaces, or with none, all of it."""

    cluster: str
    targets: tuple[Target, ...]
    namespaces: frozenset[str]
    purge: str = KEEP
    concurrency: int = 8

    @property
    def only_namespace(self) -> str | None:
        """The namespace that a listing can be limited to."""
        namespaces = self.namespaces
        if self.purge == KEEP and not namespaces:
            namespaces = frozenset(target.key.namespace for target in self.targets)
        return next(iter(namespaces)) if len(namespaces) == 1 else None

    @property
    def floored(self) -> list[str]:
        """The options it uses that not every botocore has."""
        return sorted({option for target in self.targets for option in target.floored})


def request(params: t.Mapping[str, t.Any]) -> Request:
    """Read the options of a set, or refuse them before anything is called."""
    cluster = validate.cluster_name("cluster_name", params["cluster_name"])
    namespaces = frozenset(validate.namespace("namespaces", name) for name in params["namespaces"] or [])
    owned = params["allow_addon_owned"]
    targets = [_item(n, item, cluster, owned) for n, item in enumerate(params["associations"] or [])]
    _refuse_duplicates(targets)
    for number, wanted in enumerate(targets):
        if namespaces and wanted.key.namespace not in namespaces:
            scope = ", ".join(sorted(namespaces))
            raise Refused(f"associations[{number}] {wanted.key} is outside of the namespaces {scope}.")
    return Request(cluster, tuple(targets), namespaces, params["purge"], _concurrency(params["concurrency"]))


def _concurrency(value: int) -> int:
    if not 1 <= value <= MOST_AT_A_TIME:
        raise Refused(f"concurrency {value} is not between 1 and {MOST_AT_A_TIME}.")
    return value


def _item(number: int, item: t.Mapping[str, t.Any], cluster: str, allow_addon_owned: bool) -> Target:
    try:
        return target(item, cluster, allow_addon_owned=allow_addon_owned, first_tags=MANAGED_BY)
    except Refused as error:
        raise Refused(f"associations[{number}].{error}") from None


def _refuse_duplicates(targets: t.Sequence[Target]) -> None:
    first: dict[Key, int] = {}
    for number, wanted in enumerate(targets):
        if wanted.key in first:
            raise Refused(
                f"associations[{first[wanted.key]}] and associations[{number}] are both {wanted.key},"
                " and a service account has one association."
            )
        first[wanted.key] = number


@dataclass(frozen=True)
class Query:
    """What is asked for; None is any."""

    cluster: str
    concurrency: int
    namespace: str | None = None
    service_account: str | None = None
    association_id: str | None = None
    role_arn: str | None = None

    def matches(self, key: Key, association: Association) -> bool:
        """Whether this association of that service account is asked for."""
        account = self.namespace in (None, key.namespace) and self.service_account in (None, key.service_account)
        return account and self.role_arn in (None, association.role_arn, association.target_role_arn)


def query(params: t.Mapping[str, t.Any]) -> Query:
    """Read the options of a query; an empty one is any."""

    def given(option: str, check: t.Callable[[str, str], str]) -> str | None:
        return check(option, params[option]) if params[option] else None

    return Query(
        cluster=validate.cluster_name("cluster_name", params["cluster_name"]),
        namespace=given("namespace", validate.namespace),
        service_account=given("service_account", validate.service_account),
        association_id=given("association_id", validate.association_id),
        role_arn=given("role_arn", validate.role_arn),
        concurrency=_concurrency(params["concurrency"]),
    )


def located(targets: t.Iterable[Target], listed: t.Sequence[Summary]) -> tuple[Target, ...]:
    """The targets, with the cluster's account where a listing tells it."""
    account = validate.account_of(listed[0].arn) if listed else ""
    return tuple(replace(target, account=account) for target in targets)


def to_describe(wanted: Request, listed: t.Iterable[Summary]) -> list[Summary]:
    """Those of ``listed`` whose details decide something."""
    keys = {target.key for target in wanted.targets}
    return [one for one in listed if one.key in keys or _may_purge(wanted, one)]


def with_purged(wanted: Request, observed: t.Mapping[Key, Observed], unknown: t.Iterable[Key]) -> tuple[Target, ...]:
    """The targets, and a target of absence for what is found and to be purged, or might be: its details are unknown."""
    purged = {key for key, one in observed.items() if _is_purged(wanted, one)}.union(unknown)
    purged -= {target.key for target in wanted.targets}
    return (*wanted.targets, *(Target(key, None) for key in sorted(purged)))


def plan_all(targets: t.Sequence[Target], observed: t.Mapping[Key, Observed]) -> list[Plan]:
    """One plan for each target; all that has to be refused, in one refusal before anything is changed."""
    plans, refusals = [], []
    for wanted in targets:
        try:
            plans.append(plan(wanted, observed.get(wanted.key)))
        except Refused as error:
            refusals.append(f"{wanted.key}: {error}" if str(wanted.key) not in str(error) else str(error))
    if refusals:
        raise Refused(" ".join(refusals))
    return plans


def _may_purge(wanted: Request, one: Summary) -> bool:
    in_scope = not wanted.namespaces or one.key.namespace in wanted.namespaces
    return wanted.purge != KEEP and in_scope and not one.owner_arn


def _is_purged(wanted: Request, one: Observed) -> bool:
    return wanted.purge == ALL or is_ours(one.association.tags)
