# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that reads check mode, applies a plan, exits and reports failures."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from ._aws import explain
from ._plan import Plan, Refused


def converge(module: t.Any, key: str, plan: Plan, apply: t.Callable[[Plan], Plan]) -> None:
    """Apply ``plan`` unless this is a dry run, and exit with the resource under ``key``.

    ``apply`` makes the planned calls and returns what was done: the calls that were made in the end, and the
    resource as it then is.
    """
    done = plan if module.check_mode or not plan.changes else apply(plan)
    module.exit_json(
        changed=bool(done.changes),
        changes=done.calls,
        diff={"before": done.before, "after": done.after},
        **{key: done.after},
    )


def run(module: t.Any, action: t.Callable[[t.Any], None]) -> None:
    """Call ``action(module)``; every failure that has an explanation ends in one message."""
    try:
        action(module)
    except Refused as error:
        module.fail_json(msg=str(error))
    except AnsibleAWSError as error:
        module.fail_json(**explain(error))
