# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every subset of a playbook's steps, by --tags and by --skip-tags, has the tasks that its steps need."""

from __future__ import annotations

import functools
import itertools
import re
import typing as t

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar, trust_as_template
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, run

STEPS = (
    "enbuild_release",
    "pod_identity_agent",
    "pod_identity_iam",
    "pod_identity_associations",
    "pod_identity_rollout",
    "pod_identity_verify",
)
NEED_WORKLOADS = {"pod_identity_iam", "pod_identity_associations", "pod_identity_rollout"}
SAY_OF_PODS = {"pod_identity_associations", "pod_identity_rollout"}
LISTED = re.compile(r"^ +(?P<name>\S.*?)\tTAGS: \[(?P<tags>.*)\]$", re.MULTILINE)
FIND = "enbuild.eks.pod_identity_workloads : Find the service accounts of the declared workloads"
LOOK = "enbuild.eks.pod_identity_drift : Look at the pods, and at the associations that nothing uses"
SUBSETS = [set(some) for size in range(1, len(STEPS) + 1) for some in itertools.combinations(STEPS, size)]


@functools.cache
def _tasks(playbook: str) -> list[tuple[str, list[str]]]:
    """The names and tags of all tasks, as Ansible lists them."""
    code, listed = run("ansible-playbook", f"enbuild.eks.{playbook}", "--list-tasks", "-i", "localhost,")
    assert code == 0, listed
    return [(found["name"], found["tags"].split(", ")) for found in LISTED.finditer(listed)]


class _Tagged(Task):
    """A task in no play, with all its tags."""

    def _get_all_taggable_objects(self) -> tuple[()]:
        return ()


def _runs(name: str, playbook: str, only: t.Collection[str], skipped: t.Collection[str]) -> bool:
    """Whether Ansible runs a task of that name, its condition left aside."""
    for tags in (tags for task, tags in _tasks(playbook) if task == name):
        task = _Tagged()
        task.tags = tags
        if task.evaluate_tags(set(only), set(skipped), {}):
            return True
    return False


def _holds(variable: str, role: str, only: t.Collection[str], skipped: t.Collection[str], idle: bool = False) -> bool:
    """What a variable of a role is for the run's tags; of an ``idle`` play, these are the tags of another."""
    text = yaml.safe_load((CHECKOUT / "roles" / role / "vars" / "main.yml").read_text())[variable]
    tags = {"ansible_run_tags": [*only], "ansible_skip_tags": [*skipped], "ansible_facts": {"pod_identity_idle": idle}}
    return bool(Templar(DataLoader(), variables=tags).template(trust_as_template(text)))


def _ways(steps: set[str]) -> list[tuple[list[str], list[str]]]:
    """The two ways to run just these steps: the tags to run, and those to skip."""
    return [(sorted(steps), []), (["all"], sorted(set(STEPS) - steps))]


ASKED = {
    "the workloads of site": ("site", FIND, "pod_identity_workloads_wanted", "pod_identity_workloads", NEED_WORKLOADS),
    "the workloads of drift": ("drift", FIND, "pod_identity_drift_workloads", "pod_identity_drift", NEED_WORKLOADS),
    "the pods of drift": ("drift", LOOK, "pod_identity_drift_pods", "pod_identity_drift", SAY_OF_PODS),
}
"""A task, the variable that is its condition, with the role that has it, and the steps that need it."""


@pytest.mark.parametrize(("playbook", "task", "variable", "role", "needing"), ASKED.values(), ids=ASKED)
def test_a_task_runs_where_a_step_needs_it_and_nowhere_else(
    playbook: str, task: str, variable: str, role: str, needing: set[str]
) -> None:
    of_site_alone = {"pod_identity_verify"} if playbook == "drift" else set()
    for steps in (steps for steps in SUBSETS if not steps & of_site_alone):
        for only, skipped in _ways(steps):
            runs = _runs(task, playbook, only, skipped) and _holds(variable, role, only, skipped)
            assert runs is bool(steps & needing), (only, skipped)


@pytest.mark.parametrize("playbook", ["site", "drift"])
def test_each_step_can_be_named(playbook: str) -> None:
    there = {tag for _name, tags in _tasks(playbook) for tag in tags}
    assert {*STEPS} - there == ({"pod_identity_verify"} if playbook == "drift" else set())


@pytest.mark.parametrize("own", [["mine"], ["tagged"], ["all"], ["mine", "pod_identity_agent"]])
def test_tags_of_a_playbook_around_ours_take_all_steps(own: list[str]) -> None:
    assert all(_holds(variable, role, own, []) for _playbook, _task, variable, role, _needing in ASKED.values())


def test_tags_of_another_play_beside_ours_take_none() -> None:
    variables = [(variable, role) for _playbook, _task, variable, role, _needing in ASKED.values()]
    assert not any(_holds(variable, role, ["mine"], [], idle=True) for variable, role in variables)
