# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Plan

EMPTY: dict[str, t.Any] = {"arn": None, "boundary": "", "policies": [], "tags": {}}
GIVEN: dict[str, t.Any] = {"name": "orders", "on": False, "count": 0}


def shown(before: dict[str, t.Any], after: dict[str, t.Any]) -> tuple[t.Any, t.Any]:
    diff = Plan(before, after).diff("role", "orders")
    return diff["before"], diff["after"]


def test_of_something_that_is_created_or_deleted_only_what_it_has_is_shown() -> None:
    assert shown({}, {**GIVEN, **EMPTY}) == ({}, GIVEN)
    assert shown({**GIVEN, **EMPTY}, {}) == (GIVEN, {})


def test_of_something_that_is_changed_all_is_shown_for_what_was_emptied_differs() -> None:
    before, after = {"name": "orders", "boundary": "arn"}, {"name": "orders", **EMPTY}
    assert shown(before, after) == (before, after)


def test_a_diff_names_what_it_is_about() -> None:
    diff = Plan({"name": "orders"}, {}).diff("role", "orders")
    assert (diff["name"], diff["before_header"], diff["after_header"]) == ("orders", "role orders", "role orders")
