# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import types
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.plugins.action import pod_identity_report as action
from ansible_collections.enbuild.eks.plugins.modules import pod_identity_report as module
from ansible_collections.enbuild.eks.tests.unit.plugins import report_samples as samples

VERDICT = {"about": "verdict", "cluster": samples.CLUSTER, "found": {"workloads": [], "findings": []}}


def run(args: t.Any, register: t.Any = "pod_identity_reported", **variables: t.Any) -> dict[str, t.Any]:
    """Run the action on a host of its own."""
    host = {"inventory_hostname": "prod", **variables}
    task = types.SimpleNamespace(
        args=args, register=register, check_mode=False, action="pod_identity_report", async_val=0, diff=False
    )
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="unused"))
    made = action.ActionModule(task, connection, None, None, None, None)
    made._load_name = "enbuild.eks.pod_identity_report"
    return made.run(None, {**host, "ansible_play_hosts_all": ["prod"], "hostvars": {"prod": host}})


def assert_refused(result: dict[str, t.Any], said: str) -> None:
    """A failed result, which failed_when sees, with the message."""
    assert result["failed"] is True
    assert re.search(said, result["msg"]), result["msg"]


def test_it_prints_writes_and_passes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run({**VERDICT, "dir": str(tmp_path)})
    assert "production: 0 workloads" in capsys.readouterr().out
    assert result["files"] == [f"{tmp_path}/prod.html", f"{tmp_path}/prod.json"]
    assert json.loads((tmp_path / "prod.json").read_text())["cluster"]["name"] == "production"
    assert result["ansible_stats"]["data"].keys() == {"pod_identity_report"}
    assert (result["changed"], result["ansible_stats"]["aggregate"]) == (False, True)


@pytest.mark.parametrize("colours", [True, False])
def test_lines_are_coloured_where_ansible_uses_colours(
    colours: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible.utils.color.ANSIBLE_COLOR", colours)
    action.show(["lab: changed nothing", "ERROR stale_pods: Wrong", "  -> kubectl get pods"])
    good, bad, remedy = capsys.readouterr().out.splitlines()
    assert [line.startswith("\x1b[") for line in (good, bad, remedy)] == [colours, colours, False]
    assert all(text in line for text, line in (("lab: changed nothing", good), ("ERROR stale_pods: Wrong", bad)))
    assert remedy == "  -> kubectl get pods"


def test_what_was_known_before_is_kept() -> None:
    failed = {"about": "stop", "failed_task": "Read", "failed_result": {"msg": "no"}}
    stopped = run(failed, pod_identity_reported=run(VERDICT))
    assert stopped["known"].keys() == {"report", "stop", "advice"}
    end = run({"about": "end"}, None, pod_identity_reported=stopped)
    assert (end["failed"], end["msg"]) == (True, 'prod stopped at "Read", for the reason above.')


@pytest.mark.parametrize("register", [None, "pod_identity_verify_reported", {"pod_identity_verify_reported": "_task"}])
def test_what_the_end_would_not_find_is_refused(register: t.Any) -> None:
    assert_refused(run(VERDICT, register), "Register the result as pod_identity_reported")


def test_a_name_is_found_as_ansible_core_2_21_has_it() -> None:
    """It keeps the names that a task registers as keys."""
    assert "failed" not in run(VERDICT, {"pod_identity_reported": "_task.polymorphic_result"})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"folder": "reports"}, "Unsupported parameters.*folder"),
        ({"about": "weather"}, "value of about must be one of"),
        ({"about": "drift"}, "about is drift but all of the following are missing: seen"),
        ({"rung": "top"}, "top is not a rung"),
    ],
)
def test_options_are_checked_as_a_modules_are(more: t.Any, said: str) -> None:
    assert_refused(run({**VERDICT, **more}), said)


def test_a_folder_that_cannot_be_written_is_a_failure_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(run({**VERDICT, "dir": str(tmp_path / "file")}), "file")


def test_options_are_those_that_are_documented() -> None:
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    keys = ("type", "required", "choices", "default")
    assert {
        name: {key: option[key] for key in keys if key in option} for name, option in documented.items()
    } == action.ARGUMENT_SPEC
