# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule for surveys, by a survey that breaks it; and that AWX accepts or refuses it as the rule says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx.surveys import problems
from ansible_collections.enbuild.eks.tests.awx import rules

TEXT = {
    "question_name": "Namespace",
    "question_description": "Where the workload is",
    "variable": "namespace",
    "type": "text",
    "required": False,
    "default": "",
    "min": 1,
    "max": 63,
}
CHOICE = {**TEXT, "type": "multiplechoice", "variable": "trust", "choices": ["account", "cluster"], "min": None}
MULTI = {**CHOICE, "type": "multiselect", "variable": "steps"}
NUMBER = {**TEXT, "type": "integer", "variable": "probes", "min": 0, "max": 9}
WHERE = [{**TEXT, "variable": "eks_cluster_name"}, {**TEXT, "variable": "eks_region"}]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "eks_cluster_name": {"type": "str"},
    "eks_region": {"type": "str"},
    "namespace": {"type": "str", "default": "enbuild"},
    "trust": {"type": "str", "default": "account", "choices": ["", "account", "cluster"]},
    "steps": {"type": "list", "default": ["account"], "choices": ["account", "cluster"]},
    "probes": {"type": "raw", "default": 3},
    "wait": {"type": "raw", "default": True},
    "values": {"type": "raw", "default": {}},
    "api_key": {"type": "str", "no_log": True},
}


def survey(*questions: t.Any) -> dict[str, t.Any]:
    return {"name": "s", "description": "", "spec": [*WHERE, *questions]}


def without(question: dict[str, t.Any], key: str) -> dict[str, t.Any]:
    return {name: value for name, value in question.items() if name != key}


def test_a_good_survey_has_no_problem_and_awx_takes_it() -> None:
    good = survey(
        {**TEXT, "default": "enbuild"},
        {**CHOICE, "default": "account"},
        {**MULTI, "default": "account"},
        {**NUMBER, "default": 3},
        {**CHOICE, "variable": "wait", "choices": ["true", "false"], "default": "true"},
        {**TEXT, "variable": "values", "type": "textarea"},
        {**TEXT, "variable": "api_key", "type": "password"},
    )
    assert problems(good, OPTIONS) == []
    rules.survey(good)


REFUSED = {
    "no frame": ([], "is no dictionary"),
    "no name": ({"description": "", "spec": [TEXT]}, "name is missing"),
    "no description": ({"name": "", "spec": [TEXT]}, "description is missing"),
    "no question": ({"name": "", "description": "", "spec": []}, "asks nothing"),
    "question no dictionary": (survey("text"), "question 2 is no dictionary"),
    "question without a name": (survey(without(TEXT, "question_name")), "question_name is missing"),
    "question without required": (survey(without(TEXT, "required")), "required is missing"),
    "required no boolean": (survey({**TEXT, "required": "false"}), "required is missing or no bool"),
    "type unknown": (survey({**TEXT, "type": "boolean"}), "type boolean is none of"),
    "asked twice": (survey(TEXT, TEXT), "namespace: asked 2 times"),
    "default of another type": (survey({**NUMBER, "default": "3"}), "default '3' is not of type integer"),
    "default a list": (survey({**MULTI, "default": ["account"]}), "is not of type multiselect"),
    "default no choice": (survey({**CHOICE, "default": "region"}), "default region is none of the choices"),
    "two defaults": (survey({**CHOICE, "default": "account\ncluster"}), "more than one default"),
    "no choices": (survey(without(CHOICE, "choices")), "choices are no list"),
    "min no integer": (survey({**TEXT, "min": "1"}), "min is no integer"),
}
"""What AWX answers with 400."""

ACCEPTED = {
    "no default": (survey(without(CHOICE, "default")), "default is missing"),
    "required with a default": (
        survey({**TEXT, "required": True, "default": "enbuild"}),
        "refuses a launch by the API",
    ),
    "choices in a string": (
        survey({**CHOICE, "choices": "account\ncluster", "default": "count"}),
        "choices are no list",
    ),
    "choices of numbers": (survey({**CHOICE, "choices": [1, 2]}), "a choice is no text"),
    "a blank choice": (survey({**CHOICE, "choices": ["", "account"]}), "a choice is no text, or blank"),
    "a choice twice": (survey({**CHOICE, "choices": ["account", "account"]}), "a choice is there twice"),
    "choices of a text": (survey({**TEXT, "choices": ["a"]}), "has no choices"),
    "Jinja in a default": (survey({**TEXT, "default": "{{ namespace }}"}), "Ansible doesn't template it"),
    "Jinja in a choice": (survey({**CHOICE, "choices": ["{% if a %}"]}), "Ansible doesn't template it"),
    "a variable with a blank": (survey({**TEXT, "variable": "name space"}), "none that Ansible takes"),
    "a key that nothing reads": (survey({**TEXT, "deafult": ""}), "deafult means nothing"),
    "no description of a question": (survey(without(TEXT, "question_description")), "question_description is missing"),
    "empty answers passed on": (survey({**TEXT, "min": 0}), "takes the place of what the inventory says"),
    "no length at all": (survey(without(TEXT, "min")), "takes the place of what the inventory says"),
    "min over max": (survey({**NUMBER, "min": 9, "max": 1}), "min is more than max"),
    "default out of bounds": (survey({**NUMBER, "default": 99}), "not between min and max"),
    "no region": ({"name": "", "description": "", "spec": [WHERE[0]]}, "eks_region: not asked"),
    "no such variable": (survey({**TEXT, "variable": "namespaces"}), "no role has such a variable"),
    "a number asked as text": (survey({**TEXT, "variable": "probes"}), "needs integer"),
    "a boolean asked as text": (survey({**TEXT, "variable": "wait"}), "needs multiplechoice"),
    "choices asked as text": (survey({**TEXT, "variable": "trust"}), "needs multiplechoice"),
    "data asked as one line": (survey({**TEXT, "variable": "values"}), "needs textarea"),
    "a secret asked in the open": (survey({**TEXT, "variable": "api_key"}), "needs password"),
    "other choices than the role's": (survey({**CHOICE, "choices": ["account"]}), "the role's are account, cluster"),
    "yes and no for a boolean": (survey({**CHOICE, "variable": "wait", "choices": ["yes", "no"]}), "are true, false"),
    "another default than the role's": (survey({**TEXT, "default": "shop"}), "isn't the role's, enbuild"),
    "a multiselect's default that the role lacks": (survey(MULTI), "never applies a multiselect's"),
}
"""What AWX accepts, and one regrets."""


@pytest.mark.parametrize(("wrong", "sentence"), [*REFUSED.values(), *ACCEPTED.values()], ids=[*REFUSED, *ACCEPTED])
def test_each_rule(wrong: t.Any, sentence: str) -> None:
    found = problems(wrong, OPTIONS)
    assert [line for line in found if sentence in line], found


@pytest.mark.parametrize("wrong", [case[0] for case in REFUSED.values() if case[0]], ids=[*REFUSED][1:])
def test_awx_refuses(wrong: t.Any) -> None:
    with pytest.raises(rules.Invalid):
        rules.survey(wrong)


@pytest.mark.parametrize("regretted", [case[0] for case in ACCEPTED.values()], ids=ACCEPTED)
def test_awx_accepts(regretted: t.Any) -> None:
    rules.survey(regretted)


def test_without_roles_only_the_survey_itself_is_looked_at() -> None:
    assert problems({"name": "", "description": "", "spec": [{**TEXT, "variable": "anything"}]}) == []
