# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated AWX refuses and accepts what AWX was seen to refuse and accept."""

from __future__ import annotations

import json
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.awx.playbooks import offered
from ansible_collections.enbuild.eks.tests.awx.server import TOKEN, Awx, running

QUESTION = {"question_name": "Q", "question_description": "", "type": "text", "required": False}
DAILY = "DTSTART;TZID=Etc/UTC:20260101T050000 RRULE:FREQ=DAILY;INTERVAL=1"
Filled: t.TypeAlias = "tuple[Awx, dict[str, int]]"


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    """An AWX with a project of one playbook, and a job template."""
    (tmp_path / "site.yml").write_text("- hosts: all\n")
    awx = Awx()
    ids = {}
    for kind, fields in {
        "projects": {"name": "p", "scm_type": "git", "scm_url": f"file://{tmp_path}", "organization": 4},
        "inventories": {"name": "i", "organization": 4},
        "job_templates": {"name": "t", "project": 5, "playbook": "site.yml", "extra_vars": '{"own": 1, "q": "kept"}'},
        "credentials": {"name": "aws", "credential_type": 1},
    }.items():
        status, made = awx.answer("POST", f"/api/v2/{kind}/", {}, fields)
        assert status == 201, made
        ids[kind] = made["id"]
    return awx, ids


REFUSED: dict[str, tuple[str, dict[str, t.Any], str]] = {
    "a playbook by its collection's name": (
        "job_templates",
        {"name": "x", "project": 5, "playbook": "enbuild.eks.site"},
        "Playbook not found for project.",
    ),
    "a template without a project": ("job_templates", {"name": "x", "playbook": "site.yml"}, "This field is required."),
    "a name twice": ("inventories", {"name": "i", "organization": 4}, "already exists"),
    "a reference to nothing": ("inventories", {"name": "x", "organization": 99}, 'Invalid pk "99"'),
    "a field left out": ("schedules", {"name": "x"}, "This field is required."),
    "a region in the AWS credential": (
        "credentials",
        {"name": "x", "credential_type": 1, "inputs": {"region": "r"}},
        "'region' was unexpected",
    ),
    "a rule without a start": (
        "schedules",
        {"name": "x", "unified_job_template": 8, "rrule": "FREQ=DAILY"},
        "Valid DTSTART required",
    ),
    "a rule without an interval": (
        "schedules",
        {"name": "x", "unified_job_template": 8, "rrule": "DTSTART:20260101T050000Z RRULE:FREQ=DAILY"},
        "INTERVAL required",
    ),
    "a prompt that isn't asked": (
        "schedules",
        {"name": "x", "unified_job_template": 8, "rrule": DAILY, "job_type": "check"},
        "not configured to prompt",
    ),
    "a variable that isn't asked": (
        "schedules",
        {"name": "x", "unified_job_template": 8, "rrule": DAILY, "extra_data": {"z": 1}},
        "Variables z are not allowed",
    ),
    "a body that is no JSON": (
        "notification_templates",
        {
            "name": "x",
            "organization": 4,
            "notification_type": "webhook",
            "notification_configuration": {},
            "messages": {"error": {"body": "{{ job.name }}"}},
        },
        "json",
    ),
    "a name that no job has": (
        "notification_templates",
        {
            "name": "x",
            "organization": 4,
            "notification_type": "slack",
            "notification_configuration": {},
            "messages": {"error": {"message": "{{ jobs.name }}"}},
        },
        "Unable to render",
    ),
}


