# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``clientRequestToken``: a repeated request gets the first one's result."""

from __future__ import annotations

import typing as t

from .eks_errors import invalid_request

T = t.TypeVar("T")


class Tokens(t.Generic[T]):
    """Results by token, of one operation in one cluster."""

    def __init__(self) -> None:
        self._results: dict[str, tuple[dict[str, t.Any], T]] = {}

    def once(self, parameters: dict[str, t.Any], exists: t.Callable[[T], bool], make: t.Callable[[], T]) -> T:
        """Return the result that the request's token already has, if it ``exists`` still, or make it.

        InvalidRequestException when the token came with other parameters.
        """
        token = parameters.get("clientRequestToken")
        given = {name: value for name, value in parameters.items() if name != "clientRequestToken"}
        if token in self._results:
            before, result = self._results[token]
            if before != given:
                raise invalid_request("A request with this clientRequestToken was made with different parameters")
            if exists(result):
                return result
        result = make()
        if token:
            self._results[token] = (given, result)
        return result
