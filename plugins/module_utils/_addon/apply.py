# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the plan of an add-on to an EKS that takes its time, and that others change at the same time."""

from __future__ import annotations

import itertools
import typing as t
import uuid
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import NOT_FOUND, Deadline, error_code, error_message
from .._core.plan import Change, Plan
from .api import EksAddons
from .health import CONFLICT, Issue, advice, told
from .health import view as view_issues
from .plan import BUSY, FAILED, Observed, Target, plan, view

UNSEEN = "does not exist"
PATIENCE = {UNSEEN: 120.0, "Trust policy": 30.0}
"""Seconds to wait for a role that IAM doesn't show to EKS yet, or shows as it was; by the words of EKS's error.

IAM is eventually consistent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""
IAM_AFTER = 15.0
"""Seconds after which IAM is asked whether it has a role that EKS doesn't know."""
PAUSES = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds between two looks at an add-on; the last one again and again."""


LAST_LOOK = 0.5
"""Seconds that are left before the deadline for a last look, to say how far things have come."""


class Moved(Exception):
    """The add-on isn't what the plan was made for."""

    def __init__(self, error: AnsibleAWSError) -> None:
        super().__init__()
        self.error = error


def read(eks: EksAddons, target: Target) -> Observed | None:
    """The add-on with the details that planning ``target`` needs."""
    observed = eks.find(target.key.name)
    return _with_details(eks, target, observed) if observed else None


def _with_details(eks: EksAddons, target: Target, observed: Observed) -> Observed:
    desired = target.desired
    needed = desired is not None and (
        desired.bindings is not None or (target.recreate_failed and observed.status in FAILED)
    )
    return eks.detailed(observed) if needed and observed.addon.bindings else observed


def idle(eks: EksAddons, target: Target, observed: Observed | None, deadline: Deadline) -> Observed | None:
    """The add-on once nothing is under way; at the deadline an error names what still is."""
    for pause in _pauses():
        if observed is None or observed.status not in BUSY:
            return _with_details(eks, target, observed) if observed else None
        if not _rest(deadline, pause):
            raise _unfinished(target, observed, deadline)
        observed = eks.find(target.key.name)
    raise AssertionError("pauses never end")


def settle(eks: EksAddons, target: Target, todo: Plan, deadline: Deadline) -> Plan:
    """Make the calls of ``todo``, planning again when the add-on has moved, and wait for it as the target says.

    Returns what was done. An error carries what was changed before it.
    """
    made: list[Change] = []
    try:
        while True:
            try:
                update = _perform(eks, target, todo, made, deadline)
                return replace(todo, after=_outcome(eks, target, update, deadline), changes=tuple(made))
            except Moved as moved:
                if not _rest(deadline, PAUSES[0]):
                    raise moved.error from None
                todo = plan(target, idle(eks, target, read(eks, target), deadline))
    except AnsibleAWSError as error:
        error.kwargs.update(changed=bool(made), changes=[change.call for change in made])
        raise


def _perform(eks: EksAddons, target: Target, todo: Plan, made: list[Change], deadline: Deadline) -> str:
    """Make every call; the id of the update that was begun, or ""."""
    update = ""
    for change in todo.changes:
        update = _make(eks, change, deadline) or update
        made.append(change)
        if change.call == "delete_addon" and target.desired:
            _gone(eks, target, deadline)
    return update


def _make(eks: EksAddons, change: Change, deadline: Deadline) -> str:
    """Make one call, again while what refuses it can pass; one request token for all attempts."""
    if change.call in ("create_addon", "update_addon"):
        change = replace(change, args={**change.args, "clientRequestToken": str(uuid.uuid4())})
    begun, asked = deadline.left, False
    for pause in _pauses():
        try:
            return eks.make(change)
        except AnsibleAWSError as error:
            if change.call == "delete_addon" and error_code(error) in NOT_FOUND:
                return ""
            elapsed = begun - deadline.left
            _judge(change, error, elapsed)
            asked = asked or _ask_iam(eks, change, error, elapsed)
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


