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
from ansible_collections.enbuild.eks.plugins.filter import internal
from ansible_collections.enbuild.eks.plugins.module_utils._core import aws
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx import answers
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx.surveys import problems, questions
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import stops, tags
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


def _old_core() -> str:
    play = yaml.safe_load((CHECKOUT / "playbooks" / "site.yml").read_text())[0]
    (check,) = play["tasks"]
    said = str(check["ansible.builtin.assert"]["fail_msg"])
    return said.replace("{{ ansible_version.full }}", "2.15.13")


def _unreachable_limit() -> str:
    with pytest.raises(Refused) as refused:
        internal.clusters({"all": []}, "production")
    return str(refused.value)


def _answered(variable: str, value: str) -> str:
    (said,) = answers.problems(questions("site"), {variable: value}, in_job=True)
    return said


def _twins() -> str:
    variables = yaml.safe_load((CHECKOUT / "roles" / "eks_cluster" / "vars" / "main.yml").read_text())
    (said,) = (text for text in variables.values() if "are one cluster" in str(text))
    sentence = re.sub(r"\{\{ eks_cluster_twins .*?\}\}", "production and staging", said)
    return re.sub(r"\{\{ .*?arn \}\}", ARN, sentence)


STEPS = {"enbuild_release", "pod_identity_agent", "pod_identity_iam"}
ARN = "arn:aws:eks:us-east-1:123456789012:cluster/production"
SAID: dict[str, t.Callable[[], str]] = {
    "an image with an old ansible-core": _old_core,
    "a misspelt job tag": lambda: tags.problem(["pod_identity_imm"], STEPS),
    "a limit, and an inventory without hosts": _unreachable_limit,
    "an answer that isn't one": lambda: _answered("eks_region", "virginia"),
    "YAML with a mistake": lambda: _answered("enbuild_release_values", "db:\n  ab: c: d"),
    "no region": lambda: f". {answers.with_questions(stops.NAME_REGION, questions('site'))}",
    "no AWS credential": lambda: aws.ADVICE_BY_KIND["NoCredentialsError"],
    "a cluster in the survey, and hosts in the inventory": _twins,
}
"""What makes each message that the page quotes."""
ROW = re.compile(r"^\| (?P<wrong>[^|]+) \| `(?P<said>[^`]+)`.* \|$", re.MULTILINE)


def test_the_page_quotes_what_a_red_job_says() -> None:
    section = (CHECKOUT / "docs" / "awx.md").read_text().partition("## What a red job says")[2].partition("\n## ")[0]
    quoted = {found["wrong"]: found["said"] for found in ROW.finditer(section)}
    assert quoted.keys() == SAID.keys()
    for wrong, said in quoted.items():
        pattern = ".*".join(map(re.escape, said.split("…")))
        assert re.fullmatch(pattern, SAID[wrong](), re.DOTALL), (said, SAID[wrong]())
