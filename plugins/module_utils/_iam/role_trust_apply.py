# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and write the trust policies of roles. All that has to be refused is, before the first one is changed."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import doing
from .._core.converge import Item
from .._core.parallel import spread
from .._core.plan import Change, Refused
from .role_trust_plan import Cluster, Desired, change, plan
from .roles_api import IamRoles

CONCURRENCY = 8


class RoleTrusts:
    """The trust policies of one account's roles."""

    def __init__(self, client: t.Any) -> None:
        self._client = client

    def items(self, wanted: t.Sequence[Desired], cluster: Cluster) -> list[Item]:
        """A plan for each role; ``Refused`` names every role that isn't there, or can't be made so."""
        roles = spread(IamRoles(self._client).trusting, [desired.role_arn for desired in wanted], CONCURRENCY)
        items, refusals = [], []
        for desired, role in zip(wanted, roles, strict=True):
            try:
                items.append(_item(desired, cluster, role))
            except Refused as error:
                refusals.append(str(error))
        if refusals:
            raise Refused(" ".join(refusals))
        return items

    def apply(self, items: list[Item]) -> list[Item]:
        """Make the planned changes, once every one of them is known to be permitted.

        IAM tries nothing as a dry run. So each role that is to change first gets the trust policy that it has; for one
        role alone, its change is the trial.
        """
        changing = [item for item in items if item.plan.changes]
        for item in changing if len(changing) > 1 else ():
            self._try(item)
        for item in changing:
            self._make(item.plan.changes[0])
        return items

    def _try(self, item: Item) -> None:
        try:
            self._make(change(item.goal, item.plan.before["trust_policy"]))
        except AnsibleAWSError as error:
            error.message = f"Nothing was changed. {error.message}"
            raise

    def _make(self, todo: Change) -> None:
        with doing(todo.purpose):
            self._client.update_assume_role_policy(**todo.args)


def _item(desired: Desired, cluster: Cluster, role: t.Any) -> Item:
    if role.exists is None:
        raise Refused(f"Role {desired.role_arn} can't be read; allow GetRole to the caller.")
    if not role.exists:
        raise Refused(f"Role {desired.role_arn} doesn't exist.")
    return Item(desired.role_arn, {"role_arn": desired.role_arn}, desired, plan(desired, cluster, role.trust))
