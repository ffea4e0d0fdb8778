# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of enbuild_release: values are read here and given to Helm, and no task has them."""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._core import validate
from ..module_utils._core.plan import Refused
from ..plugin_utils._core.temporary import path_of, write
from ..plugin_utils._release import values
from ..plugin_utils._release.apply import Outcome, converge, remove
from ..plugin_utils._release.explain import unready_pods
from ..plugin_utils._release.helm import Helm, HelmMissing
from ..plugin_utils._release.model import Desired, Target, Values
from ..plugin_utils._release.plan import refuse_long_wait

ARGUMENT_SPEC = {
    "name": {"type": "str", "default": "enbuild"},
    "namespace": {"type": "str", "default": "enbuild"},
    "state": {"type": "str", "choices": ["present", "absent", "unmanaged"], "default": "present"},
    "chart": {"type": "str", "default": "enbuild"},
    "chart_repository_url": {"type": "str", "default": "https://vivsoftorg.github.io/enbuild"},
    "chart_version": {"type": "str", "default": ""},
    "values_from": {"type": "list", "elements": "str", "default": []},
    "values_files": {"type": "list", "elements": "str", "default": []},
    "ai": {"type": "bool"},
    "ctf": {"type": "bool"},
    "host_network": {"type": "bool"},
    "install": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "str", "default": "10m"},
    "helm": {"type": "str", "default": "helm"},
    "kube_version": {"type": "str", "default": ""},
    "kubeconfig": {"type": "str", "default": ""},
    "context": {"type": "str", "default": ""},
}

NOTHING: dict[str, t.Any] = {
    "changed": False,
    "managed": True,
    "name": "",
    "action": "",
    "what": [],
    "release": {},
    "manifests_file": "",
}
"""The result where nothing was done."""


class ActionModule(ActionBase):
    """Runs Helm on the controller."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        """Return what was done; a failure has one message, and no value in it."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            _validation, given = self.validate_argument_spec(ARGUMENT_SPEC)
            if given["state"] == "unmanaged":
                return {**result, **NOTHING, "managed": False}
            release = Target(
                validate.release_name("name", given["name"]), validate.namespace("namespace", given["namespace"])
            )
            outcome = self._outcome(release, given)
        except (AnsibleError, Refused, HelmMissing) as error:
            return {**result, **NOTHING, "failed": True, "msg": str(error)}
        return {**result, **_shown(release, outcome, self._kept(outcome))}

    def _outcome(self, release: Target, given: dict[str, t.Any]) -> Outcome:
        helm = Helm(given["helm"] or "helm", given["kubeconfig"], given["context"])
        timeout = validate.helm_duration("timeout", given["timeout"])
        check = bool(self._task.check_mode)
        if given["wait"] and not check:
            refuse_long_wait(timeout, _text(given["kubeconfig"]))
        if given["state"] == "absent":
            return remove(helm, release, given["wait"], timeout, check)
        explain = unready_pods(given["kubeconfig"], given["context"])
        return converge(helm, self._desired(release, given, timeout), explain, given["kube_version"], check)

    def _desired(self, release: Target, given: dict[str, t.Any], timeout: str) -> Desired:
        return Desired(
            release,
            validate.chart("chart", given["chart"]),
            # A path or an oci:// reference says where the chart is; a chart of a repository is named without a slash.
            "" if "/" in given["chart"] else given["chart_repository_url"],
            validate.chart_version("chart_version", given["chart_version"]),
            self._values(given),
            given["host_network"],
            given["install"],
            given["wait"],
            timeout,
        )

    def _values(self, given: dict[str, t.Any]) -> tuple[Values, ...]:
        """The user's files, variables over them, and the guide's switches over all."""
        files = [values.parse(path, self._file(path)) for path in given["values_files"]]
        variables = [self._variable(name) for name in given["values_from"]]
        return (*files, *variables, values.switches(given["ai"], given["ctf"]))

    def _file(self, path: str) -> str:
        """The text of a file of values; one that ansible-vault encrypted is decrypted."""
        try:
            return str(self._loader.get_text_file_contents(os.path.realpath(os.path.expanduser(path))))
        except (AnsibleError, OSError, UnicodeError):
            raise Refused(
                f"File {path} of Helm values (values_files, enbuild_release_values_files) can't be read: is it there,"
                " may you read it, and is its vault password given?"
            ) from None

    def _variable(self, name: str) -> Values:
        """The values in a variable; none for one that isn't set."""
        try:
            return values.parse(name, self._templar.template(self._templar.available_variables.get(name)))
        except AnsibleError as error:
            said = str(error).splitlines()[0]
            raise Refused(f"{name} can't be templated: {values.unquoted(said)}") from None

    def _kept(self, outcome: Outcome) -> str:
        """Path of a file with the predicted manifests; it goes with the run's temporary folder."""
        if not outcome.manifests:
            return ""
        data = outcome.manifests.encode()
        path = path_of(f"manifests-{hashlib.sha256(data).hexdigest()}.yaml")
        write(path, data)
        return path


def _shown(release: Target, outcome: Outcome, manifests_file: str) -> dict[str, t.Any]:
    observed, plan = outcome.observed, outcome.plan
    before = {
        "name": release.name,
        "namespace": release.namespace,
        "status": observed.status,
        "revision": observed.revision,
        "chart_version": observed.chart_version,
    }
    return {
        "changed": bool(plan.action),
        "managed": True,
        "name": str(release),
        "action": plan.action,
        "what": list(plan.what),
        "release": before if observed.status else {},
        "manifests_file": manifests_file,
        "diff": {"prepared": _lines(release, outcome)} if plan.action else {},
        **({"failed": True, "msg": outcome.failure} if outcome.failure else {}),
    }


def _lines(release: Target, outcome: Outcome) -> str:
    """The differences for ``--diff``: by path, never by content."""
    return "".join(f"{line}\n" for line in (f"{outcome.plan.action} release {release}", *outcome.plan.what))


def _text(path: str) -> str:
    """What a kubeconfig holds; "" where Helm is to find one by itself."""
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
