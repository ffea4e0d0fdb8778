# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm is called without a secret on its command line, and what it says is passed on without values."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.apply import Outcome, converge, remove
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.helm import Helm, HelmMissing
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.model import Desired, Target

RELEASE = Target("enbuild", "shop")
SECRET = "hunter2-secret"
DESIRED = Desired(RELEASE, "enbuild", "https://charts.example.com", values=({"password": SECRET},))
METADATA = {"name": "enbuild", "chart": "enbuild", "version": "0.0.46", "revision": 2, "status": "deployed"}
SCRIPT = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
answers = json.loads((folder / "answers.json").read_text())
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps([sys.argv[1:], sys.stdin.read(), sorted(os.environ)]) + chr(10))
word = " ".join(sys.argv[1:3]) if sys.argv[1] in ("get", "show") else sys.argv[1]
code, text = answers.get(word, [0, ""])
print(text, file=sys.stderr if code else sys.stdout)
sys.exit(code)
"""


class FakeHelm:
    """A helm that answers by its first words, and remembers what it was called with."""

    def __init__(self, folder: Path) -> None:
        import sys

        self.folder = folder
        self.path = folder / "helm"
        self.path.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o755)
        self.answers: dict[str, tuple[int, str]] = {
            "version": (0, "v3.22.0"),
            "show chart": (0, "name: enbuild\nversion: 0.0.46"),
            "template": (0, f"kind: Secret\nstringData: {{password: {SECRET}}}"),
        }
        self.holds(None)

    def holds(self, values: t.Any, **more: t.Any) -> None:
        if values is None:
            self.answers["get metadata"] = (1, "Error: release: not found")
        else:
            self.answers["get metadata"] = (0, json.dumps({**METADATA, **more}))
            self.answers["get values"] = (0, json.dumps(values))

    def converge(self, check_mode: bool = False, pods: str = "", **more: t.Any) -> Outcome:
        self._ready()
        helm = Helm(str(self.path), "/run/kubeconfig", "eks")
        return converge(helm, DESIRED, lambda _release: pods, "1.33", check_mode)

    def refused(self) -> str:
        """Why the release can't even be read."""
        with pytest.raises(Refused) as caught:
            self.converge(check_mode=True)
        return str(caught.value)

    def remove(self, check_mode: bool = False) -> Outcome:
        self._ready()
        return remove(Helm(str(self.path)), RELEASE, True, "5m", check_mode)

    def _ready(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self.answers))
        (self.folder / "calls").write_text("")

    @property
    def calls(self) -> list[list[t.Any]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    @property
    def commands(self) -> list[str]:
        return [" ".join(call[0][:2]) if call[0][0] in ("get", "show") else call[0][0] for call in self.calls]


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    return FakeHelm(tmp_path)


def test_nothing_to_change_takes_two_readings(helm: FakeHelm) -> None:
    helm.holds({"password": SECRET, "mine": 1})
    assert helm.converge().plan.action == ""
    assert helm.commands == ["get metadata", "get values"]


def test_an_installation_gives_values_by_standard_input(helm: FakeHelm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_KUBETOKEN", "stray")
    monkeypatch.setenv("HELM_DRIVER", "secret")
    outcome = helm.converge()
    assert (outcome.plan.action, outcome.failure) == ("create", "")
    assert helm.commands == ["get metadata", "version", "show chart", "upgrade"]
    arguments, given, variables = helm.calls[-1]
    assert arguments == [
        *("upgrade", "--install", "--create-namespace", "enbuild", "enbuild", "--repo=https://charts.example.com"),
        *("--version=0.0.46", "--reset-values", "--values=-", "--timeout=10m", "--wait"),
        *("--namespace=shop", "--kubeconfig=/run/kubeconfig", "--kube-context=eks"),
    ]
    assert json.loads(given) == {"password": SECRET}
    assert "HELM_KUBETOKEN" not in variables
    assert "HELM_DRIVER" in variables


def test_check_mode_renders_and_changes_nothing(helm: FakeHelm) -> None:
    helm.holds({"password": "other"})
    outcome = helm.converge(check_mode=True)
    assert (outcome.plan.action, outcome.plan.what) == ("update", ("value password",))
    assert SECRET in outcome.manifests
    assert helm.commands[-1] == "template"
    assert "--kube-version=1.33" in helm.calls[-1][0]
    assert SECRET not in repr(outcome)


def test_a_failure_is_told_without_values_and_names_the_pods(helm: FakeHelm) -> None:
    helm.answers["upgrade"] = (1, f'Error: UPGRADE FAILED: cannot patch "x": Invalid value: "{SECRET}"')
    outcome = helm.converge(pods=f"Not ready: pod a: container main Waits: for {SECRET}.")
    assert outcome.failure == (
        'Failed to install or upgrade release shop/enbuild: UPGRADE FAILED: cannot patch "x": Invalid value: [hidden].'
        " Not ready: pod a: container main Waits: for [hidden]."
        " See helm status enbuild -n shop; mend that and run this again."
    )
    assert outcome.plan.action == "create"


@pytest.mark.parametrize(
    ("word", "said", "expected"),
    [
        ("show chart", f"Error: no such host {SECRET}", "Chart enbuild of https://charts.example.com can't be read"),
        ("template", f"Error: at line {SECRET}", "Failed to render release shop/enbuild: at line [hidden]. Check the"),
        ("get metadata", "Error: Kubernetes cluster unreachable: dial tcp", "Check the cluster's endpoint"),
        ("get metadata", "Error: secrets is forbidden", "Allow it to the caller by Kubernetes RBAC"),
    ],
)
def test_what_fails_before_a_change_is_refused(helm: FakeHelm, word: str, said: str, expected: str) -> None:
    helm.answers[word] = (1, said)
    outcome = helm.refused() if word == "get metadata" else helm.converge(check_mode=True).failure
    assert expected in outcome
    assert SECRET not in outcome


def test_a_helm_that_is_missing_or_old_is_refused(helm: FakeHelm) -> None:
    with pytest.raises(HelmMissing, match="Helm at /nowhere/helm is missing"):
        Helm("/nowhere/helm").observe(RELEASE)
    helm.answers |= {"get metadata": (1, 'Error: unknown command "metadata"'), "version": (0, "v3.9.4")}
    with pytest.raises(HelmMissing, match=r"is 3\.9\.4\. This needs Helm 3\.14 or newer"):
        helm.converge()
    helm.answers |= {"version": (0, "v4.0.1")}
    helm.holds(None)
    assert helm.converge().plan.action == "create"


def test_a_removal_is_done_once(helm: FakeHelm) -> None:
    assert helm.remove().plan.action == ""
    helm.holds({})
    assert helm.remove(check_mode=True).plan.action == "delete"
    assert "uninstall" not in helm.commands
    assert helm.remove().plan.action == "delete"
    assert helm.calls[-1][0] == ["uninstall", "enbuild", "--timeout=5m", "--wait", "--namespace=shop"]
    helm.holds({"password": SECRET})
    helm.answers["uninstall"] = (1, f"Error: timed out {SECRET}")
    assert helm.remove().failure == (
        "Failed to remove release shop/enbuild: timed out [hidden]. See helm status enbuild -n shop."
    )


def test_a_release_whose_history_alone_was_kept_is_none(helm: FakeHelm) -> None:
    helm.holds({"password": SECRET}, status="uninstalled")
    assert helm.remove().plan.action == ""
    assert helm.converge().plan.action == "create"
