# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job of the tests is what a real AWX was seen to run: the command, the places, the variables."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.runner import pod
from ansible_collections.enbuild.eks.tests.runner.credentials import kubernetes_bearer_token
from ansible_collections.enbuild.eks.tests.runner.job import Job, run
from ansible_collections.enbuild.eks.tests.runner.project import Project

PLAY = {
    "name": "Say what a job finds",
    "hosts": "all",
    "connection": "local",
    "gather_facts": False,
    "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    "tasks": [
        {
            "name": "Hand it on",
            "ansible.builtin.set_stats": {
                "data": {
                    "found": {
                        "answer": "{{ answer }}",
                        "own": "{{ own }}",
                        "nothing": "{{ nothing }}",
                        "host": "{{ place }}",
                        "job": "{{ awx_job_id }}",
                        "authority": "{{ lookup('file', lookup('env', 'K8S_AUTH_SSL_CA_CERT')) }}",
                        "check": "{{ ansible_check_mode }}",
                        "home": "{{ lookup('env', 'HOME') }}",
                        "collections": "{{ lookup('env', 'ANSIBLE_COLLECTIONS_PATH') }}",
                        "left": "{{ lookup('env', 'ENBUILD_TEST_LEFT_OVER') }}",
                    }
                }
            },
        }
    ],
}


@pytest.fixture(params=["in namespaces", "without"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pod.Pod:
    """A pod; this process' environment has something that its has not."""
    if request.param == "without":
        monkeypatch.setattr(pod, "namespaces", tuple)
    elif not pod.namespaces():
        pytest.skip("this user or system gives a process no mounts and processes of its own")
    monkeypatch.setenv("ENBUILD_TEST_LEFT_OVER", "of this process")
    return pod.make(tmp_path, {})


def test_a_job_finds_what_awx_gives_it(place: pod.Pod, tmp_path: Path) -> None:
    checkout, none = tmp_path / "checkout", tmp_path / "none"
    (checkout / "playbooks").mkdir(parents=True)
    none.mkdir()
    (checkout / "playbooks" / "say.yml").write_text(json.dumps([PLAY]))
    job = Job(
        playbook="playbooks/say.yml",
        hosts={"production": {"place": "inventory"}},
        answers={"answer": "{{ 7*7 }}", "nothing": None},
        extra_vars={"own": "{{ 7*7 }}"},
        credentials=[kubernetes_bearer_token("https://example.com", "token", "-- authority --")],
        job_type="check",
        diff_mode=True,
        id=12,
    )
    done = run(job, Project(checkout, none), place, tmp_path)
    runner = place.runner
    assert done.status == "successful", done.output
    files = ["-i", f"{runner}/inventory/hosts", "-e", f"@{runner}/env/extravars", "playbooks/say.yml"]
    assert done.command == ["ansible-playbook", "--check", "-u", "root", "--diff", *files]
    found: dict[str, t.Any] = done.artifacts["found"]
    assert found.pop("collections").split(":")[0] == f"{runner}/requirements_collections"
    assert found == {
        "answer": "{{ 7*7 }}",
        "own": 49,
        "nothing": None,
        "host": "inventory",
        "job": 12,
        "authority": "-- authority --",
        "check": True,
        "home": str(tmp_path / "home"),
        "left": "",
    }
