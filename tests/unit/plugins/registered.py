# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of steps, made of what their tasks register."""

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.plugin_utils._report.steps import step_result

Registers = dict[str, t.Any]

ACTIONS = ("sts:AssumeRole", "sts:TagSession")
S3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def trust(actions: t.Sequence[str] = ACTIONS) -> dict[str, t.Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": list(actions)}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(
    actions: t.Sequence[str] = ACTIONS, policies: t.Sequence[str] = (S3,), inline: t.Sequence[str] = (), **tags: str
) -> Registers:
    """A role ``shop``, as amazon.aws.iam_role_info returns it."""
    return {
        "role_name": "shop",
        "path": "/",
        "description": "EKS Pod Identity of shop",
        "assume_role_policy_document": trust(actions),
        "managed_policies": [{"policy_arn": arn, "policy_name": arn.rsplit("/", 1)[-1]} for arn in policies],
        "inline_policies": list(inline),
        "tags": tags,
    }


def roles(
    found: Registers | None, changed: bool, policy: t.Any = None, permitted: t.Any = (), **wanted: t.Any
) -> Registers:
    """The result of making role ``shop``, as declared with AmazonS3FullAccess."""
    declared = {
        "role_name": "shop",
        "path": "",
        "trust_policy": trust(),
        "policy": policy,
        "managed_policies": [S3],
        "boundary": "",
        "tags": {},
        **wanted,
    }
    made = {"changed": changed, "item": declared}
    registers = {
        "found": {"results": [{"iam_roles": [found] if found else []}]},
        "applied": {"results": [made]},
        "permitted": {"results": list(permitted)},
    }
    return result("pod_identity_iam", registers)


def result(step: str, registers: Registers) -> Registers:
    """The step's result by its name, as its role records it."""
    return {step: step_result(registers, step)}


def associations(*rows: tuple[str, Registers | None, Registers], **more: t.Any) -> Registers:
    """Associations of namespace shop, each by service account, with its state before (None is the same) and after."""
    before = {f"shop/{account}": old for account, old, _new in rows if old is not None}
    made = [
        {"namespace": "shop", "service_account": account, "changed": old is not None, "association": new}
        for account, old, new in rows
    ]
    applied = {"associations": made, "diff": {"before": before}, **more}
    return result("pod_identity_associations", {"applied": applied})