def _ask_iam(eks: EksAddons, change: Change, error: AnsibleAWSError, elapsed: float) -> bool:
    """Ask IAM, if it is time, for roles that EKS doesn't know: raise ``error`` if one is missing, else return True."""
    if UNSEEN not in error_message(error) or elapsed < IAM_AFTER:
        return False
    for binding in change.args.get("podIdentityAssociations") or ():
        if missing := eks.missing_role(binding["roleArn"]):
            error.message = f"{error.message} with role {binding['roleArn']}, {missing}"
            raise error
    return True


def _outcome(eks: EksAddons, target: Target, update: str, deadline: Deadline) -> dict[str, t.Any]:
    """The add-on as it is in the end, awaited or not, in the words of ``view``."""
    if target.desired is None:
        if target.wait:
            _gone(eks, target, deadline)
        return {}
    if target.wait and update:
        _follow(eks, target, update, deadline)
    observed = active(eks, target, deadline) if target.wait else eks.find(target.key.name)
    return view(target.key, _with_details(eks, target, observed) if observed else None)


def active(eks: EksAddons, target: Target, deadline: Deadline, observed: Observed | None = None) -> Observed:
    """The add-on once it is ACTIVE. It may be DEGRADED on the way, as on a cluster whose nodes come up.

    A failure, and the deadline, end in an error with its health.
    """
    for pause in _pauses():
        observed = observed or eks.find(target.key.name)
        if observed is None:
            raise AnsibleAWSError(message=f"The {target.key} was deleted by somebody else while it was waited for")
        if observed.status == "ACTIVE":
            return observed
        if observed.status in FAILED:
            raise _failed(target, observed.status, observed.issues)
        if not _rest(deadline, pause):
            raise _unfinished(target, observed, deadline)
        observed = None
    raise AssertionError("pauses never end")


def _follow(eks: EksAddons, target: Target, update: str, deadline: Deadline) -> None:
    """Wait until an update has ended well; its errors, and the deadline, end in an error."""
    for pause in _pauses():
        status, issues = eks.update(target.key.name, update)
        if status == "Successful":
            return
        if status != "InProgress":
            raise _failed(target, f"update {status}", issues)
        if not _rest(deadline, pause):
            observed = eks.find(target.key.name)
            raise _unfinished(target, observed, deadline)
    raise AssertionError("pauses never end")


def _gone(eks: EksAddons, target: Target, deadline: Deadline) -> None:
    """Wait until an add-on that is being deleted no longer exists."""
    for pause in _pauses():
        observed = eks.find(target.key.name)
        if observed is None:
            return
        if observed.status == "DELETE_FAILED":
            raise _failed(target, observed.status, observed.issues)
        if observed.status != "DELETING":
            raise Moved(AnsibleAWSError(message=f"The {target.key} comes back each time it is deleted"))
        if not _rest(deadline, pause):
            raise _unfinished(target, observed, deadline)


def _failed(target: Target, status: str, issues: t.Sequence[Issue]) -> AnsibleAWSError:
    words = [f"The {target.key} ended as {status}: {told(issues)}.", advice(issues)]
    if status == "CREATE_FAILED":
        again = " with resolve_conflicts overwrite" if any(issue.code == CONFLICT for issue in issues) else ""
        words.append(f"Then set recreate_failed true, to delete it and create it again{again}.")
    return AnsibleAWSError(message=" ".join(filter(None, words)), issues=view_issues(issues))


def _unfinished(target: Target, observed: Observed | None, deadline: Deadline) -> AnsibleAWSError:
    status, issues = (observed.status, observed.issues) if observed else ("gone", ())
    reason = f": {told(issues)}" if issues else ""
    words = f"The {target.key} is still {status} after {deadline.seconds:g} seconds (wait_timeout){reason}."
    return AnsibleAWSError(message=" ".join(filter(None, [words, advice(issues)])), issues=view_issues(issues))


def _rest(deadline: Deadline, seconds: float) -> bool:
    """Sleep up to ``seconds``; False when there is only time for a last look, or none."""
    spare = deadline.left - LAST_LOOK
    return spare > 0 and deadline.pause(min(seconds, spare))


def _pauses() -> t.Iterator[float]:
    return itertools.chain(PAUSES, itertools.repeat(PAUSES[-1]))
