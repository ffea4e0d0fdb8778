# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each role says once what it takes; README and defaults agree with it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
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
