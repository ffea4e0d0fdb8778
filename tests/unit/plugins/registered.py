# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of steps, made of what their tasks register."""

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.plugin_utils._report.steps import step_result

Registers = dict[str, t.Any]

S3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
CHANGED_TRUST: Registers = {"kind": "role", "name": "shop", "action": "update", "what": ["trust policy"]}


def roles(
    *differences: Registers, unlisted: t.Sequence[Registers] = (), declared: t.Sequence[Registers] = (), **more: t.Any
) -> Registers:
    """The result of the roles, from what enbuild.eks.pod_identity_roles returns."""
    applied = {"differences": list(differences), "unlisted": list(unlisted), **more}
    return result("pod_identity_iam", {"applied": applied, "declared": declared})


def result(step: str, registers: Registers) -> Registers:
    """The step's result by its name, as its role records it."""
    return {step: step_result(registers, step)}


def associations(*rows: tuple[str, Registers | None, Registers], **more: t.Any) -> Registers:
    """Associations of namespace shop, each by service account, with its state before (None is the same) and after."""
    diff = [{"name": f"shop/{account}", "before": old} for account, old, _new in rows if old is not None]
    made = [
        {"namespace": "shop", "service_account": account, "changed": old is not None, "association": new}
        for account, old, new in rows
    ]
    applied = {"associations": made, "diff": diff, **more}
    return result("pod_identity_associations", {"applied": applied})
