# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real browser for tests: Chromium without a window, spoken to by its DevTools protocol on 127.0.0.1."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

import websocket

PROGRAMS = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome")
MISSING = f"none of {', '.join(PROGRAMS)} is on PATH (on Debian: apt-get install chromium-headless-shell)"
TIMEOUT = 30
"""Seconds for the browser to start, and for each of its answers."""
ANNOUNCEMENT = "DevTools listening on "

Document = dict[str, t.Any]


def find() -> str | None:
    """Path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class PageError(Exception):
    """A script of the test that failed in the page, or a command that DevTools refused."""


class Page:
    """One tab, with what it loaded and complained of since it was opened."""

    def __init__(self, connection: t.Any) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._session = ""
        self.events: list[Document] = []

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file, and wait until it is there."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def call(self, method: str, **params: t.Any) -> Document:
        """Give DevTools a command, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        self._connection.send(json.dumps({**message, "sessionId": self._session} if self._session else message))
        while (answer := self._receive()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        return t.cast("Document", answer["result"])

    def _receive(self) -> Document:
        return t.cast("Document", json.loads(self._connection.recv()))

    def run(self, script: str) -> t.Any:
        """The value of a JavaScript expression in the page, awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise PageError(answer["exceptionDetails"].get("exception", {}).get("description", script))
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Write what the window shows to a PNG file."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    @property
    def requests(self) -> list[str]:
        """The URLs that were asked for."""
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and violations of the page's own policy."""
        logged = [event["params"]["entry"]["text"] for event in self.events if event["method"] == "Log.entryAdded"]
        thrown = [
            json.dumps(event["params"])
            for event in self.events
            if event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]
        return logged + thrown


@contextlib.contextmanager
def browser(program: str, profile: Path) -> t.Iterator[t.Callable[[], Page]]:
    """A browser with an empty profile, which goes with the context; yields what makes a page of its own."""
    options = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}", "--hide-scrollbars"]
    options += ["--no-first-run", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root.
    process = subprocess.Popen(
        [program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    connections: list[t.Any] = []

    def connect() -> Page:
        connections.append(websocket.create_connection(address, timeout=TIMEOUT, suppress_origin=True))
        return Page(connections[-1])

    try:
        address = _address(process)
        yield connect
    finally:
        for connection in connections:
            connection.close()
        os.killpg(process.pid, signal.SIGKILL)  # It has children of its own, and nothing to save.
        process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    """Where the browser's DevTools listen, as it says when it is up."""
    for line in process.stderr or ():
        if line.startswith(ANNOUNCEMENT):
            return line.removeprefix(ANNOUNCEMENT).strip()
    raise PageError("the browser ended before it was up")
