# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.selectors import selects

LABELS = {"app": "orders", "team": "a"}


def expression(key: str, operator: str, *values: str) -> t.Any:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, True),
        ({}, True),
        ({"matchLabels": {"app": "orders"}}, True),
        ({"matchLabels": {"app": "orders", "tier": "web"}}, False),
        (expression("team", "In", "a", "b"), True),
        (expression("team", "In", "b"), False),
        (expression("tier", "In", "web"), False),
        (expression("team", "NotIn", "b"), True),
        (expression("team", "NotIn", "a"), False),
        (expression("tier", "NotIn", "web"), True),
        (expression("team", "Exists"), True),
        (expression("tier", "Exists"), False),
        (expression("tier", "DoesNotExist"), True),
        (expression("team", "DoesNotExist"), False),
        ({"matchLabels": {"app": "orders"}, **expression("team", "In", "b")}, False),
    ],
)
def test_a_selector(selector: t.Any, selected: bool) -> None:
    assert selects(selector, LABELS) is selected
