# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and settle a whole set of Pod Identity associations, many at a time."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import Deadline
from .._core.converge import Item
from .._core.parallel import spread
from .._core.plan import Plan, Refused
from .api import EksAssociations
from .apply import settle
from .bulk_plan import Query, Request, located, plan_all, to_describe, with_purged
from .plan import Key, Observed, Summary, Target, view

Details = tuple[Key, "Observed | AnsibleAWSError | None"]


def describe_all(eks: EksAssociations, summaries: t.Collection[Summary], concurrency: int) -> list[Details]:
    """The details of each: None for what is gone meanwhile, or the error of asking."""

    def describe(summary: Summary) -> Details:
        try:
            described = eks.describe(summary.id)
        except AnsibleAWSError as error:
            return summary.key, error
        return summary.key, described[1] if described else None

    return spread(describe, summaries, concurrency)


def read(eks: EksAssociations, wanted: Request) -> list[Item]:
    """One planned item for each target and each association to be purged; failed where EKS doesn't tell its details."""
    listed = eks.list(wanted.only_namespace)
    details = describe_all(eks, to_describe(wanted, listed), wanted.concurrency)
    errors = {key: one for key, one in details if isinstance(one, AnsibleAWSError)}
    observed = {key: one for key, one in details if isinstance(one, Observed)}
    targets = located(with_purged(wanted, observed, errors), listed)
    known = [target for target in targets if target.key not in errors]
    plans = dict(zip((target.key for target in known), plan_all(known, observed), strict=True))
    return [_item(target, plans.get(target.key, Plan()), errors.get(target.key)) for target in targets]


def select(eks: EksAssociations, wanted: Query) -> list[dict[str, t.Any]]:
    """Every association that matches, in the words that modules return."""
    if wanted.association_id:
        described = eks.describe(wanted.association_id)
        return [view(*described)] if described and wanted.matches(described[0], described[1].association) else []
    listed = eks.list(wanted.namespace, wanted.service_account)
    details = describe_all(eks, listed, wanted.concurrency)
    for _key, one in details:
        if isinstance(one, AnsibleAWSError):
            raise one
    found = [(key, one) for key, one in details if isinstance(one, Observed) and wanted.matches(key, one.association)]
    return [view(*one) for one in sorted(found, key=lambda detail: detail[0])]


def settle_all(eks: EksAssociations, items: list[Item], concurrency: int, deadline: Deadline) -> list[Item]:
    """Make every item's calls; each comes back as it was done, or with its error."""

    def work(item: Item) -> Item:
        try:
            return replace(item, plan=settle(eks, item.goal, item.plan, deadline))
        except (AnsibleAWSError, Refused) as error:
            return replace(item, error=error)

    todo = [number for number, item in enumerate(items) if item.plan.changes]
    done = spread(work, [items[number] for number in todo], concurrency, interrupted=deadline.expire)
    settled = dict(zip(todo, done, strict=True))
    return [settled.get(number, item) for number, item in enumerate(items)]


def _item(target: Target, plan: Plan, error: AnsibleAWSError | None) -> Item:
    words = {"namespace": target.key.namespace, "service_account": target.key.service_account}
    return Item(str(target.key), words, target, plan, error)
