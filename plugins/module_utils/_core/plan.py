# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vocabulary of change: what a planner returns and an adapter applies."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class Refused(Exception):
    """A task that can't be done; the message names the option, its value and the rule.

    ``result`` is what the failed task returns beside its message.
    """

    def __init__(self, message: str, **result: t.Any) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True)
class Change:
    """One API call that has not happened yet."""

    call: str
    args: dict[str, t.Any]
    purpose: str = ""
    """What the call is for, as the end of the sentence "Failed to …"; names the resource."""


@dataclass(frozen=True)
class Plan:
    """Two states of a resource, in the user's words, and the calls that turn the first into the second.

    An empty dictionary stands for a resource that doesn't exist.
    """

    before: dict[str, t.Any] = field(default_factory=dict)
    after: dict[str, t.Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    @property
    def calls(self) -> list[str]:
        """Names of the planned API calls, in order."""
        return [change.call for change in self.changes]

    def diff(self, kind: str, name: str) -> dict[str, t.Any]:
        """What ``--diff`` shows of the resource ``name``: before and after, each with a header that names it.

        Of something that is created or deleted, only what it has is shown.
        """
        whole = bool(self.before and self.after)
        before, after = (state if whole else _given(state) for state in (self.before, self.after))
        header = f"{kind} {name}"
        return {"name": name, "before_header": header, "after_header": header, "before": before, "after": after}


def _given(state: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {key: value for key, value in state.items() if value not in (None, "", [], {})}
