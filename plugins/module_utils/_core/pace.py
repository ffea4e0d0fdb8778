# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pace that all tasks of one Ansible run share: where AWS throttles one of them, all slow down.

AWS throttles an account, and botocore's adaptive mode slows one client of one process down. Modules that run in forks
of one ansible-playbook have a folder in common that nobody else can write. A file in it says how many calls a second
AWS allows, as far as is known. Nothing waits for another process: a call takes the next free time, and sleeps until
then. So whoever is killed holds nobody up.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import struct
import threading
import time
import typing as t
from dataclasses import astuple, dataclass, replace

with contextlib.suppress(ImportError):  # AnsibleAWSModule names the missing library.
    from botocore.retries.standard import RetryEventAdapter, ThrottlingErrorDetector

START = 20.0
"""Calls a second after the first throttled one; the next throttled ones soon correct it."""
SLOWEST = 2.0
"""Calls a second that are made in any case: others may use up what AWS allows, however slow this run is."""
SLOWER = 0.8
"""What a throttled call leaves of the rate."""
GROWTH = 30.0
"""Seconds without a throttled call after which the rate has doubled; after twice as many it is five times as high."""
TRIES = 1000
"""How often a lock is tried, a millisecond apart, before a call is made without it."""
SENT = "enbuild_sent"
"""When an attempt was made, in its botocore context."""
FORMAT = struct.Struct("<ddd")


@dataclass(frozen=True)
class State:
    """What all know: calls a second as of ``since`` (0: nothing was throttled), and when the next call may begin.

    Times are seconds of the monotonic clock, which all processes of a machine have in common.
    """

    rate: float = 0
    since: float = 0
    free: float = 0


def rate_at(state: State, now: float) -> float:
    """Calls a second that are tried at ``now``: slowly more at first, then fast."""
    return state.rate * (1 + ((now - state.since) / GROWTH) ** 2)


def reserved(state: State, now: float) -> State:
    """The state once a call has taken the time ``free``, or ``now`` where that has passed."""
    return replace(state, free=max(now, state.free) + 1 / rate_at(state, now))


def slowed(state: State, sent: float, now: float) -> State:
    """The state after a throttled call; one that was ``sent`` before the last slowing down says nothing new."""
    if sent < state.since:
        return state
    rate = max(SLOWEST, rate_at(state, now) * SLOWER) if state.rate else START
    return State(rate, now, now + 1 / rate)


class Pace:
    """The pace in the file ``path``, which is made if need be; safe to use from several threads. OSError."""

    def __init__(
        self,
        path: str,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._threads = threading.Lock()
        self._clock = clock
        self._sleep = sleep

    def turn(self) -> float:
        """Sleep until a call may begin, and return when it does; whoever slept while others slowed down waits anew."""
        with contextlib.suppress(OSError):
            while self._read().rate:
                asked = self._clock()
                free = max(asked, self._change(functools.partial(reserved, now=asked)).free)
                self._sleep(free - asked)
                if self._read().since <= asked:
                    break
        return self._clock()

    def slow(self, sent: float) -> None:
        """A call that began at ``sent`` was throttled."""
        with contextlib.suppress(OSError):
            self._change(lambda state: slowed(state, sent, self._clock()))

    def _change(self, change: t.Callable[[State], State]) -> State:
        """Change the state; returns it as it was."""
        with self._threads, self._locked():
            before = self._read()
            os.pwrite(self._file, FORMAT.pack(*astuple(change(before))), 0)
            return before

    def _read(self) -> State:
        data = os.pread(self._file, FORMAT.size, 0)
        return State(*FORMAT.unpack(data)) if len(data) == FORMAT.size else State()

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        """Keep other processes out; TimeoutError where one of them stands still. One that ends lets go."""
        for _try in range(TRIES):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.001)
        else:
            raise TimeoutError
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


@dataclass(frozen=True)
class Sharing:
    """Where the tasks of a run keep paces, and which account this one is about; without a folder, nothing is shared."""

    folder: str = ""
    account: str = ""


_sharing = Sharing()


def share(sharing: Sharing) -> None:
    """Let all clients of this process keep the pace of the run."""
    global _sharing
    _sharing = sharing


def is_shared() -> bool:
    """Whether a throttled call of another task of the run slows this one down."""
    return bool(_sharing.folder)


def keep(client: t.Any, service: str) -> None:
    """Let each attempt of a boto3 client wait for its turn, before it is signed, and report what is throttled."""
    whose = (client.meta.endpoint_url, client.meta.region_name, service, _sharing.account)
    name = hashlib.sha256("\n".join(map(str, whose)).encode()).hexdigest()[:32]
    with contextlib.suppress(OSError):
        pace = Pace(os.path.join(_sharing.folder, f"pace-{name}"))
        detector = ThrottlingErrorDetector(RetryEventAdapter())
        client.meta.events.register_first(f"request-created.{service}", lambda **event: _begin(pace, event))
        client.meta.events.register(f"needs-retry.{service}", lambda **event: _judge(pace, detector, event))


def _begin(pace: Pace, event: dict[str, t.Any]) -> None:
    event["request"].context[SENT] = pace.turn()


def _judge(pace: Pace, detector: t.Any, event: dict[str, t.Any]) -> None:
    """Nothing is returned, which botocore would take for a decision."""
    event.pop("event_name", None)
    if detector.is_throttling_error(**event):
        pace.slow(event["request_dict"]["context"].get(SENT, 0.0))
