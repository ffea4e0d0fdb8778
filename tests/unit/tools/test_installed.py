# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a run of the installed collection is judged."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.tools import installed

UNCHANGED = "lab                        : ok=24   changed=0    unreachable=0    failed=0\n"


class Runs:
    """Takes an environment's place: keeps what is run, and prints ``printed``."""

    def __init__(self, printed: str = UNCHANGED) -> None:
        self.printed = printed
        self.made: list[tuple[str, ...]] = []

    def run_playbook(self, _lab: t.Any, *words: str) -> str:
        self.made.append(words)
        return self.printed


def tried(runs: t.Any, lab: t.Any = None) -> None:
    installed.try_playbooks(runs, lab, "-e", "x=1")


def test_a_cluster_is_made_compared_and_taken_away() -> None:
    runs = Runs()
    tried(runs)
    assert [words[0] for words in runs.made] == ["site", "site", "site", "verify", "diagnose", "drift", "teardown"]
    assert "--check" in runs.made[0]
    assert {words[-2:] for words in runs.made} == {("-e", "x=1")}


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (UNCHANGED.replace("changed=0", "changed=1"), r"site\.yml after site\.yml changed something$"),
        (f"EXEC '/x/AnsiballZ_eks_addon.py'\n{UNCHANGED}", r"site\.yml packed eks_addon, which should have run in a"),
        ("", r"site\.yml after site\.yml changed something$"),
    ],
)
def test_a_second_run_that_changes_or_packs_something_fails(printed: str, words: str) -> None:
    with pytest.raises(installed.Failed, match=words):
        tried(Runs(printed))
