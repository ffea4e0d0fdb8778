# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One AWS call from request to answer: identified, counted, authenticated, authorized, executed by moto."""

from __future__ import annotations

import functools
import sys
import threading
import time
import traceback
import typing as t
from dataclasses import dataclass, field

from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from . import eks, iam_limits, web_identity
from .authentication import authenticate, read_signature
from .authorization import authorize
from .calls import Entry
from .eks_auth import EksAuthResponse
from .operations import Call, identify
from .requirements import Requirement
from .signature import Signature
from .state import Lab
from .sts import check_tags
from .wire_error import Answer, CallRefused, bad_signature, render
from .wire_request import WireRequest

Environ = dict[str, t.Any]


_ONE_IMPORT = threading.Lock()


class LostReply(ConnectionError):
    """The call was executed and its answer is not sent."""


@dataclass
class _Progress:
    """What is known of a call so far, for the log."""

    call: Call
    key_id: str
    needs: list[Requirement] = field(default_factory=list)
    lost: bool = False


class _Services(DomainDispatcherApplication):
    """moto's services, each found once: moto reads its own folders for every request."""

    def __init__(self, create_app: t.Any) -> None:
        super().__init__(create_app)
        self._by_host: dict[str | None, t.Any] = {}

    def get_backend_for_host(self, host: str | None) -> t.Any:
        if host not in self._by_host:
            self._by_host[host] = super().get_backend_for_host(host)
        return self._by_host[host]


class AwsEndpoint:
    """Every service, at one address."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._moto = _Services(create_backend_app)

    def answer(self, environ: Environ, request: WireRequest) -> Answer:
        """Execute one request; LostReply when a fault orders that its answer is lost."""
        signature, complaint = read_signature(request)
        call = identify(environ, request, signature)
        progress = _Progress(call, signature.key_id if signature else "")
        try:
            if complaint:
                raise bad_signature(call, complaint)
            result = self._execute(environ, request, signature, progress)
        except CallRefused as refusal:
            result = render(call, refusal.code, refusal.status, refusal.message)
        self._log(progress, 0 if progress.lost else result[0])
        if progress.lost:
            raise LostReply(call.name)
        return result

    def _execute(
        self, environ: Environ, request: WireRequest, signature: Signature | None, progress: _Progress
    ) -> Answer:
        call = progress.call
        throttle = self._lab.throttles.refusal(call.service, call.name)
        if throttle:
            raise CallRefused(throttle.code, throttle.status, "Rate exceeded")
        fault = self._lab.faults.for_call(call.service, call.name)
        if fault and fault.when == "before":
            raise CallRefused(fault.code, fault.status, fault.message)
        for arn in self._lab.faults.deleted_by(call.service, call.name):
            eks.delete_cluster(arn)
        if web_identity.asked(call):
            web_identity.check(self._lab, call)
            result = self._dispatch(environ, call, "")
        else:
            principal = authenticate(call, request, signature)
            progress.needs = authorize(call, principal)
            iam_limits.check(call, principal)
            check_tags(call, principal)
            result = self._dispatch(environ, call, t.cast(Signature, signature).authorization)
        progress.lost = fault is not None
        return result

    def _dispatch(self, environ: Environ, call: Call, authorization: str) -> Answer:
        signed = {**environ, **({"HTTP_AUTHORIZATION": authorization} if authorization else {})}
        try:
            if call.service == "cloudformation":
                with _ONE_IMPORT:
                    _serve_stacks()
            if call.service == "eks-auth":
                return _direct(signed)
            chunks, status, headers = run_wsgi_app(self._moto, signed, buffered=True)
            return int(status.split()[0]), dict(headers), b"".join(chunks)
        except NotImplementedError:
            message = f"The lab doesn't emulate {call.name} of {call.service}"
            return render(call, "UnknownOperationException", 501, message)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return render(call, "InternalFailure", 500, f"The lab failed at {call.name} of {call.service}, see its log")

    def _log(self, progress: _Progress, status: int) -> None:
        call = progress.call
        self._lab.calls.add(
            Entry(
                call.service,
                call.name,
                status,
                time.time(),
                progress.key_id,
                tuple(progress.needs),
            )
        )


@functools.cache
def _serve_stacks() -> None:
    """Make ready for CloudFormation. It imports most of moto, in seconds: not before somebody asks for a stack."""
    from . import cloudformation

    cloudformation.install()


def _direct(environ: Environ) -> Answer:
    """Answer for the one service that moto doesn't know."""
    status, headers, body = EksAuthResponse.dispatch(Request(environ, populate_request=False))
    return status, {name: str(value) for name, value in headers.items()}, body.encode()
