# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interrupt a playbook between two of its tasks, and go on with it until it is through.

A run is interrupted at the boundary that its watcher chooses; the next run goes on from what that left. So a series
costs one whole run, and of the interrupted ones only the tasks before their boundary.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import TASK, PlaybookRun

KILLED = -9
ALWAYS = 10**6
"""More times than any test calls."""
MOST_RUNS = 200
"""More than a playbook has tasks."""

Fault = dict[str, t.Any]
Act = t.Callable[[], bool]
"""What happens at a boundary; True kills the run there."""
Watch = t.Callable[[str], bool]
Run = t.Callable[..., PlaybookRun]

WEATHER = {"role_unseen_seconds": 3, "webhook_cold_seconds": 3, "addon_seconds": 2, "association_delete_seconds": 2}
LOST = {
    "eks": ("CreateAddon", "CreatePodIdentityAssociation", "DeletePodIdentityAssociation", "DeleteAddon"),
    "iam": ("CreateRole",),
}


def bad_day() -> list[Fault]:
    """Throttling on every third call, and the first reply lost to every call that creates something."""
    throttled = {"eks": "ThrottlingException", "iam": "Throttling"}
    return [
        # First those of one operation: of several faults that match, the first one strikes.
        *(
            _fault(service, operation, "ServiceUnavailable", 503, when="after", every=2, seen=1)
            for service, operations in LOST.items()
            for operation in operations
        ),
        *(_fault(service, "*", code, 400, every=3) for service, code in throttled.items()),
    ]


def expired() -> list[Fault]:
    """No call succeeds any more."""
    codes = {
        "eks": "ExpiredTokenException",
        "iam": "ExpiredToken",
        "sts": "ExpiredToken",
        "eks-auth": "ExpiredTokenException",
    }
    said = "The security token included in the request is expired"
    return [_fault(service, "*", code, 403, message=said) for service, code in codes.items()]


def _fault(service: str, operation: str, code: str, status: int, **more: t.Any) -> Fault:
    return {"service": service, "operation": operation, "code": code, "status": status, "times": ALWAYS, **more}


def after_changes(number: int, act: Act) -> Watch:
    """Act once, as soon as a task begins after so many that changed something."""
    changes, acted = 0, False

    def watch(line: str) -> bool:
        nonlocal changes, acted
        changes += line.startswith("changed: ")
        if acted or changes < number or not TASK.match(line):
            return False
        acted = True
        return act()

    return watch


def at_task(number: int, act: Act) -> Watch:
    """Act once, as the task of that number begins; the first is 1."""
    begun = itertools.count(1)
    return lambda line: bool(TASK.match(line)) and next(begun) == number and act()


def at_task_named(part: str, act: Act) -> Watch:
    """Act as a task begins that has ``part`` in its name."""
    return lambda line: bool((head := TASK.match(line)) and part in head["name"]) and act()


@dataclass
class Series:
    """The runs of one playbook, on a bad day; those interrupted, and the last, which was through."""

    lab: Lab
    run: Run
    interrupted: list[PlaybookRun] = field(default_factory=list)

    def go_on(self, watches: t.Iterable[tuple[t.Callable[[Act], Watch], str]]) -> PlaybookRun:
        """Run until a run is through, each interrupted as the next of ``watches`` says: where, and how."""
        self.lab.weather(**WEATHER)
        for watch, end in itertools.islice(watches, MOST_RUNS):
            self.lab.faults(bad_day())
            run = self.run(on_line=watch(self._end(end)))
            if run.returncode == 0:
                self.lab.faults([])
                return run
            self._check(run)
            self.interrupted.append(run)
        raise AssertionError(f"not through after {MOST_RUNS} runs:\n{run.output}")

    def _end(self, end: str) -> Act:
        return (lambda: True) if end == "killed" else self._expire

    def _expire(self) -> bool:
        self.lab.faults(expired())
        return False

    def _check(self, run: PlaybookRun) -> None:
        """Whoever wasn't killed says which cluster stopped, and why."""
        if run.returncode != KILLED:
            assert f"{self.lab.cluster_name} stopped at" in run.failure, run.output
