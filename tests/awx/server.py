# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulated AWX 24.6.1: as much of its REST API as the modules of awx.awx use to make objects.

Taken from AWX's source, from what its API answered when it was tried, and from what the modules of awx.awx 24.6.1 read.
It keeps objects, checks them as :mod:`rules` says, lists a project's playbooks from a folder on this machine, and works
out the variables of a launch. It runs no job, fires no schedule, sends no notification, and knows no users but one, no
teams, labels, instance groups or copies. Where its answers' wording is not AWX's own, the status still is.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import typing as t
import urllib.parse

from ansible_collections.enbuild.eks.tests.awx import rules
from ansible_collections.enbuild.eks.tests.awx.objects import KINDS, Objects
from ansible_collections.enbuild.eks.tests.awx.rules import Fields, Invalid

TOKEN = "emulated-token"
Answer: t.TypeAlias = "tuple[int, t.Any]"


class Awx:
    """A running AWX as it is after its installation: one organization, its credential types, no project."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.calls: list[str] = []
        """Each request as "METHOD /path"."""
        self.url = ""
        for name in rules.CREDENTIAL_INPUTS:
            self.objects.create("credential_types", {"name": name})
        self.objects.create("organizations", {"name": "Default"})

    def environment(self) -> dict[str, str]:
        """What the modules of awx.awx read to reach it."""
        return {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}

    def one(self, kind: str, name: str) -> Fields:
        """The object of that name."""
        (found,) = (each for each in self.objects.all(kind) if each.get("name", each.get("identifier")) == name)
        return found

    def belonging(self, one: Fields, name: str) -> t.Any:
        """What is associated with an object, or its survey."""
        return self.answer("GET", f"{one['url']}{name}/", {}, {})[1]

    def answer(self, method: str, path: str, query: Fields, given: Fields) -> Answer:
        """The status and body of an answer."""
        parts = path.removeprefix("/api/v2/").strip("/").split("/")
        kind = parts[0]
        if kind == "project_updates":
            return 200, self.objects.updates[int(parts[1])]
        if kind not in KINDS and kind != "unified_job_templates":
            return 404, {"detail": "Not found."}
        try:
            if len(parts) == 1:
                return self._list(kind, query) if method == "GET" else self._create(kind, given)
            number = int(parts[1])
            if number not in self.objects.made.get(kind, ()):
                return 404, {"detail": "Not found."}
            if len(parts) == 2:
                return self._detail(method, kind, number, given)
            return self._belonging(method, kind, number, parts[2], given)
        except Invalid as refusal:
            return 400, refusal.body

    def _list(self, kind: str, query: Fields) -> Answer:
        found = self.objects.all(kind)
        either = {key.removeprefix("or__"): value for key, value in query.items() if key.startswith("or__")}
        each_of = {key: value for key, value in query.items() if not key.startswith("or__")}
        unknown = sorted({*each_of, *either} - {key for one in found for key in one})
        if found and unknown:
            return 400, {"detail": f"{kind} has no field named '{unknown[0]}'"}
        results = [
            one
            for one in found
            if all(_is(one, key, value) for key, value in each_of.items())
            and (not either or any(_is(one, key, value) for key, value in either.items()))
        ]
        return 200, {"count": len(results), "next": None, "previous": None, "results": results}

    def _create(self, kind: str, given: Fields) -> Answer:
        return 201, self.objects.shown(kind, self.objects.create(kind, given))

    def _detail(self, method: str, kind: str, number: int, given: Fields) -> Answer:
        if method == "PATCH":
            self.objects.change(kind, number, given)
        elif method == "DELETE":
            del self.objects.made[kind][number]
            return 204, None
        return 200, self.objects.shown(kind, number)

    def _belonging(self, method: str, kind: str, number: int, name: str, given: Fields) -> Answer:
        if name == "survey_spec":
            return self._survey(method, kind, number, given)
        if name == "create_approval_template":
            return self._approval(number, given)
        if name == "update" and kind == "projects":
            return 202, self.objects.updates[self.objects.update_project(number)]
        if name == "launch":
            made, ignored = rules.launched(self.objects.template(number), given.get("extra_vars", {}))
            return 201, {"extra_vars": json.dumps(made), "ignored_fields": {"extra_vars": ignored} if ignored else {}}
        if name not in KINDS[kind].lists:
            return 404, {"detail": "Not found."}
        if method == "POST":
            self.objects.associate(kind, number, name, given["id"], bool(given.get("disassociate")))
            return 204, None
        ids = self.objects.associated.get((kind, number, name), [])
        results = [self.objects.shown(KINDS[kind].lists[name], each) for each in ids]
        return 200, {"count": len(results), "next": None, "previous": None, "results": results}

    def _survey(self, method: str, kind: str, number: int, given: Fields) -> Answer:
        if method == "POST":
            rules.survey(given)
            self.objects.surveys[kind, number] = given
            return 200, {}
        if method == "DELETE":
            self.objects.surveys.pop((kind, number), None)
            return 200, {}
        return 200, self.objects.surveys.get((kind, number), {})

    def _approval(self, node: int, given: Fields) -> Answer:
        made = self.objects.create("workflow_approval_templates", given)
        self.objects.made["workflow_job_template_nodes"][node]["unified_job_template"] = made
        return 201, self.objects.shown("workflow_approval_templates", made)


def _is(one: Fields, key: str, value: str) -> bool:
    return str(one.get(key)) == value


@contextlib.contextmanager
def running() -> t.Iterator[Awx]:
    """An AWX on a free port of this machine."""
    awx = Awx()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _handle(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            given = json.loads(self.rfile.read(length) or b"{}")
            awx.calls.append(f"{self.command} {url.path}")
            status, body = 401, t.cast("t.Any", {"detail": "Authentication credentials were not provided."})
            if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                status, body = awx.answer(self.command, url.path, query, given)
            self._send(status, body)

        do_GET = do_POST = do_PATCH = do_DELETE = _handle

        def _send(self, status: int, body: t.Any) -> None:
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    awx.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield awx
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
