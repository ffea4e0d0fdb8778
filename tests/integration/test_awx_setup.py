# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""awx_setup.yml, with the modules of awx.awx, against an emulated AWX: predicted, made, made again, compared."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.awx import data
from ansible_collections.enbuild.eks.tests.awx.objects import REPOSITORY
from ansible_collections.enbuild.eks.tests.awx.server import Awx, running
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, copy_as_collection, environment
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

WRITES = ("POST", "PATCH", "DELETE", "PUT")
GIVEN = {
    "awx_setup_aws_credential": "AWS",
    "awx_setup_aws_access_key": "AKIAIOSFODNN7EXAMPLE",
    "awx_setup_aws_secret_key": "wJalrXUtnFEMI-the-secret",
    "awx_setup_execution_environment": "enbuild.eks",
    "awx_setup_execution_environment_image": "registry.example.com/enbuild-eks:1",
    "awx_setup_inventory_environment": "{AWS_REGION: eu-west-1}",
    "awx_setup_notification_url": "https://hooks.example.com/ours",
}
Setup = t.Callable[..., PlaybookRun]

with_awx_awx = pytest.mark.skipif(
    importlib.util.find_spec("ansible_collections.awx") is None,
    reason="the package ansible of this Python has no awx.awx (from version 14 on)",
)


@pytest.fixture(scope="module")
def awx() -> t.Iterator[Awx]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def setup(awx: Awx) -> Setup:
    def run(*arguments: str, **variables: t.Any) -> PlaybookRun:
        awx.calls.clear()
        given = json.dumps({**GIVEN, **variables})
        return run_playbook(
            ["enbuild.eks.awx_setup", "-e", given, *arguments],
            environment(**awx.environment()),
        )

    return run


@pytest.fixture
def filled(awx: Awx, setup: Setup) -> None:
    """The objects, made."""
    if not awx.objects.all("schedules"):
        assert setup().returncode == 0


def writes(awx: Awx) -> list[str]:
    return [call for call in awx.calls if call.startswith(WRITES)]


def names(run: PlaybookRun) -> set[str]:
    """What a run changed or predicted, by name; of a workflow, not what is in it."""
    return {item for item in (line.rpartition(": ")[2] for line in run.changed) if item not in NODES}


NODES = {node["identifier"] for workflow in data.read("workflows") for node in workflow["workflow_nodes"]}
KINDS = ("projects", "inventories", "inventory_sources", "notifications", "templates", "workflows", "schedules")
ENDPOINTS = {
    "notifications": "notification_templates",
    "templates": "job_templates",
    "workflows": "workflow_job_templates",
}
REFERENCES = ("organization", "project", "inventory", "source_project", "unified_job_template")
OURS = ("source_vars", "notification_configuration")
"""What the variables of these tests say otherwise than the data."""
MADE = {item["name"] for kind in KINDS for item in data.read(kind)}


@with_awx_awx
def test_check_predicts_a_run_and_a_second_run_changes_nothing(awx: Awx, setup: Setup) -> None:
    predicted = setup("--check")
    assert predicted.returncode == 0, predicted.output
    assert writes(awx) == []

    made = setup()
    assert made.returncode == 0, made.output
    single = {"AWS", "enbuild.eks"}
    assert names(made) == MADE | single
    assert names(predicted) == names(made)
    assert "refers to AWS, enbuild.eks, EKS Pod Identity, enbuild.eks, EKS clusters, which" in predicted.output
    assert "the-secret" not in predicted.output + made.output

    again = setup()
    assert again.returncode == 0, again.output
    assert again.changed == []


@with_awx_awx
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on PATH")
def test_the_page_s_call_for_a_survey_is_taken_as_it_stands(awx: Awx, filled: None) -> None:
    page = (CHECKOUT / "docs" / "awx.md").read_text()
    (command,) = re.findall(r"^ +(curl .*\\\n.*)$", page, re.MULTILINE)
    verify = awx.one("job_templates", "EKS Pod Identity - verify")
    awx.answer("DELETE", f"{verify['url']}survey_spec/", {}, {})
    given = {**os.environ, **awx.environment()}
    subprocess.run(
        ["bash", "-c", command.replace("/ID/", f"/{verify['id']}/").replace("curl ", "curl -fsS ", 1)],
        env=given,
        cwd=CHECKOUT,
        check=True,
    )
    wanted = json.loads((CHECKOUT / "awx" / "surveys" / "verify.json").read_text())
    assert awx.belonging(verify, "survey_spec") == wanted


