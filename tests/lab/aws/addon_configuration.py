# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``configurationValues``: read as JSON or YAML, and checked against the version's schema."""

from __future__ import annotations

import typing as t

import yaml
from jsonschema import Draft7Validator, ValidationError

from .addon_catalog import CatalogAddon
from .eks_errors import invalid_parameter

_UNSUPPORTED = "ConfigurationValue provided in request is not supported: "


def read_configuration(addon: CatalogAddon, text: str) -> dict[str, t.Any]:
    """Return what ``text`` says (InvalidParameterException in AWS's words if the schema doesn't allow it)."""
    try:
        values = yaml.safe_load(text) if text.strip() else {}
    except yaml.YAMLError as error:
        raise invalid_parameter(f"{_UNSUPPORTED}it is neither JSON nor YAML", addonName=addon.name) from error
    errors = [_sentence(error) for error in Draft7Validator(addon.schema).iter_errors(values)]
    if errors:
        message = f"{_UNSUPPORTED}Json schema validation failed with error: [{', '.join(sorted(errors))}]"
        raise invalid_parameter(message, addonName=addon.name)
    return t.cast("dict[str, t.Any]", values)


def _sentence(error: ValidationError) -> str:
    path = error.json_path
    schema: t.Any = error.schema
    wanted: t.Any = error.validator_value
    given: t.Any = error.instance
    if error.validator == "additionalProperties":
        unknown = sorted(set(given) - set(schema["properties"]))
        return f"{path}.{unknown[0]}: is not defined in the schema and the schema does not allow additional properties"
    if error.validator == "required":
        missing = next(name for name in wanted if name not in given)
        return f"{path}.{missing}: is missing but it is required"
    if error.validator == "type":
        return f"{path}: {_type(given)} found, {wanted} expected"
    return f"{path}: {error.message}"


def _type(value: t.Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")
