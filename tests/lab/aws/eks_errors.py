# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the EKS and EKS Auth APIs."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class EksError(ServiceException):
    """An error that the service model knows by ``code``; ``members`` are the model's, such as clusterName."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(code, message)
        self.__dict__.update(members)


def invalid_parameter(message: str, **members: str) -> EksError:
    """A parameter can't be used (400)."""
    return EksError("InvalidParameterException", message, **members)


def invalid_request(message: str, **members: str) -> EksError:
    """The request makes no sense in this state (400)."""
    return EksError("InvalidRequestException", message, **members)


def not_found(message: str, **members: str) -> EksError:
    """There is no such resource (404)."""
    return EksError("ResourceNotFoundException", message, **members)


def in_use(message: str, **members: str) -> EksError:
    """The resource is there already, or busy (409)."""
    return EksError("ResourceInUseException", message, **members)
