# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report on what a task found, or on a whole run; prints, writes files and passes artifacts on."""

from __future__ import annotations

import contextlib
import datetime
import typing as t

from ansible import constants
from ansible import context as cli
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook import Playbook
from ansible.plugins.action import ActionBase
from ansible.utils.collection_loader._collection_finder import _get_collection_playbook_path
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

from ..module_utils._core.plan import Refused
from ..plugin_utils._awx import surveys
from ..plugin_utils._report import about, files, tags
from ..plugin_utils._report.model import KNOWN, REGISTER, Context, Outcome, Survey, Tags, Tone

ARGUMENT_SPEC = {
    "about": {"type": "str", "required": True, "choices": list(about.ABOUT)},
    "failed_task": {"type": "str"},
    "failed_result": {"type": "dict"},
    "cluster": {"type": "dict"},
    "found": {"type": "dict"},
    "rung": {"type": "str", "default": ""},
    "fail_from": {"type": "str", "default": ""},
    "seen": {"type": "dict"},
    "extra": {"type": "bool", "default": True},
    "others": {"type": "bool", "default": False},
    "dir": {"type": "str", "default": ""},
    "artifact": {"type": "bool", "default": False},
    "changes": {"type": "bool", "default": False},
}
SURVEY = "pod_identity_survey"
"""The variable of a play that names its survey."""
IN_JOB = {"awx_job_id", "tower_job_id"}
"""Variables that every job of AWX has."""
REQUIRED_IF = [
    ("about", "stop", ["failed_task", "failed_result"]),
    ("about", "verdict", ["cluster", "found"]),
    ("about", "drift", ["cluster", "seen"]),
    ("about", "migration", ["cluster"]),
    ("about", "teardown", ["cluster"]),
]
COLORS: t.Mapping[Tone, str] = {
    "good": "COLOR_OK",
    "change": "COLOR_CHANGED",
    "bad": "COLOR_ERROR",
    "warn": "COLOR_WARN",
}


class ActionModule(ActionBase):
    """Runs on the controller and sees all hosts of the play."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what was reported; fails at the ``start`` of what can't be done and at the ``end`` of what stopped."""
        super().run(tmp, task_vars)
        try:
            return self._report(task_vars or {})
        except (AnsibleActionFail, Refused, OSError) as error:
            return {"failed": True, "msg": str(error)}  # an exception would pass by failed_when

    def _report(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        _validation, given = self.validate_argument_spec(ARGUMENT_SPEC, required_if=REQUIRED_IF)
        context = self._context(task_vars, given)
        outcome = about.report(given["about"], given, context)
        written = files.write(given["dir"], outcome.files)
        if outcome.known:
            self._stop_unless_registered()
        show([*outcome.lines, *written])
        return _result(outcome, context, written)

    def _context(self, variables: dict[str, t.Any], given: dict[str, t.Any]) -> Context:
        names = variables.get("ansible_play_hosts_all") or [variables["inventory_hostname"]]
        hosts = variables["hostvars"]
        return Context(
            host=str(variables["inventory_hostname"]),
            check=bool(self._task.check_mode),
            now=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            variables=variables,
            hosts={str(name): hosts[name] for name in names},
            tags=self._tags() if given["about"] == "start" else Tags(),
            survey=self._survey(variables),
        )

    def _survey(self, variables: dict[str, t.Any]) -> Survey:
        """The play's survey, with what was given for its variables; what can't be templated yet is left out."""
        name = variables.get(SURVEY)
        questions = surveys.questions(str(name)) if name else []
        found: dict[str, t.Any] = {}
        for variable in {question["variable"] for question in questions} & variables.keys():
            with contextlib.suppress(AnsibleError):
                found[variable] = self._templar.template(variables[variable])
        return Survey(questions, found, bool(variables.keys() & IN_JOB))

    def _tags(self) -> Tags:
        play = self._task.get_play()
        there = tags.of(play.tasks)
        missing = tags.unknown({*play.skip_tags, *play.only_tags}, there)
        if not missing:
            return Tags(there=there)
        own, everywhere = self._tags_of_playbooks(play.get_path())
        elsewhere = tags.elsewhere(play.only_tags, there | own, everywhere)
        return Tags(tags.unknown(missing, everywhere), elsewhere, there, tags.none_here(play.only_tags, there))

    def _tags_of_playbooks(self, place: str) -> tuple[set[str], set[str]]:
        """The tags of the playbook that the play at ``place`` came with, and of all that Ansible was started with.

        Somebody's own playbook may import ours, and may be run for its own tags.
        """
        own: set[str] = set()
        everywhere: set[str] = set()
        for plays in map(self._plays, cli.CLIARGS.get("args", ())):
            found = tags.of(task for play in plays for task in play.tasks)
            everywhere |= found
            own |= found if place in {play.get_path() for play in plays} else set()
        return own, everywhere

    def _plays(self, name: str) -> list[t.Any]:
        """The plays of a playbook that Ansible was started with."""
        resource = _get_collection_playbook_path(name)
        path = resource[1] if resource else name
        with contextlib.suppress(AnsibleError):
            variables = VariableManager(loader=self._loader)
            return list(Playbook.load(path, variable_manager=variables, loader=self._loader).get_plays())
        return []

    def _stop_unless_registered(self) -> None:
        """Refuse a name under which the end of the run would not find this."""
        if REGISTER not in _names(self._task.register):
            raise AnsibleActionFail(
                f"Register the result as {REGISTER}: the report at the end of the run reads it there."
            )


def show(lines: t.Iterable[str]) -> None:
    """Print lines, in colour where Ansible uses any."""
    display = Display()
    for line in lines:
        tone = about.tone(line)
        display.display(line, color=getattr(constants, COLORS[tone]) if tone else None)


def _names(register: str | t.Mapping[str, t.Any] | None) -> t.Collection[str]:
    """The names that a task registers: ansible-core 2.21 has them as keys, each with its expression."""
    return {register} if isinstance(register, str) else set(register or ())


def _result(outcome: Outcome, context: Context, written: list[str]) -> dict[str, t.Any]:
    if outcome.failure:
        return {"changed": False, "failed": True, "msg": outcome.failure}
    known = {**context.known(context.variables), **outcome.known}
    result = {"changed": False, "lines": list(outcome.lines), "files": written, KNOWN: known, **outcome.returns}
    if outcome.artifacts:
        result["ansible_stats"] = {"data": dict(outcome.artifacts), "per_host": False, "aggregate": True}
    return result
