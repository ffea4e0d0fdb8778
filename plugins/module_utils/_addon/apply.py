# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the plan of an add-on to an EKS that takes its time, and that others change at the same time."""

from __future__ import annotations

import itertools
import typing as t
import uuid
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import Deadline, error_code, error_message
from .._core.plan import Change, Plan
from .api import NOT_FOUND, EksAddons
from .health import CONFLICT, Issue, advice, told
from .health import view as view_issues
from .plan import BUSY, FAILED, Found, Goal, plan, view

PATIENCE = {"does not exist": 120.0, "Trust policy": 30.0}
"""Seconds for which a role is waited for that IAM doesn't show to EKS yet, or shows as it was; by EKS's words."""
PAUSES = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds between two looks at an add-on; the last one again and again."""


LAST_LOOK = 0.5
"""Seconds that are left before the deadline for a last look, to say how far things have come."""


class Moved(Exception):
    """The add-on isn't what the plan was made for."""

    def __init__(self, error: AnsibleAWSError) -> None:
        super().__init__()
        self.error = error


def read(eks: EksAddons, goal: Goal) -> Found | None:
    """The add-on with the details that planning ``goal`` needs."""
    found = eks.find(goal.key.name)
    return _with_details(eks, goal, found) if found else None


def _with_details(eks: EksAddons, goal: Goal, found: Found) -> Found:
    wish = goal.wish
    needed = wish is not None and (wish.bindings is not None or (goal.recreate_failed and found.status in FAILED))
    return eks.detailed(found) if needed and found.addon.bindings else found


def idle(eks: EksAddons, goal: Goal, found: Found | None, deadline: Deadline) -> Found | None:
    """The add-on once nothing is under way; at the deadline an error names what still is."""
    for pause in _pauses():
        if found is None or found.status not in BUSY:
            return _with_details(eks, goal, found) if found else None
        if not _rest(deadline, pause):
            raise _unfinished(goal, found, deadline)
        found = eks.find(goal.key.name)
    raise AssertionError("pauses never end")


def settle(eks: EksAddons, goal: Goal, todo: Plan, deadline: Deadline) -> Plan:
    """Make the calls of ``todo``, planning again when the add-on has moved, and wait for it as the goal says.

    Returns what was done. An error carries what was changed before it.
    """
    made: list[Change] = []
    try:
        while True:
            try:
                update = _perform(eks, goal, todo, made, deadline)
                return replace(todo, after=_outcome(eks, goal, update, deadline), changes=tuple(made))
            except Moved as moved:
                if not _rest(deadline, PAUSES[0]):
                    raise moved.error from None
                todo = plan(goal, idle(eks, goal, read(eks, goal), deadline))
    except AnsibleAWSError as error:
        error.kwargs.update(changed=bool(made), changes=[change.call for change in made])
        raise


def _perform(eks: EksAddons, goal: Goal, todo: Plan, made: list[Change], deadline: Deadline) -> str:
    """Make every call; the id of the update that was begun, or ""."""
    update = ""
    for change in todo.changes:
        update = _make(eks, change, deadline) or update
        made.append(change)
        if change.call == "delete_addon" and goal.wish:
            _gone(eks, goal, deadline)
    return update


def _make(eks: EksAddons, change: Change, deadline: Deadline) -> str:
    """Make one call, again while what refuses it can pass; one request token for all attempts."""
    if change.call in ("create_addon", "update_addon"):
        change = replace(change, args={**change.args, "clientRequestToken": str(uuid.uuid4())})
    begun = deadline.left
    for pause in _pauses():
        try:
            return eks.make(change)
        except AnsibleAWSError as error:
            if change.call == "delete_addon" and error_code(error) in NOT_FOUND:
                return ""
            _judge(change, error, begun - deadline.left)
            if not _rest(deadline, pause):
                raise
    raise AssertionError("pauses never end")