@with_awx_awx
def test_each_object_is_as_the_data_says(awx: Awx, filled: None) -> None:
    organization = awx.one("organizations", "Default")["id"]
    project, inventory = awx.one("projects", "enbuild.eks"), awx.one("inventories", "EKS clusters")
    hook, credential = awx.one("notification_templates", "EKS Pod Identity"), awx.one("credentials", "AWS")
    image = awx.one("execution_environments", "enbuild.eks")
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    assert (project["scm_url"], project["scm_branch"]) == (REPOSITORY, version)
    assert {project["organization"], inventory["organization"], hook["organization"]} == {organization}
    assert hook["notification_configuration"]["url"] == "https://hooks.example.com/ours"
    assert hook["messages"] == data.read("notifications")[0]["messages"]
    assert credential["inputs"] == {"username": "AKIAIOSFODNN7EXAMPLE", "password": "$encrypted$"}

    source = awx.one("inventory_sources", "EKS API")
    assert (source["inventory"], source["source_project"]) == (inventory["id"], project["id"])
    assert source["credential"] == credential["id"]
    assert json.loads(source["source_vars"]) == {
        **data.read("inventory_sources")[0]["source_vars"],
        "AWS_REGION": "eu-west-1",
    }
    assert (CHECKOUT / source["source_path"]).is_file()

    for kind in KINDS:
        for wanted in data.read(kind):
            made = awx.one(ENDPOINTS.get(kind, kind), wanted["name"])
            same = {key: made[key] for key in wanted if key in made and key not in (*REFERENCES, *OURS)}
            assert same == {key: wanted[key] for key in same}

    for wanted in data.read("templates"):
        made = awx.one("job_templates", wanted["name"])
        assert (made["project"], made["inventory"]) == (project["id"], inventory["id"])
        assert (made["organization"], made["execution_environment"]) == (organization, image["id"])
        assert awx.belonging(made, "survey_spec") == wanted["survey_spec"]
        assert [each["name"] for each in awx.belonging(made, "credentials")["results"]] == ["AWS"]
        told = [each["name"] for each in awx.belonging(made, "notification_templates_error")["results"]]
        assert told == wanted.get("notification_templates_error", [])


@with_awx_awx
def test_the_workflow_asks_before_it_applies_and_diagnoses_what_fails(awx: Awx, filled: None) -> None:
    (wanted,) = data.read("workflows")
    workflow = awx.one("workflow_job_templates", wanted["name"])
    assert awx.belonging(workflow, "survey_spec") == wanted["survey_spec"]
    for node in wanted["workflow_nodes"]:
        made = awx.one("workflow_job_template_nodes", node["identifier"])
        assert made["job_type"] == node.get("job_type")
        runs = awx.objects.made[awx.objects.kind_of(made["unified_job_template"])][made["unified_job_template"]]
        described = {key: value for key, value in node["unified_job_template"].items() if key in ("name", "timeout")}
        assert {key: runs[key] for key in described} == described
        for after in ("success_nodes", "failure_nodes"):
            leads = {each["identifier"] for each in awx.belonging(made, after)["results"]}
            assert leads == {each["identifier"] for each in node.get("related", {}).get(after, [])}
    (schedule,) = data.read("schedules")
    made = awx.one("schedules", schedule["name"])
    assert made["unified_job_template"] == awx.one("job_templates", schedule["unified_job_template"])["id"]
    assert (made["rrule"], made["enabled"]) == (schedule["rrule"], False)


@with_awx_awx
def test_a_workflow_that_failed_ends_failed(awx: Awx, filled: None) -> None:
    """AWX calls it successful where the path of the failure succeeds: the last node of every path has to fail."""
    workflow = awx.one("workflow_job_templates", data.read("workflows")[0]["name"])
    nodes = [
        each
        for each in awx.objects.all("workflow_job_template_nodes")
        if each["workflow_job_template"] == workflow["id"]
    ]
    handled = [each for node in nodes for each in awx.belonging(node, "failure_nodes")["results"]]
    assert {each["identifier"] for each in handled} == {"diagnose"}
    assert [each["extra_data"] for each in handled] == [{"pod_identity_diagnose_fail_from": "always"}] * len(handled)
    site = awx.one("job_templates", "EKS Pod Identity - site")
    assert awx.belonging(site, "notification_templates_error")["results"]


