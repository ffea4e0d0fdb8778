# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types

from ansible_collections.enbuild.eks.plugins.plugin_utils._report import tags

THERE = ("always", "pod_identity_iam", "pod_identity_verify")


def test_tags_of_blocks_are_those_of_all_that_is_in_them() -> None:
    task = types.SimpleNamespace(tags=["a"])
    block = types.SimpleNamespace(tags=["b"], block=[task], rescue=[types.SimpleNamespace(tags=["c"])], always=[])
    assert tags.of([block, types.SimpleNamespace(tags=["d"])]) == {"a", "b", "c", "d"}


def test_tags_that_exist_and_those_of_ansible_itself_are_fine() -> None:
    assert tags.unknown(["all", "tagged", "always", "pod_identity_iam"], THERE) == []
    assert tags.problem([], THERE) == ""


def test_a_typo_names_what_was_meant_and_what_there_is() -> None:
    assert tags.unknown(["pod_identity_iam", "pod_identity_imm"], THERE) == ["pod_identity_imm"]
    said = tags.problem(["pod_identity_imm"], THERE)
    assert said == (
        "No task has the tag pod_identity_imm, so nothing was done. Did you mean pod_identity_iam?"
        " The tags are pod_identity_iam, pod_identity_verify; a run without tags takes all steps."
    )
    assert "Did you mean" not in tags.problem(["weather"], THERE)


def test_tags_of_other_playbooks_alone_leave_this_one_nothing_to_do() -> None:
    assert tags.elsewhere(["mine", "imm"], THERE, {"mine", *THERE}) == ["mine"]
    assert tags.elsewhere(["mine", "pod_identity_iam"], THERE, {"mine", *THERE}) == []
    assert tags.elsewhere(["mine", "all"], THERE, {"mine", *THERE}) == []
    assert tags.none_here(["mine"], THERE)
    assert not any(tags.none_here(["mine", here], THERE) for here in ("all", "pod_identity_iam"))
    assert tags.elsewhere_problem([], THERE) == ""
    assert tags.elsewhere_problem(["mine"], THERE) == (
        "Only other playbooks have the tag mine, so no task of this one would run. Name a tag of its own as well"
        " (pod_identity_iam, pod_identity_verify), or leave it out."
    )
