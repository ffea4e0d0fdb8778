# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and write the trust policies of roles. Everything that must be refused is refused before the first write.

IAM has no conditional write, and is eventually consistent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
So each policy is read again right before it is written. It is read once more a while later, and written again where
another writer has overwritten it.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import doing
from .._core.converge import Item
from .._core.parallel import spread
from .._core.plan import Change, Refused
from .role_trust_plan import Cluster, Desired, change, plan
from .roles_api import SETTLING, IamRoles

CONCURRENCY = 8
ROUNDS = 5
"""How often a policy is written again that somebody else has overwritten."""


class RoleTrusts:
    """The trust policies of one account's roles."""

    def __init__(self, client: t.Any, pause: t.Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def items(self, wanted: t.Sequence[Desired], cluster: Cluster) -> list[Item]:
        """A plan for each role; ``Refused`` names every role that isn't there, or can't be made so."""
        self._cluster = cluster
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
        done = {item.name: self._write(item) for item in changing}
        self._settle([item for item in done.values() if item.plan.changes])
        return [done.get(item.name, item) for item in items]

    def _settle(self, written: list[Item]) -> None:
        """Wait until what was written stays; another run may have written what it had read before that."""
        for _round in range(ROUNDS if written else 0):
            self._pause(SETTLING)
            lost = [fresh for item in written if (fresh := self._anew(item)).plan.changes]
            for item in lost:
                self._make(item.plan.changes[0])
            if not lost:
                return
        if written:
            names = ", ".join(item.name for item in written)
            raise Refused(f"Somebody else keeps changing the trust policies of {names}; run this again later.")

    def _write(self, item: Item) -> Item:
        """Plan anew from what the role has by now, and write that."""
        fresh = self._anew(item)
        for todo in fresh.plan.changes:
            self._make(todo)
        return fresh

    def _anew(self, item: Item) -> Item:
        return _item(item.goal, self._cluster, IamRoles(self._client).trusting(item.goal.role_arn))

    def _try(self, item: Item) -> None:
        try:
            self._make(change(item.goal, self._anew(item).plan.before["trust_policy"]))
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
