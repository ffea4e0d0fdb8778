# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a module runs in a fork, and what comes of it."""

from __future__ import annotations

import logging
import sys
import types
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible import constants
from ansible.module_utils.basic import AnsibleModule
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as Normal
from ansible_collections.enbuild.eks.plugins.module_utils._core import pace
from ansible_collections.enbuild.eks.plugins.plugin_utils._core.own_module import OwnModule, load

OWN = "ansible_collections.enbuild.eks.plugins.action.eks_cluster_info"
HERE = {"ansible_python_interpreter": sys.executable}
AS_EVER = {"as": "ever"}


def main() -> None:
    module = AnsibleModule({"name": {"type": "str"}, "secret": {"no_log": True}}, supports_check_mode=True)
    module.warn("It is late.")
    logging.getLogger().warning("to the log")
    if module.params["name"] == "noise":
        print("noise")
    if module.params["name"] == "nothing":
        sys.exit(4)
    if module.params["name"] == "raise":
        raise KeyError("orders")
    if module.params["name"] == "sharing":
        module.exit_json(folder=pace._sharing.folder, account=pace._sharing.account)
    if module.params["name"] == "fail":
        module.fail_json(msg="There is none.", seen=[1])
    module.exit_json(changed=True, name=module.params["name"], check=module.check_mode, seen=module.params["secret"])


class Own(OwnModule, Normal):
    """The action of the module above."""

    module = types.ModuleType("own")


t.cast("t.Any", Own.module).main = main


def action(kind: type[OwnModule] = Own, **of_task: t.Any) -> t.Any:
    made = t.cast("t.Any", kind.__new__(kind))
    task: dict[str, t.Any] = {
        "action": "enbuild.eks.own",
        "args": {},
        "environment": [],
        "delegate_to": None,
        "check_mode": False,
    }
    made._task = mock.Mock(**{**task, "async_val": 0, "diff": False, "no_log": False, **of_task})
    made._connection = mock.Mock(transport="local", become=None)
    made._connection._shell.tmpdir = None
    made._play_context = mock.Mock(no_log=False)
    made._templar = mock.Mock(template=lambda value: value)
    made._loader = made._shared_loader_obj = None
    return made


def run(made: t.Any, given: dict[str, t.Any], variables: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    """What the module returns; ``AS_EVER`` where Ansible would start a process for it."""
    made._task.args = given
    with (
        mock.patch.object(ActionBase, "_execute_module", return_value=AS_EVER),
        mock.patch.object(ActionBase, "_update_module_args", lambda _self, _name, args, _variables: args.update(EXTRA)),
    ):
        return t.cast("dict[str, t.Any]", made._execute_module(task_vars=HERE if variables is None else variables))


EXTRA = {"_ansible_check_mode": True, "_ansible_no_log": False}
"""Two of the arguments that Ansible adds."""


def test_arguments_and_results_pass() -> None:
    result = run(action(), {"name": "é\n", "secret": "hush"})
    assert (result["changed"], result["name"], result["check"]) == (True, "é\n", True)
    assert "hush" not in str(result)


def test_its_warnings_are_in_the_result() -> None:
    assert "It is late." in str(run(action(), {"name": "x"})["warnings"])


def test_it_shares_the_pace_of_the_run_with_tasks_of_the_same_account() -> None:
    role = {"eks_assume_role_arn": "arn:aws:iam::222222222222:role/fleet"}
    given = [run(action(), {"name": "sharing"}, {**HERE, **more}) for more in ({}, role)]
    assert [each["folder"] for each in given] == [constants.DEFAULT_LOCAL_TMP] * 2
    assert [each["account"].strip() for each in given] == ["", "222222222222"]
    assert not pace.is_shared()


def test_a_failure_is_a_result() -> None:
    result = run(action(), {"name": "fail"})
    assert (result["failed"], result["msg"], result["seen"]) == (True, "There is none.", [1])


def test_a_wrong_argument_is_a_result() -> None:
    assert "Unsupported parameters" in run(action(), {"nme": "x"})["msg"]


def test_noise_before_the_result_is_passed_over() -> None:
    assert run(action(), {"name": "noise"})["name"] == "noise"


@pytest.mark.parametrize(("name", "words"), [("nothing", "status 4"), ("raise", "status 1")])
def test_an_end_without_a_result_is_a_failure(name: str, words: str) -> None:
    result = run(action(), {"name": name})
    assert result["failed"]
    assert f"enbuild.eks.own ended without a result ({words})" in result["msg"]
    assert ("KeyError" in result["exception"]) == (name == "raise")


def test_nothing_reaches_the_log_of_ansible(tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "log")
    logging.getLogger().addHandler(handler)
    try:
        run(action(), {"name": "x"})
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    assert (tmp_path / "log").read_text() == ""


@pytest.mark.parametrize(
    "variables",
    [{}, {"ansible_python_interpreter": "/usr/libexec/platform-python"}, {"ansible_python_interpreter": "auto"}],
)
def test_for_another_python_a_process_is_started(variables: dict[str, t.Any]) -> None:
    assert run(action(), {}, variables) == AS_EVER


def test_a_delegated_task_has_the_python_of_the_other_host() -> None:
    there = {"ansible_delegated_vars": {"bastion": HERE}}
    assert run(action(delegate_to="bastion"), {}, there)["changed"]
    assert run(action(delegate_to="bastion"), {}, {**HERE, "ansible_delegated_vars": {"bastion": {}}}) == AS_EVER


def test_on_another_machine_a_process_is_started() -> None:
    made = action()
    made._connection.transport = "ssh"
    assert run(made, {}) == AS_EVER


def test_on_macos_a_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert run(action(), {}) == AS_EVER


def test_as_another_user_a_process_is_started() -> None:
    made = action()
    made._connection.become = mock.Mock()
    assert run(made, {}) == AS_EVER


def test_with_an_environment_of_its_own_a_process_is_started() -> None:
    assert run(action(environment=[{"AWS_PROFILE": "prod"}]), {}) == AS_EVER
    assert run(action(environment=[{}, None]), {})["changed"]


def test_files_that_are_kept_need_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True, raising=False)
    assert run(action(), {}) == AS_EVER


def test_an_asynchronous_task_needs_a_process() -> None:
    made = action()
    with mock.patch.object(ActionBase, "_execute_module", return_value=AS_EVER):
        assert made._execute_module(task_vars=HERE, wrap_async=True) == AS_EVER


def test_a_module_that_cannot_be_imported_is_left_to_ansible() -> None:
    class Missing(OwnModule, Normal):
        module = load("enbuild.eks.no_such_module")

    assert Missing.module is None
    assert run(action(Missing), {}) == AS_EVER


def test_the_module_is_found_by_the_name_of_its_action() -> None:
    found = load(OWN)
    assert found is not None
    assert found.__name__.endswith(".plugins.modules.eks_cluster_info")
