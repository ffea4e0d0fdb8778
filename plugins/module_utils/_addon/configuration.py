# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an add-on is configured with: read from dictionaries, JSON and YAML, and compared by meaning."""

from __future__ import annotations

import contextlib
import json
import typing as t

from .._core import validate
from .._core.plan import Refused

with contextlib.suppress(ImportError):  # Only YAML text needs it, and says so.
    import yaml

LONGEST = 1_000_000
"""Characters of a text that is read."""
MOST_PROBLEMS = 5
"""Violations of a schema that a message names."""


def wished(value: t.Any) -> dict[str, t.Any] | None:
    """What the option configuration_values says; None is untouched, {} and "" are no values."""
    if value is None:
        return None
    values = read(value) if isinstance(value, str) else value
    if not isinstance(values, dict):
        raise Refused(f"configuration_values is {type(values).__name__} {values!r}, and has to be a dictionary.")
    return values


def read(text: str) -> t.Any:
    """The data in JSON or YAML ``text``; nothing, and null, is no values."""
    data = _parsed(text) if text.strip() else None
    return {} if data is None else data


def _parsed(text: str) -> t.Any:
    if len(text) > LONGEST:
        raise Refused(f"configuration_values has {len(text):,} characters, and at most {LONGEST:,} are read.")
    try:
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text)
        return _yaml(text)
    except RecursionError:
        raise Refused("configuration_values is nested too deeply.") from None


def _yaml(text: str) -> t.Any:
    """Without aliases, since a few lines of them can stand for more than memory holds."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise Refused("configuration_values has aliases (*), which are not read here.")
        return yaml.safe_load(text)
    except NameError:
        raise Refused("configuration_values is not JSON, and reading YAML needs the Python library PyYAML.") from None
    except yaml.YAMLError as error:
        raise Refused(f"configuration_values is neither JSON nor YAML: {' '.join(str(error).split())}.") from None


def found(text: str) -> dict[str, t.Any]:
    """What an add-on has now; text that isn't a dictionary equals nothing else."""
    with contextlib.suppress(Refused):
        values = read(text)
        if isinstance(values, dict):
            return values
    return {"": text}


def same(one: t.Any, other: t.Any) -> bool:
    """Whether two values mean the same in JSON, where true isn't 1 and 1.0 is."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def written(values: dict[str, t.Any]) -> str:
    """The text that EKS gets."""
    return validate.canonical(values)


def violations(schema: str, values: dict[str, t.Any]) -> list[str]:
    """What ``values`` break of a JSON schema, each with its place; [] where jsonschema isn't installed."""
    try:
        from jsonschema.validators import validator_for  # Slow to import, and needed only for a change.

        document = json.loads(schema)
        validator = validator_for(document)(document)
    except (ImportError, ValueError):
        return []
    return sorted(f"{error.json_path}: {error.message}" for error in validator.iter_errors(values))


def check(addon: str, version: str, schema: str, values: dict[str, t.Any]) -> None:
    """Refuse values that break the schema of that version of an add-on, with the schema's words."""
    broken = violations(schema, values)
    if broken:
        rest = f" … and {len(broken) - MOST_PROBLEMS} more" if len(broken) > MOST_PROBLEMS else ""
        problems = "; ".join(broken[:MOST_PROBLEMS])
        raise Refused(f"configuration_values doesn't fit the schema of {addon} {version}: {problems}{rest}.")
