# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python of the collection and of its tests, by the tools that pyproject.toml sets up."""

from __future__ import annotations

import ast
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files, run

LONGEST_FUNCTION = 20
"""Lines, in plugins/."""

HEADER = (
    "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)


def test_format() -> None:
    code, output = run("ruff", "format", "--check", "--diff", "--quiet", ".")
    assert code == 0, f"ruff format would change:\n{output}"


def test_lint() -> None:
    code, output = run("ruff", "check", "--quiet", "--output-format", "concise", ".")
    assert code == 0, output


def test_types() -> None:
    name = "ansible_collections.enbuild.eks"
    collections = Path(sys.prefix) / "collections"
    settings = ["--config-file", str(CHECKOUT / "pyproject.toml"), "--cache-dir", str(CHECKOUT / ".mypy_cache")]
    packages = ["-p", f"{name}.plugins", "-p", f"{name}.tests"]
    code, output = run("mypy", *settings, *packages, cwd=collections, MYPYPATH=str(collections))
    assert code == 0, output


def test_licence_header() -> None:
    lacking = [str(path) for path, text in _sources() if not _has_header(text)]
    assert not lacking, "without the licence's two lines at the top:\n" + "\n".join(lacking)


def _has_header(text: str) -> bool:
    lines = [line for line in text.splitlines() if line and not line.startswith("#!")]
    return tuple(lines[:2]) == HEADER


def test_function_length() -> None:
    long = [
        f"{path}:{function.lineno} {function.name}: {_length(function)} lines"
        for path, text in _sources()
        if path.parts[0] == "plugins"
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _length(function) > LONGEST_FUNCTION
    ]
    assert not long, f"functions of over {LONGEST_FUNCTION} lines:\n" + "\n".join(long)


def test_complexity_of_the_plugins() -> None:
    code, output = run("ruff", "check", "--select=C90", "--config=lint.mccabe.max-complexity = 6", "plugins")
    assert code == 0, output


OF_KUBERNETES = {"kubernetes", "oauthlib", "requests"}
"""What modules that ask no API server have no use for."""


@pytest.mark.parametrize("of_kubernetes", [False, True])
def test_what_is_slow_to_import_is_imported_only_where_it_is_needed(of_kubernetes: bool) -> None:
    """A module starts for each task and cluster. The playbooks of the tests fork theirs, and wouldn't notice."""
    slow = {"kubernetes.client.api.core_v1_api", "jsonschema", "websocket"} | (
        set() if of_kubernetes else OF_KUBERNETES
    )
    names = [path.stem for path, text in _modules() if ("k8s_auth_options" in text) == of_kubernetes]
    code = f"""
import importlib, sys
for name in {names}:
    importlib.import_module("ansible_collections.enbuild.eks.plugins.modules." + name)
    print(*(f"{{name}} imports {{each}}" for each in {slow} & {{*sys.modules}}))
"""
    assert names
    imported = run(sys.executable, "-c", code, cwd=Path(sys.prefix) / "collections")
    assert (imported[0], imported[1].split()) == (0, []), imported[1]


def _modules() -> t.Iterator[tuple[Path, str]]:
    return ((path, text) for path, text in _sources() if path.parent == Path("plugins/modules"))


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _sources() -> t.Iterator[tuple[Path, str]]:
    for path in files():
        if path.suffix == ".py":
            yield path, (CHECKOUT / path).read_text()
