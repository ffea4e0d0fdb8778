# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks pass on (set_stats) and write (reports as JSON) is what it was when it was recorded.

Whoever reads an artifact or a report by program relies on its keys and values, so a change here is a change for users.
``ENBUILD_TEST_RECORD=1`` records anew what is meant to change; sentences for people may change without that.
"""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.tests.integration import guide, irsa
from ansible_collections.enbuild.eks.tests.integration.shop import LISTING, policy, trust
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun

pytestmark = pytest.mark.lab

RECORD = "ENBUILD_TEST_RECORD"
RECORDED = Path(__file__).parent / "data" / "artifacts"
AI, CTF = "enbuild-ai-bedrock", "enbuild-ctf-s3"
SENTENCES = (
    "message",
    "remedy",
    "problem",
    "reasons",
    "steps",
    "left",
    "warnings",
    "task",
    "stopped_by",
    "untried",
    "obstacle",
)
"""Keys of texts for people. Whether there is one is compared; its words are not."""
CHOSEN_BY_KUBERNETES = ("node",)
VOLATILE = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r"\ba-[a-z0-9]{17}\b"), "ASSOCIATION"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"\b127\.0\.0\.1:\d+\b"), "ADDRESS"),
    (re.compile(r"(?<=[a-z])-[0-9a-z]{6,10}-[0-9a-z]{5}\b"), "-POD"),
)
Tree = t.Any


class Recorder:
    """Runs playbooks on the guide's cluster; what each passes on and writes is compared or recorded under a name."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder

    def run(self, name: str, playbook: str, *arguments: str, **variables: t.Any) -> Tree:
        """Run a playbook, and return what it passed on and wrote, made comparable."""
        reports = self._folder / name
        run = guide.run_guide(
            self._lab,
            playbook,
            *arguments,
            environment={"ANSIBLE_SHOW_CUSTOM_STATS": "true"},
            pod_identity_report_dir=str(reports),
            **variables,
        )
        assert "PLAY RECAP" in run.output, run.output
        made = self._comparable(run, reports)
        file = RECORDED / f"{name}.json"
        if os.environ.get(RECORD):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
        return made

    def _comparable(self, run: PlaybookRun, reports: Path) -> Tree:
        files = {path.name: json.loads(path.read_text()) for path in sorted(reports.glob("*.json"))}
        whole = {"returncode": run.returncode, "artifacts": run.stats, "files": files}
        return without_the_volatile(whole, {self._lab.account_id: "ACCOUNT", str(self._folder): "FOLDER"})


def without_the_volatile(tree: Tree, names: t.Mapping[str, str]) -> Tree:
    """Return ``tree`` with the same word for all that differs from run to run, and with no sentence's words."""
    text = json.dumps(_without_words(tree))
    for volatile, word in names.items():
        text = text.replace(volatile, word)
    for pattern, word in VOLATILE:
        text = pattern.sub(word, text)
    return json.loads(text)


def _without_words(tree: Tree, key: str = "") -> Tree:
    if isinstance(tree, dict):
        return {name: _without_words(value, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_without_words(each, key) for each in tree]
    unread = key in (*SENTENCES, *CHOSEN_BY_KUBERNETES) and isinstance(tree, str) and tree
    return "TEXT" if unread else tree


def _spoil(lab: Lab) -> None:
    """Make each kind of thing differ once, and leave a workload beside it that never had an identity."""
    iam, eks = lab.aws("iam"), lab.aws("eks")
    iam.update_assume_role_policy(RoleName=CTF, PolicyDocument=trust())
    iam.put_role_policy(RoleName=CTF, PolicyName="other", PolicyDocument=policy(LISTING))
    arn = f"arn:aws:iam::{lab.account_id}:role/{CTF}"
    cluster = {"clusterName": lab.cluster_name}
    for each in eks.list_pod_identity_associations(**cluster)["associations"]:
        if each["serviceAccount"].endswith("-ctf"):
            eks.delete_pod_identity_association(**cluster, associationId=each["associationId"])
    for namespace, tags in ((guide.NAMESPACE, {}), ("nowhere", MANAGED_BY)):
        given = {"namespace": namespace, "serviceAccount": "builder", "roleArn": arn, "tags": tags}
        eks.create_pod_identity_association(**cluster, **given)
    ctf = (f"deployment/{irsa.RELEASE}-enbuild-ctf", "-n", guide.NAMESPACE)
    lab.kubectl("rollout", "restart", *ctf)
    lab.kubectl("rollout", "status", *ctf, "--timeout=60s")


@pytest.fixture(scope="module")
def made(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Tree]]:
    """What each run passed on and wrote: from a cluster with IRSA, by way of one that drifted, to the teardown."""
    guide.start_over(lab)
    lab.kubectl("create", "namespace", guide.NAMESPACE)
    irsa.install_with_irsa(lab, guide.NAMESPACE, AI)
    run = Recorder(lab, tmp_path_factory.mktemp("reports")).run
    here = {"pod_identity_migrate_namespaces": [guide.NAMESPACE]}
    act = {"pod_identity_migrate_act": True, "pod_identity_migrate_finish": True}
    done = {
        "migrate_plan": run("migrate_plan", "migrate", **here),
        "migrate": run("migrate", "migrate", **here, **act),
    }
    _spoil(lab)
    done |= {name: run(name, name) for name in ("verify", "drift")}
    done["diagnose"] = run("diagnose", "diagnose", pod_identity_diagnose_namespaces=[guide.NAMESPACE])
    done["site"] = run("site", "site", enbuild_release_values={"enbuildUI": {"replicas": 2}})
    done["teardown"] = run("teardown", "teardown", "--check", pod_identity_teardown_force=True)
    yield done
    guide.start_over(lab, wait=False)


@pytest.mark.parametrize("name", ["migrate_plan", "migrate", "verify", "drift", "diagnose", "site", "teardown"])
def test_artifacts_and_reports_are_as_recorded(made: dict[str, Tree], name: str) -> None:
    assert made[name] == json.loads((RECORDED / f"{name}.json").read_text())


def test_only_words_and_what_is_volatile_may_differ() -> None:
    def comparable(**other: t.Any) -> Tree:
        finding = {
            "code": "stale_pods",
            "message": "1 pod",
            "pod": "api-5d8f7c9b64-x2x4z",
            "at": "2026-01-02T03:04:05Z",
        }
        return without_the_volatile({"findings": [{**finding, **other}]}, {"123456789012": "ACCOUNT"})

    assert comparable() == comparable(message="2 pods", pod="api-7f8d9c6b5f-abcde")
    assert comparable(code="former_role") != comparable()
    assert comparable(message="") != comparable()
    assert comparable(arn="arn:aws:iam::123456789012:role/a")["findings"][0]["arn"] == "arn:aws:iam::ACCOUNT:role/a"
