# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let a pod itself ask for its credentials: by an exec, or by an ephemeral container where its image has no program."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from .._core.text import clean
from .._kubernetes.api import Kubernetes, KubernetesError
from .._kubernetes.pods import Object, Pod
from . import ephemeral
from .evidence import Issued
from .exec_probe import COMMANDS, read

FORBIDDEN = 403
PAUSE = 0.5
"""Seconds between two looks at a container that starts."""
LOOKS = 120
"""How often to look: an image may have to be pulled, and a run is not to wait for long."""
TOOLS = "Python, curl, wget nor busybox"


class Asker:
    """Asks pods; safe to use from several threads."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        image: str = "",
        predicts: bool = False,
        pause: t.Callable[[float], object] = time.sleep,
    ) -> None:
        """``image`` is that of the ephemeral container; "" for none. With ``predicts``, none is added."""
        self._kubernetes, self._image, self._predicts, self._pause = kubernetes, image, predicts, pause
        self._closed: set[str] = set()  # namespaces whose pods the caller may not exec in

    def ask(self, pod: Pod) -> Issued:
        """What the pod found out by itself; with ``good`` None, why it didn't."""
        if not pod.container:
            return _unknown(pod, f"Pod {pod.name} doesn't know of an agent before it is created anew.")
        if pod.namespace in self._closed:
            return _unknown(pod, f"The caller may not exec in pods of namespace {pod.namespace}.")
        try:
            return self._by_exec(pod) or self._otherwise(pod)
        except KubernetesError as error:
            if error.status == FORBIDDEN:
                self._closed.add(pod.namespace)
            return _unknown(pod, str(error))

    def _by_exec(self, pod: Pod, how: str = "exec") -> Issued | None:
        """None where the image has nothing to ask with. KubernetesError."""
        answers = (read(self._kubernetes.execute(pod, command), pod.name, how) for command in COMMANDS)
        return next(filter(None, answers), None)

    def _otherwise(self, pod: Pod) -> Issued:
        """By an ephemeral container, if that is asked for."""
        why = f"The image of pod {pod.name} has neither {TOOLS}."
        if not self._image:
            return _unknown(pod, why)
        found = self._by_ephemeral_container(pod)
        return found if found.good is not None else replace(found, message=f"{why} {found.message}")

    def _by_ephemeral_container(self, pod: Pod) -> Issued:
        try:
            item = self._kubernetes.pod(pod)
        except KubernetesError as error:
            return _unknown(pod, str(error))
        seen = ephemeral.observed(item)
        if seen.image:
            return self._by_container(pod, seen)
        wanted = ephemeral.desired(item, pod.container, self._image)
        if wanted is None:
            return _unknown(pod, "No ephemeral container was added: its variables aren't those of EKS's webhook.")
        if self._predicts:
            return _unknown(pod, "In check mode, no ephemeral container is added to it.")
        return self._by_new_container(pod, wanted)

    def _by_new_container(self, pod: Pod, wanted: Object) -> Issued:
        try:
            seen = ephemeral.observed(self._kubernetes.add_container(pod, wanted))
        except KubernetesError as error:
            said = clean(error.reason or error, ephemeral.LONGEST)
            return _unknown(pod, f"No ephemeral container could be added: {said}.")
        return replace(self._by_container(pod, seen), added=True)

    def _by_container(self, pod: Pod, seen: ephemeral.Observed) -> Issued:
        """Wait for the container, and ask there; the pod's people may have made it what it is."""
        called = f"Ephemeral container {ephemeral.NAME}"
        if seen.image != self._image:
            return _unknown(pod, f"{called} is there already, with image {clean(seen.image)}.")
        try:
            seen = self._awaited(pod, seen)
            if not seen.running:
                return _unknown(pod, f"{called} {seen.obstacle or 'has not started in time'}.")
            found = self._by_exec(replace(pod, container=ephemeral.NAME), "ephemeral_container")
        except KubernetesError as error:
            return _unknown(pod, str(error))
        return found or _unknown(pod, f"{called}, with image {self._image}, has neither {TOOLS}, or gave no answer.")

    def _awaited(self, pod: Pod, seen: ephemeral.Observed) -> ephemeral.Observed:
        for _look in range(LOOKS):
            if seen.running or seen.obstacle:
                break
            self._pause(PAUSE)
            seen = ephemeral.observed(self._kubernetes.pod(pod))
        return seen


def _unknown(pod: Pod, message: str) -> Issued:
    return Issued("", None, pod=pod.name, message=message)