@with_awx_awx
def test_what_must_be_there_is_looked_up_first(setup: Setup) -> None:
    with running() as empty:
        for arguments in ((), ("--check",)):
            run = run_playbook(
                [
                    "enbuild.eks.awx_setup",
                    "-e",
                    json.dumps(
                        {
                            "awx_setup_aws_credential": "prod",
                            "awx_setup_credentials": ["k8s"],
                            "awx_setup_organization": "Ops",
                        }
                    ),
                    *arguments,
                ],
                environment(**empty.environment()),
            )
            assert run.returncode == 2
            lacking = [
                words for words in ("Ops", "prod", "k8s", "Nothing was changed in AWX") if words not in run.failure
            ]
            assert lacking == [], run.output
        assert writes(empty) == []


@with_awx_awx
def test_a_launch_without_answers_passes_nothing_that_hides_the_inventory(awx: Awx, filled: None) -> None:
    for template in data.read("templates"):
        number = awx.one("job_templates", template["name"])["id"]
        status, launched = awx.answer("POST", f"/api/v2/job_templates/{number}/launch/", {}, {})
        assert (status, json.loads(launched["extra_vars"]), launched["ignored_fields"]) == (201, {}, {})


@with_awx_awx
def test_check_predicts_another_project_and_what_somebody_changed(awx: Awx, setup: Setup, filled: None) -> None:
    approval = awx.one("workflow_approval_templates", "Apply what the plan shows")
    awx.objects.change("workflow_approval_templates", approval["id"], {"timeout": 1})
    schedule = awx.one("schedules", "EKS Pod Identity - daily drift")
    awx.objects.change("schedules", schedule["id"], {"enabled": True})
    run = setup("--check", awx_setup_scm_url="https://git.example.com/ours.git", awx_setup_playbooks=".")
    assert run.returncode == 0, run.output
    templates = [item["name"] for item in data.read("templates")]
    assert [line.rpartition(": ")[2] for line in run.changed] == [
        "enbuild.eks",
        *templates,
        "approve",
        "EKS Pod Identity - daily drift",
    ]
    assert writes(awx) == []
    awx.objects.change("workflow_approval_templates", approval["id"], {"timeout": approval["timeout"]})
    awx.objects.change("schedules", schedule["id"], {"enabled": False})


@with_awx_awx
def test_everything_is_made_within_the_organization(setup: Setup, awx: Awx, filled: None) -> None:
    """Names are unique in an organization only; afterwards two organizations have objects of the same names."""
    other = awx.objects.create("organizations", {"name": "Other"})
    run = setup(awx_setup_organization="Other", awx_setup_scm_url=f"file://{CHECKOUT}")
    assert run.returncode == 0, run.output
    assert [each["scm_branch"] for each in awx.objects.all("projects") if each["organization"] == other] == [""]
    for kind in ("credentials", "projects", "inventories", "notification_templates", "job_templates"):
        owners = [each["organization"] for each in awx.objects.all(kind)]
        assert owners.count(other) == len(owners) / 2, kind
    sources = awx.objects.all("inventory_sources")
    assert len({each["inventory"] for each in sources}) == len({each["credential"] for each in sources}) == 2

    (inventory, _of_the_other) = awx.objects.all("inventories")
    awx.objects.change("inventories", inventory["id"], {"total_hosts": 2})
    again = setup()
    assert again.returncode == 0, again.output
    assert [line.rpartition(": ")[2] for line in again.changed] == ["EKS Pod Identity - daily drift"]
    assert [each["enabled"] for each in awx.objects.all("schedules")] == [True, False]


def test_without_awx_awx_one_sentence_says_so(tmp_path: Path) -> None:
    copy_as_collection(tmp_path)
    alone = environment(ANSIBLE_COLLECTIONS_PATH=str(tmp_path), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false")
    run = run_playbook(["enbuild.eks.awx_setup"], alone)
    assert run.returncode == 2
    assert run.failure.startswith("The collection awx.awx is missing, and only this playbook needs it")
