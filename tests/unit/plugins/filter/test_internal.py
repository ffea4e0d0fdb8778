# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.filter.internal import clusters, given
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused


@pytest.mark.parametrize(("value", "comes_to"), [(None, 3), ("", 3), (0, 0), (False, False), ("x", "x"), ([], [])])
def test_only_null_and_empty_text_are_nothing(value: object, comes_to: object) -> None:
    assert given(value, 3) == comes_to


@pytest.mark.parametrize(("hosts", "pattern"), [(["a", "b"], "all"), ([], "localhost")])
def test_a_play_without_an_inventory_is_for_the_cluster_that_variables_name(hosts: list[str], pattern: str) -> None:
    assert clusters({"all": hosts, "ungrouped": []}) == pattern


@pytest.mark.parametrize("limit", ["", None, "localhost", "all", "127.0.0.1,prod"])
def test_a_limit_that_leaves_the_local_host_is_none(limit: object) -> None:
    assert clusters({"all": []}, limit) == "localhost"


def test_a_limit_of_an_inventory_without_hosts_is_refused() -> None:
    with pytest.raises(Refused, match="The inventory has no hosts, and the limit 'prod' leaves nothing to work on"):
        clusters({"all": [], "ungrouped": []}, "prod")
    assert clusters({"all": ["qa"]}, "prod") == "all"  # Ansible refuses that itself
