# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every question of every survey, by every kind of answer."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx import answers
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx.surveys import CHOICES, Question
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

SECRET = "hunter2-is-secret"
SURVEYS = {path.stem: json.loads(path.read_text())["spec"] for path in sorted(CHECKOUT.glob("awx/surveys/*.json"))}
RIGHT: dict[str, t.Any] = {
    "eks_cluster_name": "production",
    "eks_region": "us-gov-west-1",
    "enbuild_release_name": "enbuild",
    "enbuild_release_namespace": "enbuild",
    "enbuild_release_chart_version": "0.0.46",
    "pod_identity_workloads": "- {name: orders, namespace: shop, deployment: orders, role_name: shop-orders}",
    "enbuild_ctf_buckets": "acme-artifacts",
    "enbuild_release_values": f"{{db: {{password: {SECRET}}}}}",
    "pod_identity_diagnose_namespaces": "[shop, '*']",
}
MISSING = object()
"""In place of an answer: its variable isn't there."""
NOTHING = {"missing": MISSING, "empty": "", "blank": " \n\t", "null": None}
TEXTS: dict[str, list[t.Any]] = {
    "wrong type": [["a"], {"a": "b"}],
    "malformed": ["a/b c", "-ü"],
    "hostile": ["$(reboot)", "{{ 7*7 }}\n", "a" * 9000, "\x00", "<script src='x'>"],
}
DATA: dict[str, list[t.Any]] = {
    "wrong type": [7, f"[[{SECRET}]]", [3], True],
    "malformed": [f"password: {SECRET}\n  token: : [x", f"[{SECRET}", f"password: !{SECRET}", f"a: !!int {SECRET}"],
    "hostile": [
        "a: &a [x]\nb: [*a]",
        "[" * 1000,
        "2026-99-99",
        f"{{? [a, b] : {SECRET}}}",
        "!!python/object:os.system {}",
    ],
}
CHOSEN: dict[str, list[t.Any]] = {
    "wrong type": [["true"], {}, 7],
    "malformed": ["maybe", "tru"],
    "hostile": ["{{ true }}", "true\nfalse", "x" * 9000],
}


def _right(question: Question) -> list[t.Any]:
    if "choices" in question:
        return [*question["choices"], *([True, "yes", "False"] if question["choices"] == ["true", "false"] else [])]
    return [RIGHT[question["variable"]]]


def _wrong(question: Question) -> dict[str, list[t.Any]]:
    if question["type"] in CHOICES:
        return CHOSEN
    return TEXTS if question["type"] == "text" else DATA


def _table() -> t.Iterator[tuple[str, Question, str, t.Any]]:
    for survey, questions in SURVEYS.items():
        for question in questions:
            yield from ((survey, question, name, value) for name, value in NOTHING.items())
            yield from ((survey, question, "right", value) for value in _right(question))
            for name, values in _wrong(question).items():
                yield from ((survey, question, name, value) for value in values)


TABLE = list(_table())


def _all_but(survey: str, question: Question, value: t.Any) -> dict[str, t.Any]:
    """An answer to each question of a survey: ``value`` to one, and what is right to the others."""
    given = {each["variable"]: _right(each)[0] for each in SURVEYS[survey]} | {question["variable"]: value}
    return {name: each for name, each in given.items() if each is not MISSING}


def test_each_question_of_the_seven_surveys_is_in_the_table_with_every_kind_of_answer() -> None:
    assert len(SURVEYS) == 7
    kinds = {"missing", "empty", "blank", "null", "wrong type", "malformed", "hostile", "right"}
    rows = {(survey, question["variable"], kind) for survey, question, kind, _value in TABLE}
    questions = {(survey, question["variable"]) for survey, spec in SURVEYS.items() for question in spec}
    assert rows == {(*question, kind) for question in questions for kind in kinds}


def test_no_answer_at_all_is_fine() -> None:
    assert [answers.problems(questions, {}, in_job=True) for questions in SURVEYS.values()] == [[]] * 7


@pytest.mark.parametrize("survey", SURVEYS)
def test_what_is_right_or_left_empty_is_fine(survey: str) -> None:
    for its, question, kind, value in TABLE:
        if its == survey and kind in {"right", *NOTHING}:
            assert answers.problems(SURVEYS[survey], _all_but(survey, question, value), in_job=True) == [], kind


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("survey", SURVEYS)
def test_what_is_wrong_is_named_by_its_question_with_an_example(survey: str, kind: str) -> None:
    for its, question, name, value in TABLE:
        if (its, name) == (survey, kind):
            assert_named(survey, question, value)


def assert_named(survey: str, question: Question, value: t.Any) -> None:
    """Alone among right answers, once."""
    (sentence,) = answers.problems(SURVEYS[survey], _all_but(survey, question, value), in_job=True)
    assert sentence.startswith(f'The answer to "{question["question_name"]}" ({question["variable"]}) ')
    assert " It has to be " in sentence
    assert ", for example " in sentence
    assert SECRET not in sentence
    assert "\n" not in sentence
    assert len(sentence) < 600


def test_outside_a_job_the_variable_alone_is_named() -> None:
    (said,) = answers.problems(SURVEYS["site"], {"eks_region": "virginia"}, in_job=False)
    assert said == "eks_region is 'virginia'. It has to be an AWS region, for example us-east-1."


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "pod_identity_workloads",
            "orders",
            "is text. It has to be a YAML list of workloads, for example [{name: orders,",
        ),
        ("pod_identity_workloads", "[orders]", "is a list in which item 1 is text."),
        (
            "pod_identity_workloads",
            "[{namespace: shop, deployment: o, role_name: 7}]",
            "Workload without a name: role_name has to be text, and is a number",
        ),
        ("enbuild_release_values", "replicas", "is text. It has to be a YAML dictionary of the chart's values"),
        ("enbuild_release_values", "a: [", "is not YAML (line 1, column 5)"),
        ("enbuild_ctf_buckets", "{a: 1}", "has a dictionary in place of the name of a bucket."),
        ("enbuild_ctf_buckets", "Acme_Artifacts", "has 'Acme_Artifacts', which is not the name of a bucket."),
        ("pod_identity_verify_rung", "top", "is 'top'. It has to be one of none, declared, injected, issued, allowed"),
    ],
)
def test_what_is_wrong_is_said(variable: str, value: t.Any, said: str) -> None:
    (sentence,) = answers.problems(SURVEYS["site"], {variable: value}, in_job=True)
    assert said in sentence


def test_a_single_bucket_is_a_list_of_one() -> None:
    assert not answers.problems(SURVEYS["site"], {"enbuild_ctf_buckets": "acme-artifacts"}, in_job=True)


def test_in_a_job_a_variable_has_its_question_beside_it_once() -> None:
    said = answers.with_questions("Set eks_region, or eks_region_x; eks_region again.", SURVEYS["site"])
    assert said == 'Set eks_region (the survey\'s question "Region"), or eks_region_x; eks_region again.'
    (problem,) = answers.problems(SURVEYS["site"], {"eks_region": "virginia"}, in_job=True)
    assert answers.with_questions(problem, SURVEYS["site"]) == problem
