# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists and dictionaries that come as YAML text, for example from an AWX survey."""

from __future__ import annotations

import re
import typing as t

import yaml

from ...module_utils._core.plan import Refused

LONGEST = 1_000_000
"""Characters of a text that is read."""


class Loader(yaml.SafeLoader):
    """Reads plain data; without aliases, since a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: t.Any, index: t.Any) -> t.Any:
        """Compose a node, and refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("anchors and aliases (& and *) are not read here")
        return super().compose_node(parent, index)


def read(name: str, value: t.Any) -> t.Any:
    """Return ``value`` as data: text is YAML; null and blank text are None.

    ``Refused`` names the variable ``name``; it doesn't quote what was given, which may hold a secret.
    """
    if not isinstance(value, str):
        return value
    if len(value) > LONGEST:
        raise Refused(f"{name} has {len(value)} characters, and at most {LONGEST} are read.")
    try:
        return yaml.load(value, Loader=Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise Refused(f"{name} is not YAML{_place(error)}: {_problem(error)}.") from None
    except RecursionError:
        raise Refused(f"{name} is not YAML: it is nested too deeply.") from None
    except ValueError:  # A date or a number that isn't one; the exception quotes it.
        raise Refused(f"{name} is not YAML: a value in it can't be read; quote it, if it is meant as text.") from None


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    """What is wrong, without the text around it, which the exception quotes, and words of it, such as a tag."""
    problem = str(error.problem if isinstance(error, yaml.MarkedYAMLError) else error)
    return re.sub(r"'(?!<)[^']{2,}'", "a word", problem.replace("the tag", "the type that is given by !"))


def read_list(name: str, value: t.Any) -> list[t.Any]:
    """The same, as a list; a single value is a list of one."""
    data = read(name, value)
    if data is None or data == "":
        return []
    return list(data) if isinstance(data, (list, tuple)) else [data]


def read_dictionary(name: str, value: t.Any, example: str) -> dict[str, t.Any]:
    """The same, as a dictionary; ``Refused`` for anything else, with an ``example``."""
    data = read(name, value)
    if data is None or data in ("", []):
        return {}
    if not isinstance(data, t.Mapping):
        raise Refused(f"{name} is a {type(data).__name__}, and has to be a dictionary, for example {example}.")
    return dict(data)
