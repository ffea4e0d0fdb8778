# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version is meant, and which is newer."""

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._addon.versions import Catalogue, Offer, rank, unknown_addon
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from hypothesis import given
from hypothesis import strategies as st

OLDEST_FIRST = [
    "v0.9.10",
    "v1.3.0-rc.1",
    "v1.3.0-rc.2",
    "v1.3.0",
    "v1.3.0-eksbuild.1",
    "v1.3.0-eksbuild.2",
    "v1.3.0-eksbuild.10",
    "v1.3.2-eksbuild.1",
    "v1.3.10-eksbuild.1",
    "v1.10.0-eksbuild.1",
    "v2.0.0-eksbuild.1",
    "v2024.2.1-eksbuild.1",
]


def test_versions_are_sorted_by_their_numbers() -> None:
    assert sorted(sorted(OLDEST_FIRST), key=rank) == OLDEST_FIRST


@given(one=st.lists(st.integers(0, 99), min_size=3, max_size=3), other=st.lists(st.integers(0, 99), min_size=3))
def test_numbers_decide(one: list[int], other: list[int]) -> None:
    texts = ["v" + ".".join(map(str, numbers)) for numbers in (one, other[:3])]
    assert (rank(texts[0]) < rank(texts[1])) == (one < other[:3])


CATALOGUE = Catalogue(
    "agent",
    (
        Offer("v1.2.0-eksbuild.1", {"1.35": False, "1.36": False}),
        Offer("v1.10.0-eksbuild.1", {"1.36": False}),
        Offer("v1.9.0-eksbuild.1", {"1.35": True, "1.36": True}),
    ),
)


@pytest.mark.parametrize(
    ("wanted", "kubernetes", "version"),
    [
        ("default", "1.36", "v1.9.0-eksbuild.1"),
        ("default", "", "v1.9.0-eksbuild.1"),
        ("latest", "1.36", "v1.10.0-eksbuild.1"),
        ("latest", "1.35", "v1.9.0-eksbuild.1"),
        ("latest", "", None),
        ("v1.2.0-eksbuild.1", "", "v1.2.0-eksbuild.1"),
        ("v1.10.0-eksbuild.1", "", None),
        ("v1.10.0-eksbuild.1", "1.36", "v1.10.0-eksbuild.1"),
    ],
)
def test_a_word_becomes_a_version_unless_that_depends_on_kubernetes(
    wanted: str, kubernetes: str, version: str | None
) -> None:
    assert CATALOGUE.choose(wanted, kubernetes) == version


@pytest.mark.parametrize(
    ("wanted", "kubernetes", "words"),
    [
        (
            "v1.10.0-eksbuild.1",
            "1.35",
            "doesn't have for Kubernetes 1.35; it has v1.9.0-eksbuild.1, v1.2.0-eksbuild.1.",
        ),
        ("v1.9", "", "doesn't have; it has v1.10.0-eksbuild.1, v1.9.0-eksbuild.1, v1.2.0-eksbuild.1."),
        ("latest", "1.20", "EKS offers no version of add-on agent for Kubernetes 1.20."),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(wanted: str, kubernetes: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        CATALOGUE.choose(wanted, kubernetes)


def test_an_unknown_addon_is_told_with_the_nearest_names() -> None:
    assert unknown_addon("cordns", ["vpc-cni", "coredns"]).endswith("Near it: coredns, vpc-cni.")
    assert unknown_addon("cordns", []).endswith("no such add-on here.")
