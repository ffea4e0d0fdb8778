# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operation of which service a request asks for, from botocore's own service models."""

from __future__ import annotations

import io
import typing as t
from dataclasses import dataclass, field

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from .signature import Signature
from .wire_request import WireRequest

_SERVICES = {"bedrock": ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime")}
"""The services that share a signing name; the others are called as they sign."""


@dataclass(frozen=True)
class Call:
    """One AWS call. ``operation`` is None when the service has none like it."""

    service: str
    region: str
    model: ServiceModel | None = None
    operation: OperationModel | None = None
    parameters: dict[str, t.Any] = field(default_factory=dict)
    content_type: str = ""

    @property
    def name(self) -> str:
        """The operation's name, as in botocore."""
        return str(self.operation.name) if self.operation else "Unknown"

    @property
    def protocol(self) -> str:
        """The wire protocol that request and answer use."""
        return determine_request_protocol(self.model, self.content_type) if self.model else "json"


def identify(environ: dict[str, t.Any], request: WireRequest, signature: Signature | None) -> Call:
    """Return the call that ``request`` makes; unsigned ones are S3's or STS's, as on AWS."""
    service, region = (signature.service, signature.region) if signature else (_unsigned(request), "us-east-1")
    wrapped = Request({**environ, "wsgi.input": io.BytesIO(request.body)}, populate_request=False)
    for candidate in _SERVICES.get(service, (service,)):
        call = _match(candidate, region, wrapped)
        if call.operation:
            return call
    return _match(service, region, wrapped)


def _unsigned(request: WireRequest) -> str:
    return "sts" if b"Action=AssumeRole" in request.body or "Action" in request.arguments else "s3"


def _match(service: str, region: str, request: Request) -> Call:
    try:
        model = get_service_model(service)
    except UnknownServiceError:
        return Call(service, region)
    content_type = request.content_type or ""
    try:
        operation, labels = get_service_router(service).match(request)
    except NotFound:
        return Call(service, region, model, content_type=content_type)
    return Call(service, region, model, operation, _parameters(operation, labels, request), content_type)


def _parameters(operation: OperationModel, labels: dict[str, t.Any], request: Request) -> dict[str, t.Any]:
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    body = request.data
    raw = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": body,
        "url_path": request.path,
        "url_params": labels,
    }
    try:
        return dict(PROTOCOL_PARSERS[protocol](operation).parse(t.cast(t.Any, raw)) or {})
    except (ValueError, KeyError, TypeError, AttributeError):  # a body that isn't what the model says
        return dict(labels)
