# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Climb above the injection: let EKS issue credentials, and make the checks with them."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from .._core.aws import aws_client
from .._core.converge import predicts
from .._core.parallel import spread
from .._iam.roles_api import IamRoles
from .._kubernetes.api import Kubernetes
from .._workload.checks import Check
from .ask import Asker
from .credentials import Issuer
from .evidence import Answer, Evidence, Issued, undeclared
from .explain import explained
from .findings.allowed import effective_role
from .ladder import rungs, workload_findings
from .request import Asked
from .run_checks import Credentials, make
from .simulate import profiles, simulate

CONCURRENCY = 8
Simulator = t.Callable[[Check, str], Answer]
"""Answers a check for the role of an ARN."""


def prove(module: t.Any, kubernetes: Kubernetes, asked: Asked, seen: list[Evidence]) -> list[Evidence]:
    """``seen`` with what EKS issued and what the checks said, for workloads whose pods carry the injection.

    All that were named are proven, and as many others as the task allows. Roles are read to explain what is missing,
    and not where everything is allowed.
    """
    ready = [each for each in seen if _is_ready(each, asked)]
    others = [each for each in ready if not each.workload.asked]
    left_out = {each.workload for each in others[asked.proofs :]}
    chosen = [each for each in ready if each.workload not in left_out]
    iam = functools.cache(lambda: _iam(module, asked))
    simulator = _simulator(module, chosen, lambda: iam().client)
    prover = _Prover(module, _issuer(module, kubernetes, asked), simulator, asked.rung)
    proven = {each.workload: each for each in spread(prover.prove, chosen, CONCURRENCY)}
    unproven = Issued(message=f"Not proven: no more than {asked.proofs} workloads that nobody named are (proofs)")
    climbed = [
        proven.get(each.workload, replace(each, issued=unproven) if each.workload in left_out else each)
        for each in seen
    ]
    return explained(iam, asked.rung, climbed)


def _issuer(module: t.Any, kubernetes: Kubernetes, asked: Asked) -> Issuer:
    asker = Asker(kubernetes, asked.ephemeral_container_image, predicts(module))
    return Issuer(module, kubernetes, asker, asked.before_restart, asked.ask_pods)


def _iam(module: t.Any, asked: Asked) -> IamRoles:
    """IAM; its client costs more than most calls."""
    return IamRoles(aws_client(module, "iam", many=asked.scans))


def _is_ready(seen: Evidence, asked: Asked) -> bool:
    held = rungs(seen, list(workload_findings(seen, asked.rung)), asked.rung)
    return bool(held["declared"] and (held["injected"] or asked.before_restart))


def _simulator(module: t.Any, seen: list[Evidence], iam: t.Callable[[], t.Any]) -> Simulator | None:
    """What simulates the checks that need it, with a client of Bedrock only where one names a profile of it."""
    checks = [check for each in seen for check in each.workload.checks if check.simulated]
    if not checks:
        return None
    bedrock = aws_client(module, "bedrock") if any(map(profiles, checks)) else None
    return functools.partial(simulate, iam(), bedrock)


class _Prover:
    def __init__(self, module: t.Any, issuer: Issuer, simulator: Simulator | None, rung: str) -> None:
        """``simulator`` is there where a check needs one."""
        self._module = module
        self._issuer = issuer
        self._simulator = simulator
        self._rung = rung

    def prove(self, seen: Evidence) -> Evidence:
        """Ask for credentials, and use them."""
        issue = self._issuer.issue(seen)
        proven = replace(seen, issued=issue.issued, asked=issue.asked)
        if self._rung != "allowed" or not issue.issued.good:
            return proven
        return replace(proven, answers=tuple(self._answers(proven, issue.credentials)))

    def _answers(self, seen: Evidence, credentials: Credentials | None) -> t.Iterator[Answer]:
        for check in seen.workload.checks:
            if check.simulated:
                yield self._simulated(seen, check)
                continue
            if credentials is None:
                message = "Not called: the credentials stayed in the pod, which asked for them by itself"
                yield Answer(check.name, None, message=message)
                continue
            answer = make(self._module, check, credentials)
            yield undeclared(answer, seen.workload.optional) or answer

    def _simulated(self, seen: Evidence, check: Check) -> Answer:
        role = effective_role(seen)
        if role is None or self._simulator is None:
            return Answer(check.name, None, message=f"{check.name} was not simulated: the role isn't known")
        return self._simulator(check, role.arn)
