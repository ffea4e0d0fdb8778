# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with an AWX survey: what AWX refuses, and what it accepts and does otherwise than one thinks. Pure.

The rules are those of AWX 24.6.1, read in its source and tried on its API.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

Question: t.TypeAlias = "t.Mapping[str, t.Any]"
Options: t.TypeAlias = "t.Mapping[str, t.Mapping[str, t.Any]]"

TEXTS = ("text", "textarea", "password")
CHOICES = ("multiplechoice", "multiselect")
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys((*TEXTS, *CHOICES), (str,)),
    "integer": (int,),
    "float": (float, int),
}
NEEDED: dict[str, type] = {"question_name": str, "question_description": str, "variable": str, "required": bool}
KEYS = {*NEEDED, "type", "default", "min", "max", "choices"}
VARIABLE = re.compile(r"[a-z_][a-z0-9_]*")
BOOLEAN = ["true", "false"]

WHERE = ("eks_cluster_name", "eks_region")
"""What every survey asks: no AWS credential of AWX has a region."""


def questions(name: str) -> list[dict[str, t.Any]]:
    """Return the questions of this collection's survey ``name``, such as site."""
    path = Path(__file__).parents[3] / "awx" / "surveys" / f"{name}.json"
    return list(json.loads(path.read_text(encoding="utf-8"))["spec"])


def problems(survey: t.Any, options: Options | None = None) -> list[str]:
    """Return a sentence for each thing that is wrong with ``survey``.

    ``options`` are the roles' argument specs by variable, which the questions should agree with; None leaves them
    aside.
    """
    wrong = _frame(survey)
    if wrong:
        return wrong
    asked = [question.get("variable") for question in survey["spec"]]
    wrong += [f"{name}: asked {asked.count(name)} times" for name in dict.fromkeys(asked) if asked.count(name) > 1]
    for number, question in enumerate(survey["spec"]):
        label = question.get("variable") or f"question {number}"
        wrong += [f"{label}: {sentence}" for sentence in _question(question, options)]
    if options is not None:
        wrong += [f"{name}: not asked, and nothing else in AWX says it" for name in WHERE if name not in asked]
    return wrong


def _question(question: Question, options: Options | None) -> list[str]:
    wrong = [*_form(question)] or [*_default(question), *_length(question)]
    if options is not None and not wrong:
        return [*_meaning(question, options.get(question["variable"]))]
    return wrong


def _frame(survey: t.Any) -> list[str]:
    if not isinstance(survey, dict):
        return ["the survey is no dictionary"]
    kinds = {"name": str, "description": str, "spec": list}
    wrong = [
        f"the survey's {key} is missing or no {kind.__name__}"
        for key, kind in kinds.items()
        if not isinstance(survey.get(key), kind)
    ]
    if not wrong and not survey["spec"]:
        return ["the survey asks nothing"]
    return wrong or [
        f"question {number} is no dictionary"
        for number, question in enumerate(survey["spec"])
        if not isinstance(question, dict)
    ]


def _form(question: Question) -> t.Iterator[str]:
    """What a question lacks to be looked at further."""
    for key, kind in NEEDED.items():
        if not isinstance(question.get(key), kind):
            yield f"{key} is missing or no {kind.__name__}"
    if question.get("type") not in PYTHON_TYPES:
        yield f"type {question.get('type')} is none of {', '.join(PYTHON_TYPES)}"
    if not VARIABLE.fullmatch(str(question.get("variable"))):
        yield "the variable's name is none that Ansible takes"
    for key in sorted(set(question) - KEYS):
        yield f"{key} means nothing to AWX"
    yield from (f"{key} is no integer" for key in ("min", "max") if not _is_limit(question.get(key)))
    yield from _choices(question)


def _is_limit(value: t.Any) -> bool:
    return isinstance(value, int | None) and not isinstance(value, bool)