def _judge(change: Change, error: AnsibleAWSError, elapsed: float) -> None:
    """Return when waiting can help; raise ``error`` when it can't, and Moved when a new plan is needed.

    ``elapsed`` is the number of seconds since the first attempt.
    """
    code, message = error_code(error), error_message(error)
    if code == "ResourceInUseException" and change.call != "delete_addon":
        if "Association already exists" in message:
            error.message = f"{error.message}, as one of its service accounts has an association that it doesn't own"
            raise error
        raise Moved(error)
    if code in NOT_FOUND and change.call != "create_addon":
        raise Moved(error)
    patience = max((seconds for words, seconds in PATIENCE.items() if words in message), default=0.0)
    unseen = code == "InvalidParameterException" and elapsed < patience
    if not unseen and code != "ResourceInUseException":
        raise error


def _outcome(eks: EksAddons, goal: Goal, update: str, deadline: Deadline) -> dict[str, t.Any]:
    """The add-on as it is in the end, awaited or not, in the words of ``view``."""
    if goal.wish is None:
        if goal.wait:
            _gone(eks, goal, deadline)
        return {}
    if goal.wait and update:
        _follow(eks, goal, update, deadline)
    found = active(eks, goal, deadline) if goal.wait else eks.find(goal.key.name)
    return view(goal.key, _with_details(eks, goal, found) if found else None)


def active(eks: EksAddons, goal: Goal, deadline: Deadline, found: Found | None = None) -> Found:
    """The add-on once it is ACTIVE. It may be DEGRADED on the way, as on a cluster whose nodes come up.

    A failure, and the deadline, end in an error with its health.
    """
    for pause in _pauses():
        found = found or eks.find(goal.key.name)
        if found is None:
            raise AnsibleAWSError(message=f"The {goal.key} was deleted by somebody else while it was waited for")
        if found.status == "ACTIVE":
            return found
        if found.status in FAILED:
            raise _failed(goal, found.status, found.issues)
        if not _rest(deadline, pause):
            raise _unfinished(goal, found, deadline)
        found = None
    raise AssertionError("pauses never end")


def _follow(eks: EksAddons, goal: Goal, update: str, deadline: Deadline) -> None:
    """Wait until an update has ended well; its errors, and the deadline, end in an error."""
    for pause in _pauses():
        status, issues = eks.update(goal.key.name, update)
        if status == "Successful":
            return
        if status != "InProgress":
            raise _failed(goal, f"update {status}", issues)
        if not _rest(deadline, pause):
            found = eks.find(goal.key.name)
            raise _unfinished(goal, found, deadline)
    raise AssertionError("pauses never end")


def _gone(eks: EksAddons, goal: Goal, deadline: Deadline) -> None:
    """Wait until an add-on that is being deleted no longer exists."""
    for pause in _pauses():
        found = eks.find(goal.key.name)
        if found is None:
            return
        if found.status == "DELETE_FAILED":
            raise _failed(goal, found.status, found.issues)
        if found.status != "DELETING":
            raise Moved(AnsibleAWSError(message=f"The {goal.key} comes back each time it is deleted"))
        if not _rest(deadline, pause):
            raise _unfinished(goal, found, deadline)


def _failed(goal: Goal, status: str, issues: t.Sequence[Issue]) -> AnsibleAWSError:
    words = [f"The {goal.key} ended as {status}: {told(issues)}.", advice(issues)]
    if status == "CREATE_FAILED":
        again = " with resolve_conflicts overwrite" if any(issue.code == CONFLICT for issue in issues) else ""
        words.append(f"Then set recreate_failed true, to delete it and create it again{again}.")
    return AnsibleAWSError(message=" ".join(filter(None, words)), issues=view_issues(issues))


def _unfinished(goal: Goal, found: Found | None, deadline: Deadline) -> AnsibleAWSError:
    status, issues = (found.status, found.issues) if found else ("gone", ())
    reason = f": {told(issues)}" if issues else ""
    words = f"The {goal.key} is still {status} after {deadline.seconds:g} seconds (wait_timeout){reason}."
    return AnsibleAWSError(message=" ".join(filter(None, [words, advice(issues)])), issues=view_issues(issues))


def _rest(deadline: Deadline, seconds: float) -> bool:
    """Sleep up to ``seconds``; False when there is only time for a last look, or none."""
    spare = deadline.left - LAST_LOOK
    return spare > 0 and deadline.pause(min(seconds, spare))


def _pauses() -> t.Iterator[float]:
    return itertools.chain(PAUSES, itertools.repeat(PAUSES[-1]))
