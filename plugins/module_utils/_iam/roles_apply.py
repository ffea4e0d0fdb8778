# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a set of IAM roles and make of them what is declared, many at a time."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import Deadline, doing, error_code
from .._core.converge import Item
from .._core.parallel import spread
from .._core.plan import Change, Plan, Refused
from .policy_documents import same
from .roles_api import SETTLING
from .roles_model import Desired, Request, State
from .roles_plan import differences, plan, unlisted
from .roles_removal import removal
from .trust_policy import Document

CONCURRENCY = 8
PATIENCE = 60
"""Seconds that a task waits until IAM shows a write everywhere.

IAM is eventually consistent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""
TRUSTING = "update_assume_role_policy"
MISSING = "NoSuchEntity"
TAKEN = "EntityAlreadyExists"
BUSY = ("ConcurrentModification", "ConcurrentModificationException")
"""IAM's codes for a resource that another call is changing."""
MOST_PLANS = 10
"""How often a role is planned again because somebody else changes it."""


class Moved(Exception):
    """The role isn't what the plan was made for."""


class Roles:
    """The IAM roles of ``request``; ``deadline`` is for all of them."""

    def __init__(self, client: t.Any, request: Request, deadline: Deadline) -> None:
        self._client = client
        self._request = request
        self._deadline = deadline

    def items(self) -> list[Item]:
        """A planned item for each role, failed where it can't be read; ``Refused`` names every role that may not be."""
        read = spread(self._try_to_read, self._request.roles, CONCURRENCY)
        items, refusals = [], []
        for desired, observed in zip(self._request.roles, read, strict=True):
            try:
                items.append(self._item(desired, observed))
            except Refused as error:
                refusals.append(str(error))
        if refusals:
            raise Refused(f"No role was changed. {' '.join(refusals)}")
        return items

    def apply(self, items: list[Item]) -> list[Item]:
        """Make every item's calls; each comes back as it was done, or with its error."""
        todo = [number for number, item in enumerate(items) if item.plan.changes]
        settled = spread(
            self._settle, [items[number] for number in todo], CONCURRENCY, interrupted=self._deadline.expire
        )
        done = dict(zip(todo, settled, strict=True))
        return [done.get(number, item) for number, item in enumerate(items)]

    def summary(self, items: t.Sequence[Item]) -> dict[str, t.Any]:
        """What differs or was changed, of all roles: roles and attachments first, then the policies of their own."""
        rows = [row for item in items for row in item.words["differences"]]
        return {
            "differences": sorted(rows, key=lambda row: row["kind"] == "policy"),
            "unlisted": [row for item in items for row in item.words["unlisted"]],
        }

    def _item(self, desired: Desired, observed: State | AnsibleAWSError | None) -> Item:
        words: dict[str, t.Any] = {"role_name": desired.name, "differences": [], "unlisted": []}
        if isinstance(observed, AnsibleAWSError):
            return Item(desired.name, words, desired, error=observed)
        todo = self._plan(desired, observed)
        words["differences"] = differences(todo.changes)
        words["unlisted"] = unlisted(desired, observed) if self._request.unlisted else []
        return Item(desired.name, words, desired, todo)

    def _plan(self, desired: Desired, observed: State | None, since: Document | None = None) -> Plan:
        if self._request.absent:
            return removal(observed, self._profiles(desired.name) if observed else ())
        return plan(desired, observed, self._request.rules, since)

    def _try_to_read(self, desired: Desired) -> State | AnsibleAWSError | None:
        try:
            return self._read(desired)
        except AnsibleAWSError as error:
            return error

    def _read(self, desired: Desired) -> State | None:
        """The role, and of its policies only what is compared."""
        raw = self._role(desired.name)
        if raw is None:
            return None
        state = _state(raw)
        everything = state.ours and (self._request.unlisted or desired.purge_policies or self._request.absent)
        return replace(
            state,
            policy=None if desired.policy is None else self._policy(desired),
            attached=self._attached(desired.name) if desired.managed or everything else None,
            inline=self._inline(desired.name) if everything else None,
        )

    def _role(self, name: str) -> dict[str, t.Any] | None:
        answer = _found(f"read role {name}", lambda: self._client.get_role(RoleName=name))
        return dict(answer["Role"]) if answer else None

    def _policy(self, desired: Desired) -> Document:
        words = {"RoleName": desired.name, "PolicyName": desired.policy_name}
        purpose = f"read policy {desired.policy_name} of role {desired.name}"
        answer = _found(purpose, lambda: self._client.get_role_policy(**words))
        return dict(answer["PolicyDocument"]) if answer else {}

    def _attached(self, name: str) -> tuple[str, ...]:
        with doing(f"list the managed policies of role {name}"):
            pages = self._client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            return tuple(policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"])

    def _inline(self, name: str) -> tuple[str, ...]:
        with doing(f"list the inline policies of role {name}"):
            pages = self._client.get_paginator("list_role_policies").paginate(RoleName=name)
            return tuple(policy for page in pages for policy in page["PolicyNames"])

    def _profiles(self, name: str) -> tuple[str, ...]:
        with doing(f"list the instance profiles of role {name}"):
            pages = self._client.get_paginator("list_instance_profiles_for_role").paginate(RoleName=name)
            return tuple(each["InstanceProfileName"] for page in pages for each in page["InstanceProfiles"])

    def _settle(self, item: Item) -> Item:
        made: list[Change] = []
        try:
            done = self._carry_out(item, made)
            return replace(item, plan=done, words={**item.words, "differences": differences(made)})
        except Refused as refused:
            error = AnsibleAWSError(message=str(refused))
        except AnsibleAWSError as failed:
            error = failed
        error.kwargs.update(changed=bool(made), changes=[change.call for change in made])
        return replace(item, error=error, words={**item.words, "differences": differences(made)})

    def _carry_out(self, item: Item, made: list[Change]) -> Plan:
        """Make the planned calls, planning again where somebody else changes the role meanwhile."""
        todo, since = item.plan, item.plan.before.get("trust_policy", {})
        for attempt in range(MOST_PLANS):
            try:
                return Plan(item.plan.before, self._perform(todo, made), tuple(made))
            except Moved:
                if not self._deadline.pause(min(0.2 * 2**attempt, 5)):
                    break
                todo = self._plan(item.goal, self._read(item.goal), since)
        raise AnsibleAWSError(
            message=f"Role {item.name} was changed by somebody else each time that it was to be changed here."
            " Run this again when the other run has ended"
        )

    def _perform(self, todo: Plan, made: list[Change]) -> dict[str, t.Any]:
        """Make every call of ``todo``; the role as it then is."""
        after = todo.after
        for change in todo.changes:
            answer = self._make(change, todo.before, made)
            made.append(change)
            if change.call == "create_role":
                after = {**after, "role_arn": answer["Role"]["Arn"]}
        if any(change.call == TRUSTING for change in todo.changes) and self._deadline.pause(SETTLING):
            self._check_trust(str(after["role_name"]), after["trust_policy"])
        return after

    def _make(self, change: Change, before: dict[str, t.Any], made: list[Change]) -> dict[str, t.Any]:
        """Make one call, again and again while what refuses it can pass."""
        for attempt in range(100):
            if change.call == TRUSTING:
                self._check_trust(change.args["RoleName"], before["trust_policy"])
            try:
                with doing(change.purpose):
                    return dict(getattr(self._client, change.call)(**change.args))
            except AnsibleAWSError as error:
                _judge(error, change, made)
                if not self._deadline.pause(min(0.5 * 2**attempt, 5)):
                    raise
        raise AssertionError("the deadline ends before")

    def _check_trust(self, name: str, expected: Document) -> None:
        """Raise Moved where the trust policy isn't the one that the plan was made for, or left behind.

        IAM has no conditional write: who read the policy before this run wrote it writes it without our statement.
        """
        raw = self._role(name)
        if raw is None or not same(raw["AssumeRolePolicyDocument"], expected):
            raise Moved


def _found(purpose: str, call: t.Callable[[], t.Any]) -> t.Any:
    """What IAM answers; None for what isn't there."""
    try:
        with doing(purpose):
            return call()
    except AnsibleAWSError as error:
        if error_code(error) == MISSING:
            return None
        raise


def _judge(error: AnsibleAWSError, change: Change, made: list[Change]) -> None:
    """Return when waiting can help; raise ``error`` when it can't, and Moved when a new plan is needed."""
    code = error_code(error)
    if code in BUSY:
        return
    if code == TAKEN:
        if _retried(error):  # The answer to the first attempt was lost: the role is there because of it.
            made.append(change)
        raise Moved from error
    if code != MISSING or change.args.get("PolicyArn", "\0") in str(error.exception):
        raise error
    if not any(done.call == "create_role" for done in made):
        raise Moved from error


def _retried(error: AnsibleAWSError) -> bool:
    response = getattr(error.exception, "response", None) or {}
    return bool(response.get("ResponseMetadata", {}).get("RetryAttempts"))


def _state(raw: t.Mapping[str, t.Any]) -> State:
    return State(
        name=raw["RoleName"],
        arn=raw["Arn"],
        path=raw["Path"],
        description=raw.get("Description") or "",
        trust=raw["AssumeRolePolicyDocument"],
        boundary=(raw.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        tags={tag["Key"]: tag["Value"] for tag in raw.get("Tags") or ()},
    )
