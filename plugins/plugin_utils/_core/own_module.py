# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of a module of this collection: on the controller, the module runs in a fork of the task's process.

Ansible packs a module with all that it imports, starts a Python for it, and imports all that anew: for a module that
calls AWS and Kubernetes, most of a second. Where the same Python on the same machine would run it, a fork is the same
with everything imported already: Ansible loads a task's action in the process that it forks for each task.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import sys
import types
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils import _internal, basic
from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
from ansible.plugins.action import ActionBase

from ...module_utils._core import pace
from . import fork

MODULES = "ansible_collections.enbuild.eks.plugins.modules"
PROFILE = "legacy"
"""How Ansible writes arguments and results of Python modules as JSON."""
INTERPRETER = "ansible_python_interpreter"
ROLE = "eks_assume_role_arn"
"""The variable with the role that makes a host's AWS calls; it tells the host's account."""
OPTIONS = {"module_args", "task_vars", "wrap_async"}
"""What an action of this collection asks Ansible for when it runs its module."""


def load(action: str) -> types.ModuleType | None:
    """Return the module that the action of this dotted name is for.

    None where something isn't installed: run as ever, the module says what.
    """
    with contextlib.suppress(ImportError):
        module = importlib.import_module(f"{MODULES}.{action.rpartition('.')[2]}")
        gc.freeze()  # What is imported stays, and forks that don't look at it share its memory.
        return module
    return None


class OwnModule(ActionBase):
    """Runs its module in a fork where that is what Ansible would come to, and else as Ansible runs any module."""

    module: t.ClassVar[types.ModuleType | None]

    def _execute_module(self, **options: t.Any) -> dict[str, t.Any]:
        variables = options.get("task_vars") or {}
        module = self.module
        if module is None or options.keys() - OPTIONS or options.get("wrap_async") or not self._is_here(variables):
            return dict(super()._execute_module(**options))
        arguments = options.get("module_args", self._task.args)
        self._update_module_args(self._task.action, arguments, variables)
        sharing = pace.Sharing(str(constants.DEFAULT_LOCAL_TMP), self._account(arguments, variables))
        return _result(self._task.action, fork.call(lambda: _run(module.main, _packed(arguments), sharing)))

    def _account(self, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> str:
        """What tells the AWS account of this task from those of others: a profile, and the account of a role."""
        role = ""
        with contextlib.suppress(AnsibleError):  # The task that uses it says what is wrong with it.
            role = str(self._templar.template(variables.get(ROLE) or ""))
        return f"{arguments.get('profile') or ''} {''.join(role.split(':')[4:5])}"

    def _is_here(self, variables: dict[str, t.Any]) -> bool:
        """Whether Ansible would start this process's own Python, as this user, with this environment."""
        host = self._task.delegate_to
        of_host = variables.get("ansible_delegated_vars", {}).get(host, {}) if host else variables
        return (
            sys.platform != "darwin"  # Its libraries may end a fork that looks for a proxy.
            and self._connection.transport == "local"
            and not self._connection.become
            and not any(self._task.environment or ())
            and not constants.DEFAULT_KEEP_REMOTE_FILES
            and self._templar.template(of_host.get(INTERPRETER)) == sys.executable
        )


def _packed(arguments: dict[str, t.Any]) -> bytes:
    encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    return json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder).encode()


def _run(main: t.Callable[[], None], arguments: bytes, sharing: pace.Sharing) -> None:
    """Run a module as if in a Python of its own: it returns its warnings, and writes to no log of Ansible's."""
    pace.share(sharing)
    _internal.is_controller = False
    logging.getLogger().handlers.clear()
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments, PROFILE
    main()


def _result(module: str, ended: fork.Ended) -> dict[str, t.Any]:
    lines = ended.output.splitlines()
    decoder = get_module_decoder(PROFILE, Direction.MODULE_TO_CONTROLLER)
    with contextlib.suppress(ValueError, IndexError):
        result: dict[str, t.Any] = json.loads(lines[-1], cls=decoder)
        return result
    return {
        "failed": True,
        "msg": f"{module} ended without a result (status {ended.status}).",
        "exception": ended.errors,
        "module_stdout": ended.output,
    }
