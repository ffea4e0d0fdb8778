# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release on the lab: no secret of it in any event, no chart where nothing changes, and what a failure says."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.integration.guide import NAMESPACE, run_guide, start_over
from ansible_collections.enbuild.eks.tests.integration.releases import set_status
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun

pytestmark = pytest.mark.lab

CALLBACKS = CHECKOUT / "tests" / "integration" / "callbacks"
IN_A_FILE, IN_A_VARIABLE, IN_A_POD, IN_THE_RELEASE, AS_A_NUMBER = (
    "pl4nted-file",
    "pl4nted-note",
    "pl4nted-region",
    "pl4nted-held",
    "pl4nted-replicas",
)
SECRETS = (IN_A_FILE, IN_A_VARIABLE, IN_A_POD, IN_THE_RELEASE, AS_A_NUMBER)
TOKEN = re.compile(r"k8s-aws-v1\.[\w-]{8}")
NO_REPOSITORY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Stored:
    """A playbook's run, with the text of all that could be kept of it."""

    run: PlaybookRun
    kept: str

    def assert_no_secret(self) -> None:
        forms = [*SECRETS, *(base64.b64encode(each.encode()).decode().rstrip("=") for each in SECRETS)]
        found = [self.kept[max(0, at - 300) : at + 60] for each in forms if (at := self.kept.find(each)) >= 0]
        assert found == []
        assert not TOKEN.search(self.kept)


class Keeper:
    """Runs playbooks, as verbose as they get, and keeps everything: events, output, log, temporary files."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.values = folder / "values.yaml"
        self.values.write_text(yaml.safe_dump({"enbuildBackend": {"secret": IN_A_FILE}}))

    def run(self, playbook: str, *arguments: str, verbosity: str = "-vvvv", **variables: t.Any) -> Stored:
        events, log, local = self.folder / "events", self.folder / "log", self.folder / "tmp"
        for file in (events, log):
            file.write_text("")
        environment = {
            "KEEP_EVERYTHING": str(events),
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "keep_everything",
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_LOCAL_TEMP": str(local),
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        }
        # In a file, as AWX gives them: at -vvvv Ansible prints its own command line.
        secret = {"enbuild_release_values": variables.pop("enbuild_release_values", self.variable())}
        (self.folder / "extra.json").write_text(json.dumps(secret))
        given = {"enbuild_release_values_files": [str(self.values)], **variables}
        words = (*filter(None, [verbosity]), "-e", f"@{self.folder / 'extra.json'}", *arguments)
        run = run_guide(self.lab, playbook, *words, environment=environment, **given)
        left = [path for path in local.rglob("*") if path.is_file()]
        kept = [run.output, events.read_text(), log.read_text(), *(path.read_text() for path in left)]
        assert "enbuild_release" in kept[1]
        return Stored(run, "\n".join(kept))

    @staticmethod
    def variable() -> dict[str, t.Any]:
        """One value that no template reads, and one that a container's environment has in clear."""
        return {"enbuildCTF": {"note": IN_A_VARIABLE, "aws_region": IN_A_POD}}


@pytest.fixture(scope="module")
def keeper(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Keeper]:
    start_over(lab)
    yield Keeper(lab, tmp_path_factory.mktemp("kept"))
    start_over(lab, wait=False)


def quota(lab: Lab, pods: int) -> None:
    """Let the release's namespace have so many pods."""
    spec = {"hard": {"pods": str(pods)}}
    made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": spec}
    lab.kubectl("apply", "-n", NAMESPACE, "-f", "-", input=json.dumps(made))


def test_a_time_out_names_what_is_not_ready_and_the_next_run_upgrades_once_more(lab: Lab, keeper: Keeper) -> None:
    lab.kubectl("create", "namespace", NAMESPACE)
    quota(lab, 0)
    failed = keeper.run("site", "--tags", "enbuild_release", enbuild_release_timeout="8s")
    lab.kubectl("delete", "resourcequota", "few", "-n", NAMESPACE)
    assert "Failed to install or upgrade release enbuild/enbuild: " in failed.run.failure
    assert re.search(r"Not ready: Deployment enbuild-enbuild-\w+: FailedCreate: .* exceeded quota", failed.run.failure)
    assert "helm status enbuild -n enbuild" in failed.run.failure
    assert "changed nothing" not in failed.run.output
    failed.assert_no_secret()
    again = keeper.run("site", "--tags", "enbuild_release")
    assert again.run.returncode == 0, again.run.output[-5000:]
    (change,) = again.run.stats["pod_identity_changes"]["lab"]
    assert (change["action"], change["what"]) == ("update", ["status failed"])
    assert "deployed" in lab.helm("get", "metadata", "enbuild", "-n", NAMESPACE)
    again.assert_no_secret()


def test_no_event_of_site_has_a_secret(lab: Lab, keeper: Keeper) -> None:
    lab.helm(
        *("upgrade", "enbuild", "enbuild", "--repo", lab.chart_repository_url, "-n", NAMESPACE, "--reuse-values"),
        *("--set", f"enbuildMQ.secret={IN_THE_RELEASE},enbuildCTF.note=old,enbuildCTF.aws_region=eu-west-1"),
    )
    predicted = keeper.run("site", "--check", "--diff", verbosity="")
    done = keeper.run("site", "--diff")
    for stored in (predicted, done):
        assert stored.run.returncode == 0, stored.run.output[-5000:]
        what = stored.run.stats["pod_identity_changes"]["lab"][0]["what"]
        assert what == ["value enbuildCTF.aws_region", "value enbuildCTF.note"]
        stored.assert_no_secret()
    assert IN_A_POD in lab.kubectl("get", "deployment", "-n", NAMESPACE, "-o", "yaml"), "nothing was planted"
    assert "Restart Deployment enbuild/enbuild-enbuild-ctf" in done.run.output
    again = keeper.run("site", enbuild_release_chart_repository_url=NO_REPOSITORY)
    assert (again.run.returncode, again.run.changed) == (0, []), again.run.output[-5000:]
    again.assert_no_secret()


def test_no_event_of_a_failing_helm_has_a_secret(keeper: Keeper) -> None:
    values = {"enbuildUI": {"replicas": AS_A_NUMBER}}
    failed = keeper.run("site", "--tags", "enbuild_release", enbuild_release_values=values)
    assert "Failed to install or upgrade release enbuild/enbuild: " in failed.run.failure
    assert "replicas" in failed.run.failure
    failed.assert_no_secret()
    refused = keeper.run("site", "--tags", "enbuild_release", enbuild_release_values=f"password: {IN_A_VARIABLE}: x")
    assert "enbuild_release_values is not YAML (line 1, column " in refused.run.failure
    assert refused.run.changed == []
    refused.assert_no_secret()


def test_no_event_of_drift_and_teardown_has_a_secret(lab: Lab, keeper: Keeper) -> None:
    set_status(lab, NAMESPACE, "deployed")
    values = {"enbuildUI": {"replicas": 1, "secret": IN_A_VARIABLE}, **keeper.variable()}
    drift = keeper.run("drift", enbuild_release_values=values)
    items = drift.run.stats["pod_identity_drift"]["lab"]["items"]
    assert [each["what"] for each in items if each["kind"] == "release"] != []
    assert "value enbuildUI.secret" in items[0]["what"]
    drift.assert_no_secret()
    removed = keeper.run("teardown", pod_identity_teardown_release=True)
    assert removed.run.returncode == 0, removed.run.output[-5000:]
    assert lab.helm("list", "-n", NAMESPACE, "-q") == ""
    removed.assert_no_secret()