@pytest.mark.parametrize(("kind", "fields", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(filled: Filled, kind: str, fields: t.Any, said: str) -> None:
    awx, ids = filled
    if "unified_job_template" in fields:
        fields = {**fields, "unified_job_template": ids["job_templates"]}
    status, body = awx.answer("POST", f"/api/v2/{kind}/", {}, fields)
    assert status == 400
    assert said in str(body)


def test_two_credentials_of_a_type_are_refused(filled: Filled) -> None:
    awx, ids = filled
    other = awx.objects.create("credentials", {"name": "other", "credential_type": 1})
    url = f"/api/v2/job_templates/{ids['job_templates']}/credentials/"
    assert awx.answer("POST", url, {}, {"id": ids["credentials"]}) == (204, None)
    message = "Cannot assign multiple Amazon Web Services credentials."
    assert awx.answer("POST", url, {}, {"id": other}) == (400, {"error": message})


def test_a_workflow_has_no_cycle(filled: Filled) -> None:
    awx, _ids = filled
    workflow = awx.objects.create("workflow_job_templates", {"name": "w"})
    first, second = (
        awx.objects.create("workflow_job_template_nodes", {"identifier": name, "workflow_job_template": workflow})
        for name in ("first", "second")
    )
    url = "/api/v2/workflow_job_template_nodes/{}/success_nodes/"
    assert awx.answer("POST", url.format(first), {}, {"id": second})[0] == 204
    assert awx.answer("POST", url.format(second), {}, {"id": first}) == (400, {"Error": "Cycle detected."})


LAUNCHES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], t.Any]] = {
    "a default": ({"default": "d"}, {}, "d"),
    "empty, without a length": ({"default": ""}, {}, ""),
    "empty, min 0": ({"default": "", "min": 0}, {}, ""),
    "empty, min 1": ({"default": "", "min": 1}, {}, "kept"),
    "no default": ({}, {}, "kept"),
    "an answer": ({"default": "d"}, {"q": "a"}, "a"),
    "an empty choice": ({"type": "multiplechoice", "choices": ["a"], "default": ""}, {}, "kept"),
    "an empty number": ({"type": "integer", "default": ""}, {}, "kept"),
    "a multiselect's default": ({"type": "multiselect", "choices": ["a"], "default": "a"}, {}, "kept"),
    "required, in spite of the default": ({"required": True, "default": "d"}, {}, ["'q' value missing"]),
    "no choice": (
        {"type": "multiplechoice", "choices": ["a"], "default": ""},
        {"q": "b"},
        ["Value b for 'q' expected to be one of ['a']."],
    ),
    "no number": ({"type": "integer"}, {"q": "3"}, ["Value 3 for 'q' expected to be an integer."]),
}


@pytest.mark.parametrize(("question", "given", "comes_to"), LAUNCHES.values(), ids=LAUNCHES)
def test_what_a_survey_comes_to(filled: Filled, question: t.Any, given: t.Any, comes_to: t.Any) -> None:
    awx, ids = filled
    url = f"/api/v2/job_templates/{ids['job_templates']}/"
    survey = {"name": "", "description": "", "spec": [{**QUESTION, "variable": "q", **question}]}
    assert awx.answer("PATCH", url, {}, {"survey_enabled": True, "survey_spec": survey})[0] == 200
    assert awx.answer("GET", f"{url}survey_spec/", {}, {}) == (200, {}), "a template's survey is set elsewhere"
    assert awx.answer("POST", f"{url}survey_spec/", {}, survey) == (200, {})
    status, body = awx.answer("POST", f"{url}launch/", {}, {"extra_vars": {**given, "unasked": 1}})
    if isinstance(comes_to, list):
        assert (status, body) == (400, {"variables_needed_to_start": comes_to})
    else:
        assert (status, json.loads(body["extra_vars"])) == (201, {"own": 1, "q": comes_to})
        assert body["ignored_fields"] == {"extra_vars": {"unasked": 1}}


def test_it_answers_over_http_and_only_with_the_token() -> None:
    with running() as awx:
        url = f"{awx.url}/api/v2/organizations/?name=Default"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["count"] == 1
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url)


def test_playbooks_are_told_by_a_line_and_a_folder(tmp_path: Path) -> None:
    written = {
        "site.yml": "- hosts: all\n",
        "indented.yaml": "a:\n  b:\n    hosts: x\n",
        "imports.yml": "- name: x\n  import_playbook: enbuild.eks.site\n",
        "secret.yml": "$ANSIBLE_VAULT;1.1;AES256\n",
        "qualified.yml": "- ansible.builtin.import_playbook: site.yml\n",
        "vars.yml": "hosts_of_mine: 1\n",
        "site.tpl": "- hosts: all\n",
        "roles/r/meta.yml": "- hosts: all\n",
        "a/tasks/main.yml": "- hosts: all\n",
        ".hidden/site.yml": "- hosts: all\n",
        "group_vars/all.yml": "- hosts: all\n",
    }
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "linked").symlink_to(".hidden")
    names = [Path(name) for name in (*written, "linked/site.yml")]
    assert offered(tmp_path, names) == ["imports.yml", "indented.yaml", "secret.yml", "site.yml"]
