# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of an emulated AWX, in memory: their fields, what they refer to, and what belongs to them."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.enbuild.eks.tests.awx import rules
from ansible_collections.enbuild.eks.tests.awx.playbooks import offered
from ansible_collections.enbuild.eks.tests.awx.rules import Fields, Invalid
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files

REPOSITORY = "https://github.com/enbuild/enbuild.eks"
"""This repository; the checkout stands for it."""
NEEDED = object()
"""The default of a field that AWX asks for."""


@dataclass(frozen=True)
class Kind:
    """A kind of object: its endpoint's name, the defaults of its fields, and which of these refer to which others."""

    type: str
    fields: Fields
    refers: t.Mapping[str, str] = field(default_factory=dict)
    lists: t.Mapping[str, str] = field(default_factory=dict)
    """What can be associated, by the name of the association."""
    runs: bool = False
    """Whether it is among the unified job templates."""


ASKS = [
    "scm_branch",
    "diff_mode",
    "variables",
    "limit",
    "tags",
    "skip_tags",
    "job_type",
    "verbosity",
    "inventory",
    "credential",
    "execution_environment",
    "labels",
    "forks",
    "job_slice_count",
    "timeout",
    "instance_groups",
]
NOTIFIES = {f"notification_templates_{event}": "notification_templates" for event in ("started", "success", "error")}
NODES = {f"{event}_nodes": "workflow_job_template_nodes" for event in ("success", "failure", "always")}
NAMED = {"name": NEEDED, "description": ""}
SURVEYED = {"survey_enabled": False, "extra_vars": "", **{f"ask_{what}_on_launch": False for what in ASKS}}
PROMPTS: Fields = {
    "job_type": None,
    "limit": None,
    "job_tags": None,
    "diff_mode": None,
    "extra_data": {},
    "inventory": None,
}

KINDS = {
    "organizations": Kind("organization", {**NAMED, "max_hosts": 0}),
    "credential_types": Kind("credential_type", {**NAMED, "kind": "cloud", "inputs": {}, "injectors": {}}),
    "credentials": Kind(
        "credential",
        {**NAMED, "organization": None, "credential_type": NEEDED, "inputs": {}},
        {"organization": "organizations", "credential_type": "credential_types"},
    ),
    "execution_environments": Kind(
        "execution_environment",
        {**NAMED, "organization": None, "image": NEEDED, "credential": None, "pull": ""},
        {"organization": "organizations", "credential": "credentials"},
    ),
    "notification_templates": Kind(
        "notification_template",
        {
            **NAMED,
            "organization": NEEDED,
            "notification_type": NEEDED,
            "notification_configuration": NEEDED,
            "messages": None,
        },
        {"organization": "organizations"},
    ),
    "projects": Kind(
        "project",
        {
            **NAMED,
            "organization": None,
            "scm_type": "",
            "scm_url": "",
            "scm_branch": "",
            "credential": None,
            "scm_update_on_launch": False,
            "allow_override": False,
            "scm_revision": "",
            "default_environment": None,
        },
        {"organization": "organizations", "credential": "credentials"},
        NOTIFIES,
        runs=True,
    ),
    "inventories": Kind(
        "inventory",
        {**NAMED, "organization": NEEDED, "kind": "", "host_filter": None, "variables": "", "total_hosts": 0},
        {"organization": "organizations"},
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **NAMED,
            "inventory": NEEDED,
            "source": NEEDED,
            "source_project": None,
            "source_path": "",
            "source_vars": "",
            "credential": None,
            "execution_environment": None,
            "overwrite": False,
            "overwrite_vars": False,
            "update_on_launch": False,
        },
        {
            "inventory": "inventories",
            "source_project": "projects",
            "credential": "credentials",
            "execution_environment": "execution_environments",
        },
        NOTIFIES,
        runs=True,
    ),
    "job_templates": Kind(
        "job_template",
        {
            **NAMED,
            **SURVEYED,
            "organization": None,
            "project": None,
            "playbook": "",
            "inventory": None,
            "job_type": "run",
            "forks": 0,
            "limit": "",
            "verbosity": 0,
            "job_tags": "",
            "skip_tags": "",
            "diff_mode": False,
            "allow_simultaneous": False,
            "job_slice_count": 1,
            "execution_environment": None,
        },
        {"project": "projects", "inventory": "inventories", "execution_environment": "execution_environments"},
        {"credentials": "credentials", **NOTIFIES},
        runs=True,
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {**NAMED, **SURVEYED, "organization": None, "inventory": None, "limit": None, "allow_simultaneous": False},
        {"organization": "organizations", "inventory": "inventories"},
        {**NOTIFIES, "notification_templates_approvals": "notification_templates"},
        runs=True,
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {
            **PROMPTS,
            "identifier": NEEDED,
            "workflow_job_template": NEEDED,
            "unified_job_template": None,
            "all_parents_must_converge": False,
        },
        {"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates"},
        NODES,
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", {**NAMED, "timeout": 0}, runs=True),
    "schedules": Kind(
        "schedule",
        {**PROMPTS, **NAMED, "unified_job_template": NEEDED, "rrule": NEEDED, "enabled": True},
        {"unified_job_template": "unified_job_templates"},
    ),
}
UNIQUE_IN = {
    "schedules": "unified_job_template",
    "inventory_sources": "inventory",
    "workflow_job_template_nodes": "workflow_job_template",
    "workflow_approval_templates": "id",
    "execution_environments": "everywhere",
}
"""The field within which a name may be there once, the organization for other kinds. Of execution environments, it is
global: no object has that field."""


