# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of the house: which may import which, what planners keep out, and that the lab stands alone."""

from __future__ import annotations

import ast
import functools
import graphlib
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files

FLOORS = (
    ("_core",),
    ("_cluster",),
    ("_kubernetes", "_iam"),
    ("_association", "_addon", "_workload"),
    ("_identity",),
    ("_migration", "_teardown", "_adoption"),
)
"""The rooms of module_utils from the ground up: a room imports from the floors below it."""

FLOOR = {f"module_utils/{room}": number for number, rooms in enumerate(FLOORS) for room in rooms}

PURE = (
    *("plan", "bulk_plan", "model", "obstacles", "evidence", "ladder", "suggest", "tags", "validate", "conditions"),
    *("verdict", "wait_conditions", "table", "document"),
    *("policy_documents", "roles_checks", "roles_model", "roles_plan", "role_trust_plan"),
)
"""Files that only compute, in whichever room."""
IMPURE_IMPORTS = {"boto3", "botocore", "ansible", "ansible_collections", "kubernetes", "time", "datetime", "subprocess"}

Import = tuple[str, str]
"""What is imported: a dotted path inside the collection or a package's name; and a name from it, or ""."""


def test_every_room_is_on_the_plan() -> None:
    assert set(FLOOR) == {room for room in map(_room, _plugins()) if room.startswith("module_utils/")}


def test_no_file_stands_outside_a_room() -> None:
    folders = ("plugins/module_utils", "plugins/plugin_utils")
    assert not [str(path) for path in _plugins() if str(path.parent) in folders]


def test_imports_go_down() -> None:
    upwards = [
        f"{path} imports {target} of {room}"
        for path in _plugins()
        if _room(path) in FLOOR
        for room, target in _rooms_imported(path)
        if FLOOR.get(room, len(FLOORS)) >= FLOOR[_room(path)]
    ]
    assert not upwards, "\n".join(upwards)


def test_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in _plugins():
        graph.setdefault(_room(path), set()).update(room for room, _name in _rooms_imported(path))
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the rooms


def test_what_no_module_reaches_is_in_plugin_utils() -> None:
    reached = {room for path in _plugins() if path.parts[1] == "modules" for room in _closure(path)}
    assert set(FLOOR) <= reached


@pytest.mark.parametrize(
    "path",
    [path for path in files() if path.parts[:2] == ("plugins", "module_utils") and path.stem in PURE],
    ids=lambda path: "/".join(path.parts[2:]),
)
def test_planners_are_pure(path: Path) -> None:
    found = {target.partition(".")[0] for target, _name in _imports(path) if not target.startswith(".")}
    assert not found & IMPURE_IMPORTS


def test_the_lab_imports_nothing_from_outside() -> None:
    lab = ("tests", "lab")
    out = [
        f"{path}: {'.'.join(target)}"
        for path in files()
        if path.parts[:2] == lab and path.suffix == ".py"
        for target in _targets(path)
        if target[:2] != lab
    ]
    assert not out, "\n".join(out)


def _plugins() -> list[Path]:
    return [path for path in files() if path.parts[0] == "plugins" and path.suffix == ".py"]


def _room(path: Path) -> str:
    shared = path.parts[1] in ("module_utils", "plugin_utils")
    return "/".join(path.parts[1:3] if shared else path.parts[1:2])


def _rooms_imported(path: Path) -> t.Iterator[tuple[str, str]]:
    """Each other room of the house that ``path`` imports from, and what of it."""
    for target in _targets(path):
        room = _room(Path(*target, "x"))
        if room != _room(path):
            yield room, target[-1]


def _closure(path: Path) -> set[str]:
    seen: set[Path] = set()
    todo = [path]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += [file for target in _targets(here) if (file := Path(*target).with_suffix(".py")) in _known()]
    return {_room(here) for here in seen}


@functools.cache
def _known() -> set[Path]:
    return set(_plugins())


def _targets(path: Path) -> t.Iterator[tuple[str, ...]]:
    """What ``path`` imports from this collection, as parts of paths in the checkout; a module and each name of it."""
    prefix = "ansible_collections.enbuild.eks."
    for target, name in _imports(path):
        if target.startswith("."):
            up = len(target) - len(target.lstrip("."))
            parts = (*path.parts[:-up], *filter(None, target[up:].split(".")))
        elif target.startswith(prefix):
            parts = tuple(target.removeprefix(prefix).split("."))
        else:
            continue
        yield (*parts, name) if (CHECKOUT / Path(*parts)).is_dir() else parts


def _imports(path: Path) -> t.Iterator[Import]:
    for node in ast.walk(ast.parse((CHECKOUT / path).read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
