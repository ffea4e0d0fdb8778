# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters from pure functions."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleFilterError

from ...module_utils._core.plan import Refused

P = t.ParamSpec("P")
R = t.TypeVar("R")


def as_filter(function: t.Callable[P, R]) -> t.Callable[P, R]:
    """Return ``function`` with its refusals, and arguments that it doesn't take, as Ansible's own errors."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (Refused, TypeError) as error:
            raise AnsibleFilterError(str(error)) from error

    return call
