# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AWX project and its objects: what AWX offers of it, and surveys that agree with the roles."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx.surveys import problems
from ansible_collections.enbuild.eks.tests.awx import data, rules
from ansible_collections.enbuild.eks.tests.awx.playbooks import offered
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files
from ansible_collections.enbuild.eks.tests.tools.role_readmes import roles, specs

PLAYBOOKS = sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("playbooks/*.yml"))
THIN = CHECKOUT / "examples" / "awx_project"
SURVEYS = sorted(CHECKOUT.glob("awx/surveys/*.json"))


@pytest.fixture(scope="module")
def options() -> dict[str, t.Any]:
    """The options of all roles by their variables, which mean the same wherever they are."""
    return {
        name: option
        for role in roles()
        for spec in specs(role).values()
        for name, option in (spec.get("options") or {}).items()
    }


def test_awx_offers_the_playbooks_for_people_and_nothing_else() -> None:
    """A line that begins with hosts: makes a playbook to AWX, in an inventory too; "hosts": in quotes doesn't."""
    assert offered(CHECKOUT, files()) == PLAYBOOKS


def test_the_thin_project_offers_what_it_imports() -> None:
    there = [path.relative_to(THIN) for path in THIN.rglob("*") if path.is_file()]
    imported = {path.name: yaml.safe_load(path.read_text())[0]["import_playbook"] for path in THIN.glob("*.yml")}
    assert offered(THIN.resolve(), there) == sorted(imported)
    assert imported == {Path(item["playbook"]).name: f"enbuild.eks.{Path(item['playbook']).stem}" for item in TEMPLATES}


TEMPLATES = data.read("templates")


def test_each_template_runs_a_playbook_that_is_there() -> None:
    assert sorted(item["playbook"] for item in TEMPLATES) == [
        path for path in PLAYBOOKS if Path(path).stem not in ("awx_setup", "declare")
    ]


def test_each_survey_belongs_to_a_template() -> None:
    assert [path.stem for path in SURVEYS] == sorted(Path(item["playbook"]).stem for item in TEMPLATES)


@pytest.mark.parametrize("survey", SURVEYS, ids=[path.stem for path in SURVEYS])
def test_survey(survey: Path, options: dict[str, t.Any]) -> None:
    spec = json.loads(survey.read_text())
    assert problems(spec, options) == []
    rules.survey(spec)


@pytest.mark.parametrize(
    "kind", ["projects", "inventories", "inventory_sources", "notifications", "templates", "workflows", "schedules"]
)
def test_the_role_hands_on_all_that_the_data_says(kind: str) -> None:
    tasks = "".join(path.read_text() for path in CHECKOUT.glob("roles/awx_setup/tasks/*.yml"))
    read = set(re.findall(r"\bitem\.(?:0\.)?(\w+)", tasks)) | {"workflow_nodes"}
    assert {key for item in data.read(kind) for key in item} <= read


def test_the_project_is_a_release() -> None:
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    assert [item["scm_branch"] for item in data.read("projects")] == [version]


def test_the_notification_names_what_was_found() -> None:
    (template,) = data.read("notifications")
    artifacts = {
        "pod_identity_report": {"production": {"named": ["error role_missing shop/orders"]}},
        "pod_identity_drift": {"production": {"drift": True, "items": [{"class": "missing", "name": "shop/orders"}]}},
        "pod_identity_stopped": {"staging": {"task": "Read the cluster", "message": 'may not "describe" it'}},
    }
    for event in ("success", "error"):
        job = {"name": "drift", "status": "failed", "artifacts": artifacts}
        said = json.loads(rules.rendered(template["messages"][event]["body"], job))
        assert said == {
            "text": "Job drift is failed, https://awx.example.com/#/jobs/1",
            "stopped": artifacts["pod_identity_stopped"],
            "findings": artifacts["pod_identity_report"],
            "drift": artifacts["pod_identity_drift"],
        }
        # A workflow has no artifacts.
        assert json.loads(rules.rendered(template["messages"][event]["body"], {"name": "w", "status": "failed"}))
