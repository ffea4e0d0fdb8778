# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the plan of one association while IAM's data reaches EKS late and others change the association too.

IAM and associations are eventually consistent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
"""

from __future__ import annotations

import random
import typing as t
import uuid
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import NOT_FOUND, Deadline, error_code, error_message
from .._core.plan import Change, Plan
from .api import EksAssociations
from .plan import Observed, Target, plan, view

TRUST_SHARE = 0.25
"""Part of the deadline for which a trust policy that EKS calls invalid is asked about again: IAM may still show the
one before, but most such refusals are true, and waiting makes no trust policy valid."""

IAM_SHARE = 0.125
"""Part of the deadline after which IAM is asked for a role that EKS doesn't know: until then, IAM may not show a new
role either, and afterwards a role that isn't there is a wrong name."""
_UNSEEN = "does not exist"
_LONGEST_PAUSE = 5.0


class Moved(Exception):
    """The association isn't what the plan was made for; ``observed`` is what EKS holds now."""

    def __init__(self, observed: Observed | None) -> None:
        super().__init__()
        self.observed = observed


def settle(eks: EksAssociations, target: Target, todo: Plan, deadline: Deadline) -> Plan:
    """Make the calls of ``todo``, planning again when EKS holds something else than it was made for.

    Returns what was done. An error carries what was changed before it.
    """
    made: list[Change] = []
    try:
        while True:
            try:
                answer = _perform(eks, target, todo, made, deadline)
                return Plan(todo.before, _after(target, todo, answer), tuple(made))
            except Moved as moved:
                todo = plan(target, moved.observed)
    except AnsibleAWSError as error:
        error.kwargs.update(changed=bool(made), changes=[change.call for change in made])
        raise


def _perform(
    eks: EksAssociations, target: Target, todo: Plan, made: list[Change], deadline: Deadline
) -> Observed | None:
    """Make every call of ``todo``; the last answer that shows the association."""
    last = None
    for change in todo.changes:
        last = _make(eks, target, change, deadline) or last
        made.append(change)
    return last


def _after(target: Target, todo: Plan, answer: Observed | None) -> dict[str, t.Any]:
    """What EKS answered, with the tags that were set after that answer."""
    if not todo.after or answer is None:
        return todo.after
    return {**view(target.key, answer), "tags": todo.after["tags"]}


def _make(eks: EksAssociations, target: Target, change: Change, deadline: Deadline) -> Observed | None:
    """Make one call, again and again while what refuses it can pass; one request token for all attempts."""
    if change.call.startswith("create_"):
        change = replace(change, args={**change.args, "clientRequestToken": str(uuid.uuid4())})
    pauses, asked = _pauses(), False
    while True:
        try:
            return eks.make(change)
        except AnsibleAWSError as error:
            if error_code(error) in NOT_FOUND and change.call.startswith("delete_"):
                return None
            _judge(eks, target, change, error, deadline)
            asked = asked or _ask_iam(eks, change, error, deadline)
            if not deadline.pause(next(pauses)):
                error.message = f"{error.message} within {deadline.seconds:g} seconds"
                raise


def _judge(eks: EksAssociations, target: Target, change: Change, error: AnsibleAWSError, deadline: Deadline) -> None:
    """Return when waiting can help; raise ``error`` when it can't, and Moved when a new plan is needed."""
    code, message = error_code(error), error_message(error)
    if code == "ResourceInUseException":
        if (holder := eks.holder(target.key, error)) is not None:
            raise Moved(holder) from error
        return
    if code in NOT_FOUND and not change.call.startswith("create_") and deadline.pause(1):
        raise Moved(eks.find(target.key)) from error
    if code == "InvalidParameterException" and _UNSEEN in message:
        return
    if code == "InvalidParameterException" and "Trust policy" in message and _share(deadline) < TRUST_SHARE:
        return
    raise error


def _ask_iam(eks: EksAssociations, change: Change, error: AnsibleAWSError, deadline: Deadline) -> bool:
    """Ask IAM, if it is time, for a role that EKS doesn't know: raise ``error`` if it has none, else return True."""
    if _UNSEEN not in error_message(error) or _share(deadline) < IAM_SHARE:
        return False
    if missing := eks.missing_role(change.args.get("roleArn", "")):
        error.message = f"{error.message}, {missing}"
        raise error
    return True


def _share(deadline: Deadline) -> float:
    """Which part of the deadline has passed."""
    return 1 - deadline.left / deadline.seconds if deadline.seconds else 1


def _pauses() -> t.Iterator[float]:
    """Seconds between attempts: doubled up to the longest, each with jitter."""
    pause = 0.5
    while True:
        yield pause * random.uniform(0.5, 1)  # noqa: S311 - no secret
        pause = min(pause * 2, _LONGEST_PAUSE)