def _choices(question: Question) -> t.Iterator[str]:
    choices = question.get("choices")
    if question.get("type") not in CHOICES:
        if choices:
            yield f"a question of type {question.get('type')} has no choices"
    elif not isinstance(choices, list) or not choices:
        # In a string, AWX takes a part of a choice for a choice.
        yield "choices are no list"
    elif not all(isinstance(choice, str) and choice.strip() for choice in choices):
        yield "a choice is no text, or blank; without an answer the variable isn't set"
    elif len(set(choices)) < len(choices):
        yield "a choice is there twice"


def _default(question: Question) -> t.Iterator[str]:
    if "default" not in question:
        yield 'default is missing: "" where there is none, without which the screen to edit the survey breaks'
        return
    default, kind = question["default"], question["type"]
    if re.search(r"{{|{%", f"{default}{question.get('choices')}"):
        yield "AWX passes what a survey says on as text, and Ansible doesn't template it"
    if default != "":
        yield from _given_default(question, default, kind)


def _given_default(question: Question, default: t.Any, kind: str) -> t.Iterator[str]:
    if not isinstance(default, PYTHON_TYPES[kind]) or isinstance(default, bool):
        yield f"default {default!r} is not of type {kind}"
    elif question["required"]:
        yield "required, so AWX refuses a launch by the API, and a schedule, in spite of the default"
    elif kind in CHOICES:
        yield from _default_choices(str(default).splitlines(), question)


def _default_choices(defaults: list[str], question: Question) -> t.Iterator[str]:
    if question["type"] == "multiplechoice" and len(defaults) > 1:
        yield "more than one default"
    yield from (f"default {each} is none of the choices" for each in defaults if each not in question["choices"])


def _length(question: Question) -> t.Iterator[str]:
    """What ``min`` and ``max`` do to an answer, the default among them."""
    least, most, default = question.get("min"), question.get("max"), question.get("default")
    if least is not None and most is not None and least > most:
        yield "min is more than max"
    if question["type"] in TEXTS and not question["required"] and not least:
        yield "optional, without min: AWX passes an empty answer on, which takes the place of what the inventory says"
    if default in ("", None) or question["type"] in CHOICES:
        return
    size = len(default) if isinstance(default, str) else default
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"default {default!r} is not between min and max"


def _meaning(question: Question, option: t.Mapping[str, t.Any] | None) -> t.Iterator[str]:
    """How a question disagrees with the role's ``option`` of that name."""
    if option is None:
        yield "no role has such a variable"
        return
    wanted = _fitting(option)
    if question["type"] not in wanted:
        yield f"type {question['type']} doesn't fit the role's {_kind(option)}, which needs {' or '.join(wanted)}"
    choices = BOOLEAN if _kind(option) == "bool" else [each for each in option.get("choices", []) if each != ""]
    if question["type"] in CHOICES and sorted(question["choices"]) != sorted(choices):
        yield f"choices are {', '.join(question['choices'])}; the role's are {', '.join(choices) or 'none'}"
    given, own = _plain(question["default"]), _plain(option.get("default", ""))
    if given not in ("", own):
        yield f"default {given} isn't the role's, {own or 'none'}, which holds where AWX doesn't apply it"
    if question["type"] == "multiselect" and given != own:
        yield f"default {given} isn't the role's, {own}: AWX never applies a multiselect's to a launch by the API"


def _fitting(option: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """The types of question that an option can be asked by; one that takes text for numbers tells by its default."""
    kind = _kind(option)
    if option.get("no_log"):
        return ("password",)
    if kind == "list" and option.get("choices"):
        return ("multiselect",)
    if kind == "bool" or option.get("choices"):
        return ("multiplechoice",)
    return {"int": ("integer",), "float": ("float",), "str": ("text",)}.get(kind, ("textarea",))


def _kind(option: t.Mapping[str, t.Any]) -> str:
    kind, default = str(option.get("type", "str")), option.get("default")
    return type(default).__name__ if kind == "raw" and isinstance(default, bool | int | float) else kind


def _plain(value: t.Any) -> str:
    """A default as an answer would be."""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value or "")
