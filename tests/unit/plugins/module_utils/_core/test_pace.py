# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pace that tasks share: what a throttled call does to the others, and what does no harm."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import stat
import typing as t
from pathlib import Path

import boto3
import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core import pace
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import aws_client
from ansible_collections.enbuild.eks.plugins.module_utils._core.pace import (
    GROWTH,
    SLOWER,
    SLOWEST,
    START,
    Pace,
    Sharing,
    State,
    rate_at,
    reserved,
    slowed,
)
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError


class Clock:
    """Time that passes as somebody sleeps; ``meanwhile`` happens once, in the first sleep."""

    def __init__(self, meanwhile: t.Callable[[], None] = lambda: None) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._meanwhile = meanwhile

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()


def paced(folder: Path, clock: Clock) -> Pace:
    """The pace as another process of the run sees it."""
    return Pace(str(folder / "pace"), clock, clock.sleep)


def test_the_rate_falls_with_each_throttled_call_and_never_to_nothing() -> None:
    first = slowed(State(), 0, 100)
    assert (first.rate, first.since) == (START, 100)
    second = slowed(first, 101, 101)
    assert second.rate == pytest.approx(START * SLOWER, rel=0.01)
    state = second
    for second_of_time in range(102, 160):
        state = slowed(state, second_of_time, second_of_time)
    assert state.rate == SLOWEST


def test_calls_that_were_on_their_way_already_slow_nothing_down_again() -> None:
    first = slowed(State(), 99, 100)
    assert slowed(first, 99.9, 100.1) == first


def test_the_rate_rises_as_long_as_nothing_is_throttled() -> None:
    state = State(10, 100, 100)
    assert [rate_at(state, 100 + GROWTH * times) for times in (0, 1, 2)] == [10, 20, 50]


def test_calls_stand_in_line() -> None:
    state = reserved(State(10, 100, 99), 100)
    assert state.free == pytest.approx(100.1)
    assert reserved(state, 100).free == pytest.approx(100.2, abs=0.001)


def test_nobody_waits_before_a_call_was_throttled(tmp_path: Path) -> None:
    clock = Clock()
    one = paced(tmp_path, clock)
    assert [one.turn() for _unused in range(50)] == [1000] * 50
    assert clock.slept == []


def test_all_processes_wait_once_one_was_throttled(tmp_path: Path) -> None:
    clock = Clock()
    one, other = paced(tmp_path, clock), paced(tmp_path, clock)
    one.slow(one.turn())
    began = [each.turn() for each in (other, one, other)]
    assert began == pytest.approx([1000 + n / START for n in (1, 2, 3)], abs=0.001)


def test_who_slept_while_others_were_throttled_waits_anew(tmp_path: Path) -> None:
    other = paced(tmp_path, Clock())
    clock = Clock(meanwhile=lambda: other.slow(clock.now))
    other._clock = clock
    one = paced(tmp_path, clock)
    one.slow(one.turn())
    one.turn()
    slower = START * SLOWER
    assert clock.slept == pytest.approx([1 / START, 1 / slower], abs=0.001)


def test_a_locked_file_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TRIES", 3)
    clock = Clock()
    one = paced(tmp_path, clock)
    one.slow(one.turn())
    with open(tmp_path / "pace", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        one.slow(one.turn())
        assert clock.slept == []
    one.turn()
    assert clock.slept == [1 / START]


def _keep_locked(path: str, held: t.Any) -> None:
    with Pace(path)._locked():
        held.set()
        signal.pause()


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=_keep_locked, args=(str(tmp_path / "pace"), held))
    process.start()
    assert held.wait(60)
    process.kill()
    process.join()
    clock = Clock()
    one = paced(tmp_path, clock)
    one.slow(one.turn())
    one.turn()
    assert clock.slept == [1 / START]


@pytest.mark.parametrize("content", [b"", b"half"])
def test_a_file_that_was_not_written_whole_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pace").write_bytes(content)
    assert paced(tmp_path, Clock()).turn() == 1000


