# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps issued credentials from being of use: policies, and checks that were denied. Pure."""

from __future__ import annotations

import typing as t

from ..._iam.model import Role
from ..evidence import Answer, Evidence
from . import remedies
from .codes import Finding


def of_permissions(seen: Evidence) -> t.Iterator[Finding]:
    """A role without any policy explains every denial."""
    role = effective_role(seen)
    if role is None:
        return
    denied = [answer for answer in seen.answers if answer.allowed is False]
    if role.policies == () and (denied or not seen.answers):
        yield _no_policy(seen, role)
    else:
        yield from (_check_denied(role, answer) for answer in denied)
    yield from (_check_failed(role, answer) for answer in seen.answers if answer.allowed is None and answer.code)


def effective_role(seen: Evidence) -> Role | None:
    """The role whose policies count: the target role, where there is one; its ARN alone where it wasn't read."""
    association = seen.association or {}
    if target := association.get("target_role_arn"):
        return seen.target or Role(target)
    role = association.get("role_arn")
    return seen.role or (Role(role) if role else None)


def _no_policy(seen: Evidence, role: Role) -> Finding:
    if seen.workload.checks:
        actions = {action for check in seen.workload.checks for action in check.actions}
        remedy = remedies.grant(role, actions, _resources(role, [check.bucket for check in seen.workload.checks]))
    else:
        words = ("--role-name", role.name, "--policy-arn", "POLICY_ARN")
        remedy = remedies.command("aws", "iam", "attach-role-policy", *words)
    return Finding("no_policy", f"Role {role.arn}", f"Role {role.name} has no policy, and so may do nothing", remedy)


def _check_denied(role: Role, answer: Answer) -> Finding:
    if answer.explicit:
        remedy = f"Take the denial out: {answer.reason}"
    else:
        resources = list(answer.resources) or _resources(role, [answer.bucket])
        remedy = remedies.grant(role, answer.actions, resources)
    return Finding(
        "check_denied",
        f"Role {role.arn}",
        f"Role {role.name} may not do {answer.check}: {(answer.reason or answer.message).rstrip('.')}",
        remedy,
    )


def _resources(role: Role, buckets: t.Sequence[str]) -> list[str]:
    """What a grant is on: the buckets where the checks are about nothing else, or everything."""
    if not all(buckets):
        return ["*"]
    arns = [f"arn:{role.arn.split(':')[1]}:s3:::{bucket}" for bucket in sorted(set(buckets))]
    return [resource for arn in arns for resource in (arn, f"{arn}/*")]


def _check_failed(role: Role, answer: Answer) -> Finding:
    return Finding(
        "check_failed",
        f"Role {role.arn}",
        f"{answer.check} failed with {answer.code}, which no policy decides: {answer.message.rstrip('.')}",
        "Correct the check in allowed, or make what it asks for",
    )