class Objects:
    """All objects by kind and id, with what is associated with each, and their surveys."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.made: dict[str, dict[int, Fields]] = {kind: {} for kind in KINDS}
        self.associated: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Fields] = {}
        self.playbooks: dict[int, list[str]] = {}
        self.updates: dict[int, Fields] = {}

    def all(self, kind: str) -> list[Fields]:
        """The objects of a kind; the unified job templates are those that can be run."""
        kinds = [name for name in KINDS if KINDS[name].runs] if kind == "unified_job_templates" else [kind]
        return [self.shown(name, number) for name in kinds for number in self.made[name]]

    def shown(self, kind: str, number: int) -> Fields:
        """An object as AWX shows it: without its secrets, with the addresses of what belongs to it."""
        url = f"/api/v2/{kind}/{number}/"
        related = {name: f"{url}{name}/" for name in (*KINDS[kind].lists, "survey_spec", "update", "launch")}
        made = {**self.made[kind][number], "id": number, "type": KINDS[kind].type, "url": url, "related": related}
        made["summary_fields"] = self._summary(kind, number)
        if kind == "credentials":
            made["inputs"] = {
                name: "$encrypted$" if name in rules.SECRET_INPUTS and value else value
                for name, value in made["inputs"].items()
            }
        if made.get("unified_job_template"):
            target = self.kind_of(made["unified_job_template"])
            related["unified_job_template"] = f"/api/v2/{target}/{made['unified_job_template']}/"
        return made

    def _summary(self, kind: str, number: int) -> Fields:
        updates = [each for each, update in self.updates.items() if update["project"] == number]
        return {"current_update": {"id": updates[-1]}} if kind == "projects" and updates else {}

    def kind_of(self, number: int) -> str:
        """The endpoint of a unified job template."""
        return next(kind for kind in KINDS if KINDS[kind].runs and number in self.made[kind])

    def create(self, kind: str, given: Fields) -> int:
        """Make an object; what AWX would refuse is :class:`Invalid`."""
        known = {key: given.get(key, default) for key, default in KINDS[kind].fields.items()}
        if known.get("kind", "") is None:  # of an inventory, where awx.awx says nothing
            known["kind"] = ""
        lacking = [key for key, value in known.items() if value is NEEDED]
        if lacking:
            raise Invalid({key: ["This field is required."] for key in lacking})
        number = next(self.numbers)
        self._check(kind, known, number)
        self.made[kind][number] = known
        if kind == "projects":
            self.update_project(number)
        return number

    def change(self, kind: str, number: int, given: Fields) -> None:
        """Change fields of an object. A survey is none of them."""
        known = {key: value for key, value in given.items() if key in KINDS[kind].fields}
        changed = {**self.made[kind][number], **known}
        self._check(kind, changed, number)
        if kind == "execution_environments" and changed["organization"] != self.made[kind][number]["organization"]:
            raise Invalid({"organization": ["The organization of an execution environment can't be changed."]})
        moved = kind == "projects" and changed["scm_url"] != self.made[kind][number]["scm_url"]
        self.made[kind][number] = changed
        if moved:
            self.update_project(number)

    def update_project(self, number: int) -> int:
        """Synchronise: read which playbooks the checkout has that the project's URL names. It is done at once."""
        project = self.made["projects"][number]
        ours = project["scm_url"] == REPOSITORY
        root = CHECKOUT if ours else Path(project["scm_url"].removeprefix("file://"))
        found = files() if root == CHECKOUT else [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
        self.playbooks[number] = offered(root, found)
        project["scm_revision"] = "0" * 40
        update = next(self.numbers)
        self.updates[update] = {
            "id": update,
            "project": number,
            "status": "successful",
            "finished": "now",
            "failed": False,
            "url": f"/api/v2/project_updates/{update}/",
            "scm_revision": "0" * 40,
        }
        return update

    def associate(self, kind: str, number: int, name: str, other: int, remove: bool) -> None:
        """Add or remove an association."""
        there = self.associated.setdefault((kind, number, name), [])
        if remove:
            there.remove(other)
            return
        if other not in self.made[KINDS[kind].lists[name]]:
            raise Invalid({"msg": f"{KINDS[kind].lists[name]} {other} does not exist"})
        if name == "credentials":
            types = [self.made["credentials"][each]["credential_type"] for each in (*there, other)]
            if len(set(types)) < len(types):
                label = self.made["credential_types"][types[-1]]["name"]
                raise Invalid({"error": f"Cannot assign multiple {label} credentials."})
        if name in NODES and self._leads_to(other, number):
            raise Invalid({"Error": "Cycle detected."})
        there.append(other)

    def _leads_to(self, start: int, end: int) -> bool:
        after = [
            each for name in NODES for each in self.associated.get(("workflow_job_template_nodes", start, name), [])
        ]
        return start == end or any(self._leads_to(each, end) for each in after)

    def template(self, number: int) -> Fields:
        """A template that can be launched, with its survey."""
        kind = self.kind_of(number)
        return {
            "survey_enabled": False,
            "ask_variables_on_launch": False,
            "extra_vars": "",
            **self.made[kind][number],
            "survey_spec": self.surveys.get((kind, number), {}),
        }

    def _check(self, kind: str, fields: Fields, number: int) -> None:
        for name, target in KINDS[kind].refers.items():
            if fields[name] is not None and not any(each["id"] == fields[name] for each in self.all(target)):
                raise Invalid({name: [f'Invalid pk "{fields[name]}" - object does not exist.']})
        self._check_name(kind, fields, number)
        check = {
            "job_templates": self._check_job_template,
            "credentials": self._check_credential,
            "notification_templates": rules.messages,
            "schedules": rules.schedule,
        }.get(kind)
        if check:
            check(fields)
        if kind in ("schedules", "workflow_job_template_nodes") and fields["unified_job_template"]:
            self._check_prompts(fields)

    def _check_name(self, kind: str, fields: Fields, number: int) -> None:
        key, within = "identifier" if "identifier" in fields else "name", UNIQUE_IN.get(kind, "organization")
        same = [
            other
            for each, other in self.made[kind].items()
            if each != number and other[key] == fields[key] and other.get(within) == fields.get(within)
        ]
        if same and within != "id":
            raise Invalid({"__all__": [f"{KINDS[kind].type} with this {within} and {key} already exists."]})

    def _check_credential(self, fields: Fields) -> None:
        rules.credential(self.made["credential_types"][fields["credential_type"]]["name"], fields["inputs"])

    def _check_job_template(self, fields: Fields) -> None:
        if not fields["project"]:
            raise Invalid({"project": ["This field is required."]})
        if not fields["playbook"]:
            raise Invalid({"playbook": ["Must select playbook for project."]})
        project = self.made["projects"][fields["project"]]
        if not project["allow_override"] and fields["playbook"] not in self.playbooks[fields["project"]]:
            raise Invalid({"playbook": ["Playbook not found for project."]})
        fields["organization"] = project["organization"]

    def _check_prompts(self, fields: Fields) -> None:
        """A node or a schedule may say only what its template asks on launch."""
        template = self.template(fields["unified_job_template"])
        for name, ask in (
            ("job_type", "job_type"),
            ("limit", "limit"),
            ("job_tags", "tags"),
            ("diff_mode", "diff_mode"),
            ("inventory", "inventory"),
        ):
            if fields[name] is not None and not template.get(f"ask_{ask}_on_launch"):
                raise Invalid({name: ["Field is not configured to prompt on launch."]})
        rules.launched(template, fields["extra_data"], strict=True)
