# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._fleet.same_cluster import problem

ONE, OTHER = (f"arn:aws:eks:us-east-1:123456789012:cluster/{name}" for name in ("production", "staging"))


@pytest.mark.parametrize("arns", [{}, {"a": ONE}, {"a": ONE, "b": OTHER}, {"a": "", "b": ""}])
def test_clusters_of_their_own_are_fine(arns: dict[str, str]) -> None:
    assert problem(arns, "a") == ""


def test_hosts_with_one_cluster_are_named_and_the_others_go_on() -> None:
    arns = {"a": ONE, "b": OTHER, "c": ONE, "d": ONE}
    assert problem(arns, "c").startswith(f"a, c and d are one cluster, {ONE}, and nothing was changed")
    assert "eks_cluster_name" in problem(arns, "c")
    assert problem(arns, "b") == ""
