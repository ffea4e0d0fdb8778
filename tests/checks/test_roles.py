# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each role says once what it takes; README and defaults agree with it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import jinja2
import jinja2.nodes
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.enbuild.eks.tests.tools import documents
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.role_readmes import specs, with_table

ROLES = sorted(path for path in CHECKOUT.glob("roles/*") if path.is_dir())

every_role = pytest.mark.parametrize("role", ROLES, ids=[role.name for role in ROLES])


@every_role
def test_readme_table(role: Path) -> None:
    path = role / "README.md"
    assert path.is_file(), "no README.md"
    readme = path.read_text()
    assert with_table(readme, specs(role)) == readme, "the table of variables is stale: make docs"


@every_role
def test_the_example_in_the_readme_names_the_role_and_its_variables(role: Path) -> None:
    blocks = [each for each in documents.blocks((role / "README.md").read_text()) if each.language == "yaml"]
    (play,) = yaml.safe_load(blocks[0].text)
    options = {name: option for each in ROLES for name, option in _options(each).items()}
    checked = ArgumentSpecValidator({name: {**options[name], "options": None} for name in play["vars"]})
    assert play["roles"] == [f"enbuild.eks.{role.name}"]
    assert checked.validate(play["vars"]).error_messages == []


@every_role
def test_defaults_are_what_the_specs_say(role: Path) -> None:
    options = _options(role)
    said = {name: option["default"] for name, option in options.items() if "default" in option}
    assert _defaults(role) == said, "defaults/main.yml and meta/argument_specs.yml differ"


@every_role
def test_required_has_no_default(role: Path) -> None:
    both = [name for name, option in _options(role).items() if option.get("required") and "default" in option]
    assert not both


def _options(role: Path) -> dict[str, dict[str, t.Any]]:
    """The options of every entry point: they share the role's defaults."""
    return {name: option for spec in specs(role).values() for name, option in (spec.get("options") or {}).items()}


def _defaults(role: Path) -> dict[str, t.Any]:
    path = role / "defaults" / "main.yml"
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


EXPRESSIONS = ("when", "that", "until", "failed_when", "changed_when")
"""Keys of tasks whose values are templates without braces."""


@every_role
@pytest.mark.parametrize("nothing", ["", None], ids=["empty", "null"])
def test_empty_and_null_are_accepted(role: Path, nothing: t.Any) -> None:
    """AWX passes on questions that nobody answered as either."""
    for name, option in _options(role).items():
        if not option.get("required"):
            checked = ArgumentSpecValidator({name: {**option, "options": None}}).validate({name: nothing})
            assert checked.error_messages == []


@every_role
def test_empty_and_null_mean_what_undefined_means(role: Path) -> None:
    """Wherever a role reads a variable, it falls back to the default that the specs say."""
    options = {name: option for each in ROLES for name, option in _options(each).items() if not option.get("required")}
    wrong = [
        f"{path.relative_to(CHECKOUT)}: {name.name} in {text.strip()}"
        for path in sorted([*role.glob("tasks/*.yml"), *role.glob("vars/*.yml")])
        for text in _templates(yaml.safe_load(path.read_text()))
        for name, parents in _names(ENVIRONMENT.parse(text), ())
        if name.name in options and not _falls_back(name, parents, options[name.name].get("default", ""))
    ]
    assert not wrong, "empty or null isn't what undefined is:\n" + "\n".join(wrong)


ENVIRONMENT = jinja2.Environment(autoescape=True)
Parents: t.TypeAlias = "tuple[jinja2.nodes.Node, ...]"


def _templates(value: t.Any, key: str = "") -> t.Iterator[str]:
    """Every template below ``value``."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _templates(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _templates(each, key)
    elif isinstance(value, str):
        yield f"{{{{ {value} }}}}" if key in EXPRESSIONS and "{{" not in value else value


def _names(node: jinja2.nodes.Node, parents: Parents) -> t.Iterator[tuple[jinja2.nodes.Name, Parents]]:
    """Each name below ``node`` with what it stands in, the nearest first."""
    if isinstance(node, jinja2.nodes.Name):
        yield node, parents
    for child in node.iter_child_nodes():
        yield from _names(child, (node, *parents))


def _falls_back(name: jinja2.nodes.Name, parents: Parents, default: t.Any) -> bool:
    parent = parents[0]
    if isinstance(parent, jinja2.nodes.Filter) and parent.node is name:
        given = [argument.as_const() for argument in parent.args if isinstance(argument, jinja2.nodes.Const)]
        if parent.name == "enbuild.eks.given":
            return given == [default]
        return parent.name == "enbuild.eks.as_data" or (parent.name == "default" and given[-1:] == [True])
    if isinstance(parent, jinja2.nodes.Or):
        return parent.left is name
    return isinstance(parent, jinja2.nodes.Not) or (isinstance(parent, jinja2.nodes.CondExpr) and parent.test is name)


def test_a_lookup_runs_only_where_its_branch_is_taken() -> None:
    """Jinja evaluates all variables that an expression names, with the lookups in them, before it chooses a branch."""
    files = sorted(
        path for role in ROLES for folder in ("tasks", "vars", "defaults") for path in role.glob(f"{folder}/*")
    )
    read = {path: yaml.safe_load(path.read_text()) or {} for path in files if path.suffix == ".yml"}
    variables = {name: value for each in read.values() if isinstance(each, dict) for name, value in each.items()}
    slow = {name for name, value in variables.items() for text in _templates(value) if _looks_up(text)}
    wrong = [
        f"{path.relative_to(CHECKOUT)}: {name.name} in {text.strip()}"
        for path, content in read.items()
        for text in _templates(content)
        for name, parents in _names(ENVIRONMENT.parse(text), ())
        if name.name in slow and any(isinstance(each, BRANCHES) for each in parents)
    ]
    assert slow
    assert not wrong, "take it from lookup('ansible.builtin.vars', 'name'):\n" + "\n".join(wrong)


BRANCHES = (jinja2.nodes.CondExpr, jinja2.nodes.Or, jinja2.nodes.And)


def _looks_up(text: str) -> bool:
    called = (call.node for call in ENVIRONMENT.parse(text).find_all(jinja2.nodes.Call))
    return any(isinstance(node, jinja2.nodes.Name) and node.name in ("lookup", "query") for node in called)
