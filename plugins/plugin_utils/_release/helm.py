# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Call Helm. No decisions, and no secret on a command line: values go by standard input, a token by a kubeconfig."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from dataclasses import dataclass

import yaml

from .model import Desired, Observed, Target, Values

LEAST = (3, 14)
"""The first Helm that tells a release's chart, version and status by themselves."""
ANSWER_SECONDS = 180
"""How long Helm may take for anything that doesn't wait for a release."""
STRAYS = ("HELM_KUBE", "HELM_NAMESPACE", "HELM_DEBUG")
"""Beginnings of variables by which the environment would lead Helm to another cluster, or make it print values."""


class HelmError(Exception):
    """Helm failed; ``said`` is what it printed to standard error, which may quote values."""

    def __init__(self, purpose: str, said: str) -> None:
        super().__init__(f"Failed to {purpose}")
        self.purpose = purpose
        self.said = re.sub(r"^(?:Error: |Use --debug flag .*)", "", said, flags=re.MULTILINE).strip()


class HelmMissing(Exception):
    """There is no Helm that can be started, or none that is new enough; the message is a sentence."""


@dataclass(frozen=True)
class Helm:
    """A helm binary and the cluster that it works on."""

    binary: str = "helm"
    kubeconfig: str = ""
    context: str = ""

    def observe(self, release: Target) -> Observed:
        """The release as the cluster holds it."""
        purpose = f"read release {release}"
        try:
            about = self._get(release, purpose, "metadata")
        except HelmError as error:
            if "release: not found" in error.said:
                return Observed()
            self.check()
            raise
        if about["status"] == "uninstalled":  # Its history was kept, and that is all.
            return Observed()
        values = self._get(release, purpose, "values")  # Of a revision by its number would need more rights.
        return Observed(about["status"], int(about["revision"]), about["chart"], about["version"], values or {})

    def _get(self, release: Target, purpose: str, part: str) -> t.Any:
        printed = self._on(release, purpose, "get", part, release.name, "--output=json")
        try:
            return json.loads(printed)
        except ValueError:
            raise HelmError(purpose, f"helm get {part} printed something else than JSON") from None

    def check(self) -> None:
        """Refuse a Helm that is missing or too old."""
        least = ".".join(map(str, LEAST))
        found = self._run("ask Helm for its version", "version", "--template={{.Version}}").strip().removeprefix("v")
        numbers = tuple(int(number) for number in re.findall(r"\d+", found)[:2])
        if numbers < LEAST:
            raise HelmMissing(
                f"Helm at {self.binary} is {found or 'of no known version'}. This needs Helm {least} or newer. {REMEDY}"
            )

    def chart_version(self, desired: Desired, version: str) -> str:
        """The version of the chart for ``version``, which may be a range, or "" for the newest."""
        purpose = f"read chart {desired.source} {version}".strip()
        shown = self._run(purpose, "show", "chart", desired.chart, *_source(desired, version))
        return str(yaml.safe_load(shown)["version"])

    def template(self, desired: Desired, version: str, values: Values, kube_version: str) -> str:
        """The manifests that the release would have; nothing is changed."""
        kube = [f"--kube-version={kube_version}"] if kube_version else []
        command = ["template", desired.target.name, desired.chart, *_source(desired, version), "--values=-", *kube]
        return self._on(desired.target, f"render release {desired.target}", *command, given=values)

    def upgrade(self, desired: Desired, version: str, values: Values) -> None:
        """Install the release, or upgrade it; its namespace is created if missing."""
        wait = ["--wait"] if desired.wait else []
        command = ["upgrade", "--install", "--create-namespace", desired.target.name, desired.chart]
        # All values are given: those that the release had are among them.
        command += [*_source(desired, version), "--reset-values", "--values=-", f"--timeout={desired.timeout}", *wait]
        self._on(desired.target, f"install or upgrade release {desired.target}", *command, given=values, limit=None)

    def uninstall(self, release: Target, wait: bool, timeout: str) -> None:
        """Remove the release; its namespace stays."""
        command = ["uninstall", release.name, f"--timeout={timeout}", *(["--wait"] if wait else [])]
        self._on(release, f"remove release {release}", *command, limit=None)

    def _on(
        self,
        release: Target,
        purpose: str,
        *arguments: str,
        given: Values | None = None,
        limit: int | None = ANSWER_SECONDS,
    ) -> str:
        reach = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        reach += [f"--kube-context={self.context}"] if self.context else []
        return self._run(purpose, *arguments, f"--namespace={release.namespace}", *reach, given=given, limit=limit)

    def _run(
        self, purpose: str, *arguments: str, given: Values | None = None, limit: int | None = ANSWER_SECONDS
    ) -> str:
        try:
            done = _completed([self.binary, *arguments], json.dumps(given or {}), limit)
        except OSError as error:
            raise HelmMissing(f"Helm at {self.binary} is missing ({error.strerror}). {REMEDY}") from None
        except subprocess.TimeoutExpired:
            raise HelmError(purpose, f"no answer within {limit} s") from None
        if done.returncode:
            raise HelmError(purpose, done.stderr or f"it ended with {done.returncode}")
        return done.stdout


def _completed(command: list[str], given: str, limit: int | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=limit,
        env=_environment(),
        check=False,
    )


REMEDY = "Install Helm 3 or 4 where Ansible runs, or name it in helm (enbuild_release_helm)."


def _source(desired: Desired, version: str) -> list[str]:
    """Where the chart comes from, as options."""
    repository = [f"--repo={desired.repository_url}"] if desired.repository_url else []
    return [*repository, *([f"--version={version}"] if version else [])]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(STRAYS)}
