# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain what isn't proven: read the roles that it may lie in, and find the statement that denies a check."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from .._core.parallel import spread
from .._iam.denials import why_denied
from .._iam.model import Role
from .._iam.roles_api import IamRoles
from .._workload.checks import Check
from .credentials import likely
from .evidence import Answer, Evidence
from .findings.allowed import effective_role

CONCURRENCY = 8


def explained(iam: t.Callable[[], IamRoles], rung: str, seen: t.Sequence[Evidence]) -> list[Evidence]:
    """``seen`` with the roles of what falls short of ``rung``, and with the statements that deny its checks.

    ``iam`` connects to IAM. It is called where there is a role to read, and not where everything is allowed.
    """
    short = [each for each in seen if _needs_role(each, rung)]
    if not short:
        return list(seen)
    reader = iam()
    arns = sorted({arn for each in short for arn in _arns(each)})
    roles = {role.arn: role for role in spread(reader.read, arns, CONCURRENCY)}
    explain = functools.partial(_explained, reader, roles)
    done = dict(zip(map(id, short), spread(explain, short, CONCURRENCY), strict=True))
    return [done.get(id(each), each) for each in seen]


def _needs_role(seen: Evidence, rung: str) -> bool:
    """Whether the role may have to do with what is missing. Credentials that were issued and used prove it right."""
    if seen.association is None or seen.template is None:
        return False
    if seen.issued is None or not seen.issued.good:
        return True
    return rung == "allowed" and not (seen.answers and all(answer.allowed for answer in seen.answers))


def _arns(seen: Evidence) -> tuple[str, ...]:
    """The association's role, and its target role where that is in the same account."""
    association = seen.association or {}
    role, target = association.get("role_arn") or "", association.get("target_role_arn") or ""
    return tuple(arn for arn in (role, target) if arn and arn.split(":")[4] == role.split(":")[4])


def _explained(reader: IamRoles, roles: t.Mapping[str, Role], seen: Evidence) -> Evidence:
    role, target = ((seen.association or {}).get(key) for key in ("role_arn", "target_role_arn"))
    known = replace(seen, role=roles.get(role or ""), target=roles.get(target or ""))
    answers = tuple(
        _with_reason(reader, known, check, answer) if answer.allowed is False else answer
        for check, answer in zip(seen.workload.checks, seen.answers, strict=False)
    )
    return likely(replace(known, answers=answers))


def _with_reason(reader: IamRoles, seen: Evidence, check: Check, answer: Answer) -> Answer:
    """``answer`` with the statement that denies it, where the caller may read the role's policies."""
    role = effective_role(seen)
    if role is None or not (documents := reader.documents(role)):
        return answer
    for action in check.actions:
        reason, explicit = why_denied(documents, action, list(answer.resources) or _resources(check, action, role))
        if reason:
            return replace(answer, reason=reason, explicit=explicit)
    return answer


def _resources(check: Check, action: str, role: Role) -> list[str]:
    """What the check is about: nothing in particular, a bucket, or what only AWS can tell (empty)."""
    if not check.bucket:
        return [] if check.parameters else ["*"]
    arn = f"arn:{role.arn.split(':')[1]}:s3:::{check.bucket}"
    return [arn if action == "s3:ListBucket" else f"{arn}/enbuild-eks-check"]
