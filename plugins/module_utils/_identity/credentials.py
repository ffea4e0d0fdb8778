# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that EKS issues credentials to a pod: exchange its token, or let it ask by itself.

The exchange is the agent's: https://docs.aws.amazon.com/eks/latest/APIReference/API_auth_AssumeRoleForPodIdentity.html
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

from .._core.aws import aws_client, error_message
from .._kubernetes.api import Kubernetes, KubernetesError
from .._kubernetes.pods import Pod
from .ask import Asker
from .evidence import Evidence, Issued
from .exec_probe import compared
from .findings.pod import served
from .findings.role import problem
from .run_checks import Credentials

with contextlib.suppress(ImportError):  # AnsibleAWSModule names the missing library.
    from botocore.exceptions import BotoCoreError, ClientError

NOT_OURS = "not authorized to perform: eks-auth:"
"""In a denial that is about the caller instead of the pod."""


@dataclass(frozen=True)
class Issue:
    """What came of it, with the credentials for further calls where there are any."""

    issued: Issued
    credentials: Credentials | None = None
    asked: Issued | None = None
    """What the pod itself says, in addition."""


class Issuer:
    """Asks EKS for the credentials of pods; safe to use from several threads."""

    def __init__(
        self, module: t.Any, kubernetes: Kubernetes, asker: Asker, before_restart: bool = False, ask_pods: bool = True
    ) -> None:
        """With ``before_restart``, a pod will do that doesn't carry the injection yet.

        With ``ask_pods``, a pod itself is asked in addition, as far as the caller may. It is asked in any case where
        the caller can't exchange its token.
        """
        self._before_restart = before_restart
        self._ask_pods = ask_pods
        self._asker = asker
        self._client = aws_client(module, "eks-auth")
        self._kubernetes = kubernetes

    def issue(self, seen: Evidence) -> Issue:
        """Ask for a pod of this workload, the surest way first."""
        pod = _chosen(seen, self._before_restart)
        if pod is None:
            return Issue(Issued(message=f"No pod of {seen.workload.owner} carries the injection"))
        try:
            token = self._kubernetes.token(pod)
        except KubernetesError as error:
            return self._other_evidence(seen, pod, str(error))
        return self._exchange(seen, pod, token)

    def _exchange(self, seen: Evidence, pod: Pod, token: str) -> Issue:
        cluster = seen.around.cluster.name
        try:
            answer = self._client.assume_role_for_pod_identity(clusterName=cluster, token=token)
        except (ClientError, BotoCoreError) as error:
            said = error_message(error).replace(token, "(token)")
            if isinstance(error, ClientError) and NOT_OURS not in said:
                return Issue(Issued("eks_auth", False, pod=pod.name, message=said))
            return self._other_evidence(seen, pod, f"The caller can't ask EKS Auth: {said}")
        given = answer["credentials"]
        credentials = Credentials(given["accessKeyId"], given["secretAccessKey"], given["sessionToken"])
        found = Issued("eks_auth", True, answer["assumedRoleUser"]["arn"], pod=pod.name)
        return Issue(compared(found, seen.association or {}), credentials, self._asked(seen, pod))

    def _asked(self, seen: Evidence, pod: Pod) -> Issued | None:
        """What the pod says in addition; why it says nothing, where it can't; None where it isn't to be asked."""
        if not (self._ask_pods and pod.injected):
            return None
        return compared(self._asker.ask(pod), seen.association or {})

    def _other_evidence(self, seen: Evidence, pod: Pod, why: str) -> Issue:
        found = self._asker.ask(pod)
        if found.good is not None:
            return Issue(compared(found, seen.association or {}))
        return Issue(replace(found, message=f"{why.rstrip('.')}. {found.message}".rstrip()))


def likely(seen: Evidence) -> Evidence:
    """``seen``, whose role was read, with the evidence that is left where nobody could ask EKS for credentials."""
    issued = seen.issued
    if issued is None or issued.good is not None or not issued.pod or not _could_serve(seen):
        return seen
    node = next(pod.node for pod in seen.pods if pod.name == issued.pod)
    why = f"an agent is ready on node {node}, and the role's trust policy lets Pod Identity in"
    message = f"Likely, but not proven: {why}. {issued.message}"
    return replace(seen, issued=replace(issued, how="agent", message=message))


def _could_serve(seen: Evidence) -> bool:
    role = seen.role
    return bool(seen.around.agent and served(seen) and role and role.exists and not problem(seen, role))


def _chosen(seen: Evidence, before_restart: bool) -> Pod | None:
    """A ready pod before others, for one that isn't may not run at all."""
    carrying = [pod for pod in seen.pods if before_restart or (pod.injected and pod.container)]
    return next(iter(sorted(carrying, key=lambda pod: not pod.ready)), None)
