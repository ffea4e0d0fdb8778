# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates that a test sets: so many calls a second, and those beyond are throttled."""

from __future__ import annotations

import threading
import time
import typing as t
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

_WORDING = {"iam": ("Throttling", 400)}
"""How a service says it; the others answer as EKS does."""


@dataclass
class Throttle:
    """A token bucket: ``burst`` calls at once, and ``rate`` a second (1 or less: one each so many seconds).

    ``operation`` is a pattern such as ``Describe*``.
    """

    service: str
    operation: str
    rate: float
    burst: float = 0
    code: str = ""
    status: int = 0
    refused: int = 0
    tokens: float = field(init=False, repr=False)
    seen_at: float = field(init=False, default=0, repr=False)

    def __post_init__(self) -> None:
        """Fill in what wasn't given: a second's worth of burst, the service's own words. ValueError."""
        self.burst = self.burst if self.burst else max(1, self.rate)
        if not all(_is_number(value) and value > 0 for value in (self.rate, self.burst)) or self.burst < 1:
            raise ValueError("rate is more than 0, burst at least 1")
        code, status = _WORDING.get(self.service, ("ThrottlingException", 429))
        self.code, self.status = self.code or code, self.status or status
        self.tokens = self.burst

    def matches(self, service: str, operation: str) -> bool:
        """Say whether the bucket is for this call."""
        return service == self.service and fnmatchcase(operation, self.operation)

    def refill(self, now: float) -> None:
        """Add what has come in since the last call."""
        self.tokens = min(self.burst, self.tokens + (now - self.seen_at) * self.rate)
        self.seen_at = now

    def show(self) -> dict[str, t.Any]:
        """Return its settings, and how many calls it has refused."""
        names = ("service", "operation", "rate", "burst", "code", "status", "refused")
        return {name: getattr(self, name) for name in names}


class Throttles:
    """The rates that are in force. Safe to use from several threads."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._throttles: list[Throttle] = []

    def replace(self, entries: t.Any) -> None:
        """Take ``entries`` in place of all there were; ValueError or TypeError if one makes no sense."""
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("throttles are a list of objects")
        throttles = [Throttle(**{"refused": 0, **entry}) for entry in entries]
        with self._lock:
            self._throttles = throttles

    def show(self) -> list[dict[str, t.Any]]:
        """Return each with the number of calls that it has refused."""
        with self._lock:
            return [throttle.show() for throttle in self._throttles]

    def refusal(self, service: str, operation: str) -> Throttle | None:
        """Count a call; return the bucket that is too empty for it, or None."""
        with self._lock:
            concerned = [throttle for throttle in self._throttles if throttle.matches(service, operation)]
            now = self._clock()
            for throttle in concerned:
                throttle.refill(now)
            empty = next((throttle for throttle in concerned if throttle.tokens < 1), None)
            if empty:
                empty.refused += 1
            for throttle in () if empty else concerned:
                throttle.tokens -= 1
            return empty


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
