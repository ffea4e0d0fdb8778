# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps declare their results, and nothing reads what another role registered."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import jinja2
import jinja2.nodes
import pytest
import yaml
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

STEPS = (
    "enbuild_release",
    "pod_identity_agent",
    "pod_identity_iam",
    "pod_identity_associations",
    "pod_identity_rollout",
    "pod_identity_declare",
    "pod_identity_migrate",
    "pod_identity_teardown",
)
RESULTS = "pod_identity_results"
ENVIRONMENT = jinja2.Environment(autoescape=True)


def _tasks(tasks: t.Any) -> t.Iterator[dict[str, t.Any]]:
    for task in tasks or ():
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part))


def _role_tasks(role: Path) -> list[dict[str, t.Any]]:
    return [task for file in sorted(role.glob("tasks/*.yml")) for task in _tasks(yaml.safe_load(file.read_text()))]


def _records(role: str) -> list[dict[str, t.Any]]:
    """The tasks of a role that record its result, each as text of what it reads."""
    facts = [task for task in _role_tasks(CHECKOUT / "roles" / role) if "ansible.builtin.set_fact" in task]
    return [task for task in facts if RESULTS in task["ansible.builtin.set_fact"]]


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _defined(role: str) -> set[str]:
    """Names that a role registers, sets or has among its variables."""
    folder = CHECKOUT / "roles" / role
    tasks = _role_tasks(folder)
    files = [file for name in ("vars", "defaults") for file in folder.glob(f"{name}/main.yml")]
    return {
        *(task["register"] for task in tasks if "register" in task),
        *(name for task in tasks for name in task.get("ansible.builtin.set_fact", ())),
        *(name for task in tasks for name in task.get("vars", ())),
        *(name for file in files for name in yaml.safe_load(file.read_text()) or ()),
    }


@pytest.mark.parametrize("role", STEPS)
def test_each_step_records_its_result_under_its_own_name(role: str) -> None:
    records = _records(role)
    assert records, f"{role} records no {RESULTS}"
    for task in records:
        assert f"'{role}'" in task["ansible.builtin.set_fact"][RESULTS]


@pytest.mark.parametrize("role", STEPS)
def test_a_record_reads_what_its_own_role_registers_and_without_a_fallback(role: str) -> None:
    """So that a register that is renamed in one place stops the run, and never reads as "changed nothing"."""
    for task in _records(role):
        read = [task["ansible.builtin.set_fact"][RESULTS], *_texts(task.get("vars", {}))]
        names = {name.name for text in read for name in ENVIRONMENT.parse(text).find_all(jinja2.nodes.Name)}
        assert names - {RESULTS, "item", "eks_cluster_read"} <= _defined(role), task["name"]
        fallbacks = [found for text in read for found in re.findall(r"(\w+) \| default\(", text)]
        assert set(fallbacks) <= {RESULTS}, task["name"]


def test_the_report_names_no_register_of_a_role() -> None:
    tasks = [task for role in CHECKOUT.glob("roles/*") for task in _role_tasks(role)]
    registers = {task["register"] for task in tasks if "register" in task} - {"pod_identity_reported"}  # its own
    sources = [*CHECKOUT.glob("plugins/plugin_utils/**/*.py"), *CHECKOUT.glob("plugins/filter/*.py")]
    named = [
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in sources
        for name in registers & set(re.findall(r"\w+", path.read_text()))
    ]
    assert not named


def _dependencies(role: str) -> set[str]:
    meta = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "main.yml").read_text())
    names = {each["role"].rpartition(".")[2] for each in meta.get("dependencies") or ()}
    return names.union(*(_dependencies(name) for name in names))


def _own_variables(role: str) -> set[str]:
    files = CHECKOUT.glob(f"roles/{role}/vars/main.yml")
    return {name for file in files for name in yaml.safe_load(file.read_text()) or ()}


@pytest.mark.parametrize("role", sorted(path.name for path in CHECKOUT.glob("roles/*")))
def test_no_role_reads_variables_of_a_role_that_it_does_not_depend_on(role: str) -> None:
    """Under ANSIBLE_PRIVATE_ROLE_VARS they would be undefined. A role may set them for one that it includes."""
    files = [*CHECKOUT.glob(f"roles/{role}/tasks/*.yml"), *CHECKOUT.glob(f"roles/{role}/vars/main.yml")]
    words = {word for file in files for word in re.findall(r"\w+", file.read_text())}
    others = {path.name for path in CHECKOUT.glob("roles/*")} - {role, *_dependencies(role)}
    read = {name for other in others for name in _own_variables(other) & words} - _defined(role)
    assert not read
