# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check what was answered to a survey's questions, or given for their variables elsewhere. Pure.

No message quotes YAML, which may hold a password: it says which kind of data was given.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._core import validate
from ...module_utils._core.plan import Refused
from ...module_utils._iam.permission_policies import s3_policy
from ...module_utils._workload import declaration
from .._core.data import read
from .surveys import BOOLEAN, Question

LONGEST_QUOTE = 40
KINDS: t.Mapping[type, str] = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}")


@dataclass(frozen=True)
class Wanted:
    """What an answer has to be, in words and by an example; ``check`` raises ``Refused`` for other data."""

    words: str
    example: str
    check: t.Callable[[t.Any], object]


def _region(value: t.Any) -> None:
    if not REGION.fullmatch(str(value)):
        raise Refused("no region")


def _workloads(value: t.Any) -> None:
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Refused(f"is {kind(value)}")
    if other := [f"item {number} is {kind(item)}" for number, item in enumerate(items, 1) if not _is_mapping(item)]:
        raise Refused(f"is a list in which {other[0]}")
    if wrong := declaration.problems(items):
        raise Refused(f"has mistakes: {'. '.join(wrong)}")


def _is_mapping(item: t.Any) -> bool:
    return isinstance(item, t.Mapping)


def _values(value: t.Any) -> None:
    if not isinstance(value, t.Mapping):
        raise Refused(f"is {kind(value)}")


def _names(value: t.Any, check: t.Callable[[str], object], what: str) -> None:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str):
            raise Refused(f"has {kind(item)} in place of the name of a {what}")
        try:
            check(item)
        except Refused:
            raise Refused(f"has {quoted(item)}, which is not the name of a {what}") from None


def _buckets(value: t.Any) -> None:
    _names(value, lambda name: s3_policy([name]), "bucket")


def _namespaces(value: t.Any) -> None:
    _names(value, lambda name: name == "*" or validate.namespace("namespace", name), "namespace")


TEXTS: t.Mapping[str, Wanted] = {
    "eks_cluster_name": Wanted(
        "the name of an EKS cluster (1 to 100 letters, digits, hyphens and underscores)",
        "production",
        lambda value: validate.cluster_name("name", value),
    ),
    "eks_region": Wanted("an AWS region", "us-east-1", _region),
    "enbuild_release_name": Wanted(
        "the name of a Helm release (lower-case letters, digits and hyphens)",
        "enbuild",
        lambda value: validate.release_name("name", value),
    ),
    "enbuild_release_namespace": Wanted(
        "a Kubernetes namespace (lower-case letters, digits and hyphens)",
        "enbuild",
        lambda value: validate.namespace("name", value),
    ),
    "enbuild_release_chart_version": Wanted(
        "a version of the chart", "0.0.46", lambda value: validate.chart_version("version", value)
    ),
}
"""What is text, by variable."""
DATA: t.Mapping[str, Wanted] = {
    "pod_identity_workloads": Wanted("a YAML list of workloads", declaration.EXAMPLE, _workloads),
    "enbuild_ctf_buckets": Wanted("a YAML list of S3 buckets", "[acme-artifacts]", _buckets),
    "enbuild_release_values": Wanted("a YAML dictionary of the chart's values", "{enbuildAI: {replicas: 2}}", _values),
    "pod_identity_diagnose_namespaces": Wanted("a YAML list of namespaces", "[shop, enbuild]", _namespaces),
}
"""What may be YAML text, by variable."""


def problems(questions: t.Iterable[Question], given: t.Mapping[str, t.Any], in_job: bool) -> list[str]:
    """Return a sentence for each of ``given``, by variable, that isn't what its question asks for.

    Null and blank text are no answer. ``in_job`` names the survey's question beside the variable.
    """
    wrong = [
        (question, fault) for question in questions if (fault := _fault(question, given.get(question["variable"])))
    ]
    return [f"{_subject(question, in_job)} {fault}" for question, fault in wrong]


def _subject(question: Question, in_job: bool) -> str:
    name = str(question["variable"])
    return f'The answer to "{question["question_name"]}" ({name})' if in_job else name


def _fault(question: Question, value: t.Any) -> str:
    """What is wrong with an answer and what is wanted; "" for nothing."""
    name = question["variable"]
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    if "choices" in question:
        return _choice(question["choices"], value)
    wanted = TEXTS.get(name) or DATA[name]
    fault = _text(wanted, value) if name in TEXTS else _data(wanted, value)
    return f"{fault.rstrip('.')}. It has to be {wanted.words}, for example {wanted.example}." if fault else ""


def _choice(choices: t.Sequence[str], value: t.Any) -> str:
    if str(value) in choices or (sorted(choices) == sorted(BOOLEAN) and _is_boolean(value)):
        return ""
    return f"is {_shown(value)}. It has to be one of {', '.join(choices)}, for example {choices[0]}."


def _is_boolean(value: t.Any) -> bool:
    try:
        boolean(value)
    except TypeError:
        return False
    return True


def _text(wanted: Wanted, value: t.Any) -> str:
    try:
        if isinstance(value, (list, dict)):
            raise Refused("no text")
        wanted.check(value)
    except Refused:
        return f"is {_shown(value)}"
    return ""


def _data(wanted: Wanted, value: t.Any) -> str:
    try:
        data = read("It", value)
        if data not in (None, "", [], {}):
            wanted.check(data)
    except Refused as error:
        return str(error).removeprefix("It ")
    return ""


def kind(value: t.Any) -> str:
    """What kind of data ``value`` is, in plain words."""
    return next((words for type_, words in KINDS.items() if isinstance(value, type_)), "a dictionary")


def _shown(value: t.Any) -> str:
    return quoted(value) if isinstance(value, str) else kind(value)


def quoted(text: str) -> str:
    """The beginning of ``text`` in quotes, on one line."""
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…")


def with_questions(text: str, questions: t.Iterable[Question]) -> str:
    """``text`` with the survey's question beside each variable, where it is named first."""
    for question in questions:
        words = question["question_name"]
        text = _alone(question).sub(rf"""\1 (the survey's question "{words}")""", text, count=1)
    return text


def asked(text: str, questions: t.Iterable[Question]) -> list[str]:
    """A sentence for each variable that ``text`` names without the survey's question."""
    named = (question for question in questions if _alone(question).search(text))
    return [f"""{each["variable"]} is the survey's question "{each["question_name"]}".""" for each in named]


def _alone(question: Question) -> re.Pattern[str]:
    """Finds a question's variable where the question isn't named beside it."""
    return re.compile(rf'(?<![\w"])(?<!" \()({question["variable"]})(?!\w| \(the survey)')
