# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that reads check mode, applies a plan, exits and reports failures."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .aws import explain
from .plan import Plan, Refused

MOST_NAMED = 5
"""Failed items that a message names; the result has them all."""


def predicts(module: t.Any) -> bool:
    """Whether nothing may be changed: check mode."""
    return bool(module.check_mode)


def converge(module: t.Any, key: str, name: str, plan: Plan, apply: t.Callable[[Plan], Plan]) -> None:
    """Apply ``plan`` unless this is a dry run, and exit with the resource ``name`` under ``key``.

    ``apply`` makes the planned calls and returns what was done: the calls that were made in the end, and the
    resource as it then is.
    """
    done = plan if predicts(module) or not plan.changes else apply(plan)
    module.exit_json(
        changed=bool(done.changes),
        changes=done.calls,
        diff=done.diff(key, name),
        **{key: done.after},
    )


@dataclass(frozen=True)
class Item:
    """One of several resources that a task is about.

    ``name`` is for messages and the diff, ``words`` tell it apart in the result, ``goal`` is what was planned for.
    With an ``error``, ``plan`` is what was wanted, and the error's ``kwargs`` say what was done of it.
    """

    name: str
    words: dict[str, t.Any]
    goal: t.Any
    plan: Plan = field(default_factory=Plan)
    error: AnsibleAWSError | Refused | None = None

    def row(self, key: str) -> dict[str, t.Any]:
        """The item's own result, with the resource under ``key``."""
        row = {**self.words, key: self.plan.after, "changed": bool(self.plan.changes), "changes": self.plan.calls}
        if self.error is None:
            return {**row, "failed": False}
        return {**row, key: self.plan.before, "changed": False, "changes": [], **_failure(self.error), "failed": True}


def converge_all(
    module: t.Any,
    keys: tuple[str, str],
    items: list[Item],
    apply: t.Callable[[list[Item]], list[Item]],
    summary: t.Callable[[list[Item]], dict[str, t.Any]] = lambda _done: {},
) -> None:
    """Apply every item's plan unless this is a dry run, and exit with one result for each.

    ``keys`` are the words for one resource and for all; ``summary`` adds what is told of all. One failed item fails the
    task, and hides neither the others nor what was changed.
    """
    done = items if predicts(module) else apply(items)
    result = {**_result(keys, done), **summary(done)}
    failed = [f"{item.name}: {row['msg']}" for item, row in zip(done, result[keys[1]], strict=True) if item.error]
    if not failed:
        module.exit_json(**result)
    module.fail_json(msg=f"{len(failed)} of {len(done)} {keys[1]} failed. {_named(failed)}", **result)


def _result(keys: tuple[str, str], done: list[Item]) -> dict[str, t.Any]:
    one, many = keys
    rows = [item.row(one) for item in done]
    return {
        "changed": any(row["changed"] for row in rows),
        "changes": [call for row in rows for call in row["changes"]],
        "diff": [_diff(one, item) for item in done if item.plan.changes],
        many: rows,
    }


def _named(failed: list[str]) -> str:
    rest = f" … and {len(failed) - MOST_NAMED} more." if len(failed) > MOST_NAMED else ""
    return " ".join(failed[:MOST_NAMED]) + rest


def _diff(kind: str, item: Item) -> dict[str, t.Any]:
    before = item.plan.before
    return (Plan(before, before) if item.error else item.plan).diff(kind, item.name)


def _failure(error: AnsibleAWSError | Refused) -> dict[str, t.Any]:
    return {**error.result, "msg": str(error)} if isinstance(error, Refused) else explain(error)


def run(module: t.Any, action: t.Callable[[t.Any], None]) -> None:
    """Call ``action(module)``; every failure that has an explanation ends in one message."""
    try:
        action(module)
    except (Refused, AnsibleAWSError) as error:
        module.fail_json(**_failure(error))
