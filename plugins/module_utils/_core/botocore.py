# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the installed botocore knows what a user asks for."""

from __future__ import annotations

import typing as t

try:
    from botocore import __version__ as BOTOCORE_VERSION
except ImportError:  # AnsibleAWSModule names the missing library.
    BOTOCORE_VERSION = "none"

from .plan import Refused


def require(client: t.Any, operation: str, options: t.Iterable[str], floors: t.Mapping[str, tuple[str, str]]) -> None:
    """Refuse each of ``options`` whose parameter ``operation`` (``CreateAddon``) lacks in this botocore.

    ``floors`` gives the parameter of an option and the first botocore that has it.
    """
    known = client.meta.service_model.operation_model(operation).input_shape.members
    for option in options:
        member, floor = floors[option]
        if member not in known:
            raise Refused(f"{option} needs botocore {floor}, found {BOTOCORE_VERSION}.")
