# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX 24.6.1 refuses, in its own words: surveys and their answers, schedules, notifications, credentials.

Each rule raises :class:`Invalid` with the body of AWX's answer 400. Taken from the source of AWX
(api/views/__init__.py, main/models/mixins.py, api/serializers.py) and from what its API answered when it was tried;
what is said about messages of notifications is in words of its own.
"""

from __future__ import annotations

import json
import re
import typing as t

import jinja2
import jinja2.sandbox

Fields: t.TypeAlias = "dict[str, t.Any]"

QUESTION_TYPES: dict[str, type] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}
CREDENTIAL_INPUTS = {
    "Amazon Web Services": {"username", "password", "security_token"},
    "OpenShift or Kubernetes API Bearer Token": {"host", "bearer_token", "verify_ssl", "ssl_ca_cert"},
    "Source Control": {"username", "password", "ssh_key_data", "ssh_key_unlock"},
}
SECRET_INPUTS = {"password", "security_token", "bearer_token", "ssh_key_data", "ssh_key_unlock"}


class Invalid(Exception):
    """The answer 400, with its body."""

    def __init__(self, body: t.Any) -> None:
        super().__init__(str(body))
        self.body = body


def survey(spec: t.Any) -> None:
    """What POST …/survey_spec/ checks."""
    for field, kind, label in (
        ("name", str, "string"),
        ("description", str, "string"),
        ("spec", list, "list of items"),
    ):
        if field not in spec:
            raise Invalid({"error": f"Field '{field}' is missing from survey spec."})
        if not isinstance(spec[field], kind):
            name = type(spec[field]).__name__
            raise Invalid({"error": f"Expected {label} for field '{field}', received {name} type."})
    if not spec["spec"]:
        raise Invalid({"error": "'spec' doesn't contain any items."})
    seen: set[str] = set()
    for number, question in enumerate(spec["spec"]):
        _question(number, question)
        if question["variable"] in seen:
            variable = question["variable"]
            raise Invalid({"error": f"'variable' '{variable}' duplicated in survey question {number}."})
        seen.add(question["variable"])


def _question(number: int, question: t.Any) -> None:
    if not isinstance(question, dict):
        raise Invalid({"error": f"Survey question {number} is not a json object."})
    for field in ("type", "question_name", "variable", "required"):
        kind, label = (bool, "boolean") if field == "required" else (str, "string")
        if field not in question:
            raise Invalid({"error": f"'{field}' missing from survey question {number}"})
        if not isinstance(question[field], kind):
            raise Invalid({"error": f"'{field}' in survey question {number} expected to be {label}."})
    if question["type"] not in QUESTION_TYPES:
        types = ", ".join(QUESTION_TYPES)
        kind_of = question["type"]
        raise Invalid(
            {"error": f"'{kind_of}' in survey question {number} is not one of '{types}' allowed question types."}
        )
    _question_values(number, question)


def _question_values(number: int, question: Fields) -> None:
    kind, default = question["type"], question.get("default", "")
    if default != "" and not isinstance(default, QUESTION_TYPES[kind]):
        label = kind if kind in ("integer", "float") else "string"
        raise Invalid({"error": f"Default value {default} in survey question {number} expected to be {label}."})
    for key in ("min", "max"):
        if not isinstance(question.get(key), int | None):
            raise Invalid({"error": f"The {key} limit in survey question {number} expected to be integer."})
    if kind in ("multiselect", "multiplechoice"):
        _question_choices(number, question)


def _question_choices(number: int, question: Fields) -> None:
    kind = question["type"]
    if "choices" not in question:
        raise Invalid({"error": f"Survey question {number} of type {kind} must specify choices."})
    defaults = str(question.get("default", "")).splitlines()
    if kind == "multiplechoice" and len(defaults) > 1:
        raise Invalid({"error": "Multiple Choice (Single Select) can only have one default value."})
    # In a string of choices this finds parts of them too, as AWX does.
    if any(each not in question["choices"] for each in defaults):
        raise Invalid({"error": "Default choice must be answered from the choices listed."})


def launched(template: Fields, given: Fields, strict: bool = False) -> tuple[Fields, Fields]:
    """The extra vars of a job of ``template`` launched with the answers ``given``, and what is left out of these.

    ``strict`` is how a schedule or a workflow's node is checked: nothing may be left out.
    """
    questions = template["survey_spec"].get("spec", []) if template["survey_enabled"] else []
    errors = [error for question in questions for error in _answer(question, given)]
    if errors:
        raise Invalid({"variables_needed_to_start": errors})
    asked = {question["variable"] for question in questions}
    known = {key for key in given if key in asked or template["ask_variables_on_launch"]}
    ignored = {key: value for key, value in given.items() if key not in known}
    if strict and ignored:
        names = ", ".join(ignored)
        raise Invalid(
            {
                "extra_data": [
                    (
                        f"Variables {names} are not allowed on launch. Check the Prompt on Launch setting on the "
                        "Job Template to include Extra Variables."
                    )
                ]
            }
        )
    defaults = {
        question["variable"]: question["default"]
        for question in questions
        if question.get("default") is not None and not _answer(question, {question["variable"]: question["default"]})
    }
    own = json.loads(template["extra_vars"] or "{}")
    return {**own, **defaults, **{key: given[key] for key in known}}, ignored


def _answer(question: Fields, given: Fields) -> list[str]:
    """What is wrong with the answer to a question."""
    variable, kind = question["variable"], question["type"]
    if variable not in given:
        return [f"'{variable}' value missing"] if question["required"] else []
    value = given[variable]
    if kind in ("text", "textarea", "password"):
        if not isinstance(value, str):
            return [f"Value {value} for '{variable}' expected to be a string."]
        return _limits(question, value, len(value), f"(length is {len(value)} must be at least {question.get('min')}).")
    if kind in ("integer", "float"):
        if type(value) not in ((int,) if kind == "integer" else (int, float)):
            label = "an integer" if kind == "integer" else "a numeric type"
            return [f"Value {value} for '{variable}' expected to be {label}."]
        return _limits(question, value, value, f"(must be at least {question.get('min')}).")
    return _chosen(question, value)


def _limits(question: Fields, value: t.Any, size: float, too_small: str) -> list[str]:
    variable = question["variable"]
    if question.get("min") is not None and size < question["min"]:
        return [f"'{variable}' value {value} is too small {too_small}"]
    if question.get("max") is not None and size > question["max"]:
        return [f"'{variable}' value {value} is too large (must be no more than {question['max']})."]
    return []


def _chosen(question: Fields, value: t.Any) -> list[str]:
    variable, choices = question["variable"], question["choices"]
    if isinstance(choices, str):
        choices = choices.split("\n")
    if question["type"] == "multiplechoice":
        value = [value]
    elif not isinstance(value, list):
        return [f"'{variable}' value is expected to be a list."]
    return [f"Value {each} for '{variable}' expected to be one of {choices}." for each in value if each not in choices]


def schedule(fields: Fields) -> None:
    """What a schedule's rule has to look like."""
    rule = fields["rrule"]
    rules = re.findall(r"RULE:\S*", rule)
    errors = []
    if not re.search(r"DTSTART(;[^:]+)?:[0-9]+T[0-9]+Z?", rule):
        errors.append("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if re.search(r"DTSTART:[0-9]+T[0-9]+ ", rule):
        errors.append("DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ.")
    if not rules:
        errors.append("One or more rule required in rrule.")
    errors += [f"INTERVAL required in rrule: {each}" for each in rules if "interval" not in each.lower()]
    errors += [f"SECONDLY is not supported: {each}" for each in rules if "secondly" in each.lower()]
    if errors:
        raise Invalid({"rrule": errors})


def credential(kind: str, inputs: Fields) -> None:
    """A credential has the inputs of its type and no others."""
    unknown = sorted(set(inputs) - CREDENTIAL_INPUTS[kind])
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        verb = "was" if len(unknown) == 1 else "were"
        raise Invalid({"inputs": [f"Additional properties are not allowed ({names} {verb} unexpected)"]})


JOB = {
    "id": 1,
    "name": "Stub Job",
    "status": "failed",
    "artifacts": {},
    "host_status_counts": {"skipped": 1, "ok": 5, "changed": 3, "failures": 0, "dark": 0, "processed": 0},
}
"""A part of the job that AWX tries messages on, and all that a message of this collection may use."""


def rendered(text: str, job: Fields) -> str:
    """A notification's message, as AWX fills it in: in a sandbox, and undefined names are errors."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    context = {"job": job, "job_friendly_name": "Job", "url": "https://awx.example.com/#/jobs/1", "job_metadata": "{}"}
    return environment.from_string(text).render(context)


def messages(fields: Fields) -> None:
    """What a notification's messages have to be: known events, and a body that is JSON for a webhook."""
    events = fields["messages"] or {}
    for event in events:
        if event not in ("started", "success", "error", "workflow_approval"):
            raise Invalid(
                {
                    "messages": [
                        (
                            f"Event type '{event}' invalid, must be one of 'started', 'success', 'error', "
                            "or 'workflow_approval'"
                        )
                    ]
                }
            )
    for event in ("started", "success", "error"):
        for key, text in (events.get(event) or {}).items():
            if key not in ("message", "body"):
                raise Invalid({"messages": [f"Message type '{key}' invalid, must be either 'message' or 'body'"]})
            if text:
                _message(event, key, text, fields["notification_type"])


def _message(event: str, key: str, text: str, kind: str) -> None:
    try:
        made = rendered(text, JOB)
    except jinja2.TemplateError as error:
        raise Invalid({"messages": [f"Unable to render '{key}' of '{event}': {error}"]}) from error
    if kind == "webhook" and key == "body":
        try:
            body = json.loads(made)
        except ValueError as error:
            raise Invalid(
                {"messages": [f"Webhook body for '{event}' is not a valid json dictionary ({error})."]}
            ) from error
        if not isinstance(body, dict):
            raise Invalid(
                {
                    "messages": [
                        f"Webhook body for '{event}' should be a json dictionary. Found type '{type(body).__name__}'."
                    ]
                }
            )
