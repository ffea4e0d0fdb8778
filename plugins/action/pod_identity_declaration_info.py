# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Complete and check a declaration before a module is started for it, or any call made."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._core.plan import Refused
from ..module_utils._workload import declaration, enbuild
from ..plugin_utils._core.data import read, read_dictionary, read_list
from ..plugin_utils._core.own_module import OwnModule, load

Item = t.Mapping[str, t.Any]

OWN = ("enbuild", "optional", "find")
"""Options that the module doesn't need any more."""


class ActionModule(OwnModule):
    """Reads what was declared; with ``find``, lets the module complete it against the live cluster."""

    TRANSFERS_FILES = False
    _requires_connection = False
    module = load(__name__)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action."""
        super().run(tmp, task_vars)
        try:
            args = prepared(self._task.args)
            release = release_declared(self._task.args, self._variable)
        except Refused as error:
            return {"failed": True, "msg": str(error)}  # an exception would pass by failed_when
        if not args.pop("find"):
            return {**checked_result(args), "release": release}
        return {**self._execute_module(module_args=args, task_vars=task_vars), "release": release}

    def _variable(self, name: str) -> t.Any:
        """The value of a variable; its text where it can't be templated, and None for one that isn't set."""
        value = self._templar.available_variables.get(name)
        with contextlib.suppress(AnsibleError):
            return self._templar.template(value)
        return str(value)


def prepared(given: Item) -> dict[str, t.Any]:
    """The module's arguments: entries in place of text, the release's own workloads where none are declared."""
    args = {key: value for key, value in given.items() if key not in OWN}
    cluster = given.get("cluster") or {}
    declared = declaration.entries(read("pod_identity_workloads", given.get("workloads")))
    if not declared and given.get("enbuild") is not None:
        declared = enbuild.workloads(_release(given["enbuild"]), cluster, _true(given.get("optional"), False))
    args["workloads"] = declaration.checked(declared)
    example = "{team: shop}"
    args["association_tags"] = read_dictionary("pod_identity_associations_tags", given.get("association_tags"), example)
    args["find"] = _true(given.get("find"), True)
    return args


def release_declared(given: Item, variable: t.Callable[[str], t.Any]) -> bool:
    """Whether the release itself is declared; ``variable`` returns the value of a variable by its name."""
    if given.get("enbuild") is None:
        return False
    own = declaration.entries(read("pod_identity_workloads", given.get("workloads")))
    named = any(_says_something(variable(str(name))) for name in given["enbuild"].get("named_by") or ())
    return enbuild.declared(own, _release(given["enbuild"]), named)


def _says_something(value: t.Any) -> bool:
    """Whether a variable holds anything; text that isn't YAML does, and is refused by whoever needs it."""
    try:
        return read("The text", value) not in (None, "", [], {})
    except Refused:
        return True


def checked_result(args: Item) -> dict[str, t.Any]:
    """What is known of a declaration without looking at the live cluster."""
    declared, cluster = args["workloads"], args.get("cluster") or {}
    expected = declaration.expected(declared, cluster, args.get("path") or "/") if cluster else []
    return {"changed": False, "declared": declared, "expected": expected}


def _release(given: Item) -> dict[str, t.Any]:
    """The release's options, where undefined, empty and null mean the same."""
    if unknown := sorted(set(given) - set(enbuild.RELEASE_SPEC)):
        raise Refused(
            f"enbuild has the unknown key {', '.join(unknown)}; the keys are {', '.join(enbuild.RELEASE_SPEC)}."
        )
    return {
        **{key: given.get(key) or "" for key in ("release_name", "release_namespace", "ai_role_name", "ctf_role_name")},
        **{key: _true(given.get(key), True) for key in ("ai", "ctf")},
        **{key: _true(given.get(key), False) for key in ("ai_full_access", "ai_invoke", "asked")},
        **{key: _texts(f"enbuild_{key}", given.get(key)) for key in ("ai_models", "ctf_buckets")},
    }


def _texts(name: str, value: t.Any) -> list[str]:
    return [str(each) for each in read_list(name, value)]


def _true(value: t.Any, default: bool) -> bool:
    """A boolean in any of Ansible's own forms, as the options of the release take it."""
    if value is None or value == "":
        return default
    return bool(boolean(value, strict=False))
