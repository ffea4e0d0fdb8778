# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ephemeral container that asks for a pod whose own image has no program to ask with. Pure.

Kubernetes lets nobody remove it, change it or start it again, so that a pod gets one at most:
https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.text import clean
from .._kubernetes.pods import CREDENTIALS_URI, TOKEN_FILE, TOKEN_VOLUME, Object

NAME = "pod-identity-ask"
SECONDS = 300
"""How long it runs, so that a second look within that time can ask again."""
COMMAND = ("sh", "-c", f"trap 'exit 0' TERM; sleep {SECONDS} & wait")
"""Does nothing, and ends at once with its pod: a first process without a trap ignores SIGTERM."""
ALWAYS = (CREDENTIALS_URI, TOKEN_FILE)
COPIED = (*ALWAYS, "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS")
"""Variables that EKS's webhook sets, which hold addresses, paths and names."""
NO_METADATA = {"name": "AWS_EC2_METADATA_DISABLED", "value": "true"}
"""Keeps an SDK of the image from taking the node's role, which would be no answer."""
OF_USER = ("runAsUser", "runAsGroup", "runAsNonRoot", "seLinuxOptions")
"""What decides who may read the token."""
NOBODY = 65534
STARTING = ("", "ContainerCreating", "PodInitializing")
LONGEST = 500
"""Characters of the node's words in a message."""


@dataclass(frozen=True)
class Observed:
    """The ephemeral container of our name in a pod."""

    image: str = ""
    """Empty where the pod has none."""
    running: bool = False
    obstacle: str = ""
    """Why it doesn't run, and won't; empty while it may still start."""


def observed(pod: Object) -> Observed:
    """Read it from the pod as the API gives it."""
    found = [each for each in pod["spec"].get("ephemeralContainers") or () if each.get("name") == NAME]
    if not found:
        return Observed()
    states = (pod.get("status") or {}).get("ephemeralContainerStatuses") or ()
    state = next((each.get("state") or {} for each in states if each.get("name") == NAME), {})
    return Observed(str(found[0].get("image")), "running" in state, _obstacle(state))


def _obstacle(state: Object) -> str:
    ended, waiting = state.get("terminated"), state.get("waiting") or {}
    if ended:
        code, when = ended.get("exitCode"), ended.get("finishedAt")
        said = f"ended with exit code {code} at {when}{_words(ended)}"
        return f"{said}, and Kubernetes starts none twice. Replace the pod to ask again"
    return "" if waiting.get("reason", "") in STARTING else f"doesn't start{_words(waiting)}"


def _words(state: Object) -> str:
    """Reason and message of the node, which quotes registries and images."""
    words = ": ".join(str(state[name]) for name in ("reason", "message") if state.get(name))
    return f" ({clean(words, LONGEST)})" if words else ""


def desired(pod: Object, carrier: str, image: str) -> dict[str, t.Any] | None:
    """The container to add: with the token and the variables of ``carrier``, and no more rights than it needs.

    None where that container's variables aren't plain values, as EKS's webhook sets them.
    """
    target = next(each for each in pod["spec"]["containers"] if each["name"] == carrier)
    values = {each["name"]: each.get("value") for each in target.get("env") or ()}
    mounts = [each for each in target.get("volumeMounts") or () if each.get("name") == TOKEN_VOLUME]
    if not (mounts and all(values.get(name) for name in ALWAYS)):
        return None
    return {
        "name": NAME,
        "image": image,
        "command": list(COMMAND),
        "env": [{"name": name, "value": values[name]} for name in COPIED if values.get(name)] + [NO_METADATA],
        "volumeMounts": [{"name": TOKEN_VOLUME, "mountPath": mounts[0]["mountPath"], "readOnly": True}],
        "securityContext": _security(pod["spec"].get("securityContext") or {}, target.get("securityContext") or {}),
    }


def _security(of_pod: Object, of_target: Object) -> dict[str, t.Any]:
    """The target's user, for the token to be readable, and what Pod Security Standard ``restricted`` wants."""
    copied = {name: of_target[name] for name in OF_USER if of_target.get(name) is not None}
    effective = {**of_pod, **copied}
    if effective.get("runAsNonRoot") and effective.get("runAsUser") is None:
        copied["runAsUser"] = NOBODY  # The workload's image names its user; this one's may be root.
    limits = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {**copied, **limits, "seccompProfile": {"type": "RuntimeDefault"}}
