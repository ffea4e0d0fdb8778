# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slow tools run beside the rest of the session: they start when it starts, and their tests collect what they said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, environment

LIMIT = 900
"""Seconds that a test waits for its tool, after all the others are done."""


@dataclass(frozen=True)
class Tool:
    """A command that runs in a process group of its own and writes to a file."""

    process: subprocess.Popen[bytes]
    output: t.IO[str]

    @classmethod
    def start(cls, command: t.Sequence[str]) -> Tool:
        # Politely: the tests in the foreground have deadlines, the tools have not.
        output = tempfile.TemporaryFile("w+")  # noqa: SIM115
        process = subprocess.Popen(
            ["nice", "-n", "10", *command],
            cwd=CHECKOUT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(process, output)

    def result(self) -> tuple[int, str]:
        """Waits; returns the exit code and all that the tool printed."""
        code = self.process.wait(LIMIT)
        self.output.seek(0)
        return code, self.output.read()

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        self.output.close()


TOOLS: pytest.StashKey[dict[str, Tool]] = pytest.StashKey()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What works in the background is asked for last."""
    items.sort(key=lambda item: item.get_closest_marker("background") is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    tools = session.config.stash[TOOLS] = {}
    if session.config.option.collectonly or hasattr(session.config, "workerinput"):
        return  # pytest-xdist's workers keep the cores busy by themselves
    for item in session.items:
        marker = item.get_closest_marker("background")
        if marker:
            tools[item.nodeid] = Tool.start(marker.args)


def pytest_sessionfinish(session: pytest.Session) -> None:
    for tool in session.config.stash.get(TOOLS, {}).values():
        tool.stop()


@pytest.fixture
def background_result(request: pytest.FixtureRequest) -> tuple[int, str]:
    """Exit code and output of the command in the test's ``background`` mark, which starts now if it hasn't."""
    tools = request.config.stash[TOOLS]
    node = request.node
    if node.nodeid not in tools:
        tools[node.nodeid] = Tool.start(node.get_closest_marker("background").args)
    return tools[node.nodeid].result()
