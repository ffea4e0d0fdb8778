# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors. Pure."""

from __future__ import annotations

import typing as t

from .pods import Object

Labels = t.Mapping[str, str]


def selects(selector: Object | None, labels: Labels) -> bool:
    """Whether a label selector, as the API gives it, selects an object with ``labels``; an empty one selects all."""
    selector = selector or {}
    exact = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return exact and all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Object, labels: Labels) -> bool:
    """One of the four operators of a label selector."""
    operator, value = expression["operator"], labels.get(expression["key"])
    if operator in ("Exists", "DoesNotExist"):
        return bool((value is not None) == (operator == "Exists"))
    return bool((value in (expression.get("values") or ())) == (operator == "In"))
