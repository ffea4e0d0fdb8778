# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Plan

EMPTY: dict[str, t.Any] = {"arn": None, "boundary": "", "policies": [], "tags": {}}


def test_of_something_that_is_created_only_what_is_given_is_shown() -> None:
    assert Plan({}, {"name": "orders", "on": False, "count": 0, **EMPTY}).shown == {
        "name": "orders",
        "on": False,
        "count": 0,
    }


def test_of_something_that_is_changed_all_is_shown_for_what_was_emptied_differs() -> None:
    after = {"name": "orders", **EMPTY}
    assert Plan({"name": "orders", "boundary": "arn"}, after).shown == after
    assert Plan({"name": "orders"}, {}).shown == {}