def test_only_the_user_can_read_and_write_it_and_no_link_is_followed(tmp_path: Path) -> None:
    paced(tmp_path, Clock())
    assert stat.S_IMODE(os.stat(tmp_path / "pace").st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="link"):
        Pace(str(tmp_path / "link"))
    assert not (tmp_path / "other").exists()


class Eks:
    """Takes an AnsibleAWSModule's place; its clients get what ``answers`` says, and nothing is sent.

    Answers are statuses; without any left, all is well.
    """

    def __init__(self, region: str = "us-east-1") -> None:
        self.region = region
        self.answers: list[int] = []

    def client(self, service: str, config: t.Any) -> t.Any:
        keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}
        made = boto3.client(service, self.region, endpoint_url="http://127.0.0.1:9", config=Config(**config), **keys)
        made.meta.events.register("before-send.*", self._answer)
        return made

    def _answer(self, request: t.Any, **_event: t.Any) -> AWSResponse:
        status = self.answers.pop(0) if self.answers else 200
        bodies = {
            429: ("ThrottlingException", b'{"message": "Rate exceeded"}'),
            404: ("ResourceNotFoundException", b"{}"),
        }
        code, body = bodies.get(status, ("", b'{"clusters": []}'))
        answer = AWSResponse(request.url, status, {"x-amzn-errortype": code}, None)
        answer._content = body
        return answer


@pytest.fixture
def turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The starts of attempts, of clients that share a pace in a folder; throttled calls are tried again at once."""
    begun: list[float] = []
    clock = Clock()
    monkeypatch.setattr(Pace.__init__, "__defaults__", (clock, clock.sleep))
    monkeypatch.setattr(pace, "_sharing", Sharing(str(tmp_path)))
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    turn = Pace.turn

    def recorded(one: Pace) -> float:
        begun.append(turn(one))
        return begun[-1]

    monkeypatch.setattr(Pace, "turn", recorded)
    return begun


def test_a_throttled_call_slows_the_clients_of_other_tasks(turns: list[float]) -> None:
    one, other = Eks(), Eks()
    first, second = aws_client(one, "eks", many=True), aws_client(other, "eks")
    one.answers = [200, 429]
    first.list_clusters()
    second.list_clusters()
    first.list_clusters()
    second.list_clusters()
    assert turns == pytest.approx([1000, 1000, 1000, 1000 + 1 / START, 1000 + 2 / START], abs=0.001)
    assert first.meta.config.retries["mode"] == "standard"


def test_a_call_waits_before_it_is_signed(turns: list[float]) -> None:
    client = aws_client(Eks(), "eks")
    turns_when_signed: list[int] = []
    client.meta.events.register("before-sign.*", lambda **_event: turns_when_signed.append(len(turns)))
    client.list_clusters()
    assert turns_when_signed == [1]


def test_other_errors_slow_nothing(turns: list[float]) -> None:
    one = Eks()
    client = aws_client(one, "eks")
    one.answers = [500, 404]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.list_clusters()
    client.list_clusters()
    assert turns == [1000] * 3


@pytest.mark.parametrize("difference", ["service", "region", "account"])
def test_other_services_regions_and_accounts_have_paces_of_their_own(
    turns: list[float], tmp_path: Path, difference: str
) -> None:
    one = Eks()
    one.answers = [429]
    aws_client(one, "eks").list_clusters()
    if difference == "account":
        pace.share(Sharing(str(tmp_path), "222222222222"))
    other = Eks("eu-west-1" if difference == "region" else "us-east-1")
    client = aws_client(other, "bedrock" if difference == "service" else "eks")
    assert len(list(tmp_path.iterdir())) == 2
    (client.list_foundation_models if difference == "service" else client.list_clusters)()
    assert turns[-1] == turns[-2]


def test_where_nothing_is_shared_a_task_of_many_calls_slows_down_by_itself() -> None:
    modes = [aws_client(Eks(), "eks", many=many).meta.config.retries["mode"] for many in (False, True)]
    assert modes == ["standard", "adaptive"]


def test_a_folder_that_is_gone_fails_nothing(tmp_path: Path, turns: list[float]) -> None:
    pace.share(Sharing(str(tmp_path / "gone")))
    aws_client(Eks(), "eks").list_clusters()
    assert turns == []
