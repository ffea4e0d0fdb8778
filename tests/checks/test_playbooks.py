# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All playbooks for clusters have one frame: block, rescue and always. Only their steps differ."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

WITHOUT_CLUSTERS = ("awx_setup",)
WITHOUT_SURVEY = ("declare",)
"""Playbooks that write files for a person beside the inventory, where a job of AWX would lose them."""
CHECK = "ansible.builtin.validate_argument_spec"
ROLE = "ansible.builtin.import_role"
ASSERT = "ansible.builtin.assert"
REPORT = "enbuild.eks.pod_identity_report"
CHANGING = ("site", "rotate", "declare")
"""Playbooks that end with what their steps changed."""
PLAYBOOKS = sorted(path for path in CHECKOUT.glob("playbooks/*.yml") if path.stem not in WITHOUT_CLUSTERS)

every_playbook = pytest.mark.parametrize("path", PLAYBOOKS, ids=[path.stem for path in PLAYBOOKS])


def _play(path: Path) -> dict[str, t.Any]:
    """The play that works; the one before it checks the version."""
    _version, play = yaml.safe_load(path.read_text())
    return dict(play)


def _frame(play: dict[str, t.Any]) -> dict[str, t.Any]:
    """The play without what may differ: its name and survey, its steps, and whether it reports changes."""
    frame = copy.deepcopy(play)
    frame["name"] = frame["vars"]["pod_identity_survey"] = ""
    (cluster,) = frame["tasks"]
    cluster["block"] = []
    cluster["always"][0][REPORT].pop("changes", None)
    return frame


@every_playbook
def test_the_frame_is_the_same_everywhere(path: Path) -> None:
    assert _frame(_play(path)) == _frame(_play(PLAYBOOKS[0]))


@every_playbook
def test_the_version_is_checked_first_by_what_an_old_one_has(path: Path) -> None:
    play, others = (yaml.safe_load(each.read_text())[0] for each in (path, PLAYBOOKS[0]))
    assert play == others
    (task,) = play["tasks"]
    assert (task["run_once"], task["tags"]) == (True, ["always"])
    needed = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert needed.removeprefix(">=").removesuffix(".0") in task[ASSERT]["that"]
    assert "enbuild.eks." not in json.dumps([play["hosts"], task[ASSERT]["that"]])


@pytest.mark.parametrize("name", WITHOUT_CLUSTERS)
def test_playbooks_without_clusters_check_the_version_first_in_the_same_words(name: str) -> None:
    first = yaml.safe_load((CHECKOUT / "playbooks" / f"{name}.yml").read_text())[0]["tasks"][0]
    version = yaml.safe_load(PLAYBOOKS[0].read_text())[0]["tasks"][0]
    assert (first[ASSERT], first["tags"]) == (version[ASSERT], ["always"])


@every_playbook
def test_the_frame_records_stops_reports_once_and_fails_at_the_end(path: Path) -> None:
    (cluster,) = _play(path)["tasks"]
    (stop,) = cluster["rescue"]
    run, end = cluster["always"]
    assert [task[REPORT]["about"] for task in (stop, run, end)] == ["stop", "run", "end"]
    assert stop["register"] == "pod_identity_reported"
    assert run["run_once"] is True
    assert all(task["tags"] == ["always"] for task in (stop, run, end))
    assert run[REPORT].get("changes", False) is (path.stem in CHANGING)


@every_playbook
def test_what_was_asked_for_is_checked_before_all_else(path: Path) -> None:
    (cluster,) = _play(path)["tasks"]
    first = cluster["block"][0]
    assert (first[REPORT], first["tags"]) == ({"about": "start"}, ["always"])


@every_playbook
def test_a_playbook_names_its_survey(path: Path) -> None:
    assert _play(path)["vars"]["pod_identity_survey"] == ("" if path.stem in WITHOUT_SURVEY else path.stem)


@every_playbook
def test_steps_are_roles_with_a_tag(path: Path) -> None:
    (cluster,) = _play(path)["tasks"]
    for step in cluster["block"]:
        assert step["tags"], step
        assert step.keys() & {REPORT, CHECK} or step[ROLE]["name"].startswith("enbuild.eks."), step


@every_playbook
def test_what_a_role_does_not_check_itself_is_checked_before_all_steps(path: Path) -> None:
    (cluster,) = _play(path)["tasks"]
    roles = [step[ROLE] for step in cluster["block"] if ROLE in step]
    unchecked = [role["name"].removeprefix("enbuild.eks.") for role in roles if role.get("rolespec_validate") is False]
    first = cluster["block"][1]
    assert unchecked == (first["vars"]["site_roles"] if CHECK in first else [])


def test_each_report_on_a_cluster_is_registered_where_the_end_of_the_run_reads_it() -> None:
    files = [path for path in CHECKOUT.glob("roles/*/tasks/*.yml") if REPORT in path.read_text()]
    tasks = [task for path in files for task in yaml.safe_load(path.read_text()) if REPORT in task]
    read = [task for task in tasks if task[REPORT]["about"] in ("verdict", "drift", "stop")]
    assert {task[REPORT]["about"] for task in read} >= {"verdict", "drift"}
    assert all(task["register"] == "pod_identity_reported" for task in read)
