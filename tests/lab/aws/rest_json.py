# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the services that speak REST with JSON, such as EKS: moto writes members that their models don't have."""

from __future__ import annotations

import json
import typing as t

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from .eks_errors import EksError


def error_body(code: str, members: dict[str, t.Any]) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an error."""
    return {"content-type": "application/json", "x-amzn-errortype": code}, json.dumps(members).encode()


class RestJsonErrors(BaseResponse):
    """Mixed into a response class, this sends EksErrors as their service does."""

    def serialized(self, action_result: ActionResult) -> t.Any:
        """Return status, headers and body of a result, or of an error."""
        error = action_result.result
        if not isinstance(error, EksError):
            return super().serialized(action_result)
        shape = get_service_model(str(self.service_name)).shape_for(error.code)
        members = {name: getattr(error, name) for name in shape.members if isinstance(getattr(error, name, None), str)}
        headers, body = error_body(error.code, members)
        return shape.metadata["error"]["httpStatusCode"], headers, body.decode()
