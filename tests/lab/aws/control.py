# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoints: what a test sets and asks beside the AWS API."""

from __future__ import annotations

import hmac
import json
import typing as t

from . import account, eks
from .state import AccessEntry, Lab
from .wire_request import WireRequest

PREFIX = "/_lab/"
HOST = "127.0.0.1"
"""What a caller has to call this machine: a web page that reaches it does so by another name."""

Json = t.Any
Handler = t.Callable[[Lab, Json], Json]


def answer(lab: Lab, request: WireRequest) -> tuple[int, Json]:
    """Return status and JSON answer of a control request."""
    name = request.path[len(PREFIX) :]
    refusal = _refusal(lab, request, name)
    if refusal:
        return refusal
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        known = any(path == name for _unused, path in _HANDLERS)
        return (405 if known else 404), {"error": f"no {request.method} {request.path}"}
    try:
        return 200, handler(lab, json.loads(request.body) if request.body else None)
    except (ValueError, TypeError, KeyError) as error:
        return 400, {"error": f"{error}"}


def _refusal(lab: Lab, request: WireRequest, name: str) -> tuple[int, Json] | None:
    """Return the answer to whoever may not ask, None for whoever may; ``ready`` is for everybody on this machine."""
    if request.headers.get("host", "").partition(":")[0] != HOST:
        return 403, {"error": f"the control endpoint's host is {HOST}"}
    given = request.headers.get("authorization", "")
    if name != "ready" and not hmac.compare_digest(given.encode(), f"Bearer {lab.control_token}".encode()):
        return 401, {"error": "the control endpoint needs the token in control.token of the lab's secrets"}
    return None


def _set_weather(lab: Lab, body: Json) -> Json:
    lab.weather.update(body)
    return lab.weather.show()


def _set_faults(lab: Lab, body: Json) -> Json:
    lab.faults.replace(body)
    return lab.faults.show()


def _set_throttles(lab: Lab, body: Json) -> Json:
    lab.throttles.replace(body)
    return lab.throttles.show()


def _clear_calls(lab: Lab, body: Json) -> Json:
    lab.calls.clear()
    return lab.calls.show()


def _reset(lab: Lab, body: Json) -> Json:
    account.reset(lab)
    return {"reset": True}


def _entries(lab: Lab, body: Json = None) -> Json:
    return [entry.show() for entry in (*lab.creators.values(), *lab.access_entries)]


def _set_entries(lab: Lab, body: Json) -> Json:
    """Replace all entries but those of the clusters' creators, which come first."""
    lab.access_entries = [AccessEntry.from_dict(entry) for entry in body]
    return _entries(lab)


def _open_account(lab: Lab, body: Json) -> Json:
    return {"role_arn": account.open_account(lab, body["account_id"], body.get("external_id", ""))}


def _set_cluster(lab: Lab, body: Json) -> Json:
    eks.change_cluster(**body)
    return body


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "ready"): lambda lab, body: {"ready": True},
    ("GET", "weather"): lambda lab, body: lab.weather.show(),
    ("PUT", "weather"): _set_weather,
    ("GET", "faults"): lambda lab, body: lab.faults.show(),
    ("PUT", "faults"): _set_faults,
    ("GET", "throttles"): lambda lab, body: lab.throttles.show(),
    ("PUT", "throttles"): _set_throttles,
    ("GET", "calls"): lambda lab, body: lab.calls.show(),
    ("DELETE", "calls"): _clear_calls,
    ("POST", "reset"): _reset,
    ("GET", "access_entries"): _entries,
    ("PUT", "access_entries"): _set_entries,
    ("POST", "accounts"): _open_account,
    ("PUT", "cluster"): _set_cluster,
}
