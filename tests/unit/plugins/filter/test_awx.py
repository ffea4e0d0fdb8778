# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.filter.workloads import clusters, collection_version, given


@pytest.mark.parametrize(("value", "comes_to"), [(None, 3), ("", 3), (0, 0), (False, False), ("x", "x"), ([], [])])
def test_only_null_and_empty_text_are_nothing(value: object, comes_to: object) -> None:
    assert given(value, 3) == comes_to


def test_a_missing_collection_is_what_one_says() -> None:
    assert collection_version("nobody.nothing", "none") == "none"


@pytest.mark.parametrize(("hosts", "pattern"), [(["a", "b"], "all"), ([], "localhost")])
def test_a_play_without_an_inventory_is_for_the_cluster_that_variables_name(hosts: list[str], pattern: str) -> None:
    assert clusters({"all": hosts, "ungrouped": []}) == pattern
