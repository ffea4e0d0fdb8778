# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the removal of IAM roles that this collection created. No boto3, no AnsibleModule, no clock."""

from __future__ import annotations

import typing as t

from .._core.plan import Plan, Refused
from .roles_model import State
from .roles_plan import RoleChange, call


def removal(observed: State | None, profiles: t.Sequence[str]) -> Plan:
    """The calls that delete a role with its policies; None is a role that isn't there.

    ``profiles`` are the instance profiles that have the role: IAM refuses to delete a role that is in one.
    """
    if observed is None:
        return Plan()
    if not observed.ours:
        raise Refused(
            f"Role {observed.name} was not created by enbuild.eks (it has no tag enbuild.eks/managed-by), so it stays."
        )
    return Plan(observed.view(), {}, tuple(_changes(observed, profiles)))


def _changes(observed: State, profiles: t.Sequence[str]) -> t.Iterator[RoleChange]:
    """All of them are one difference: the role goes."""
    role, action = observed.name, "delete"
    for profile in profiles:
        purpose = f"remove role {role} from instance profile {profile}"
        args = {"InstanceProfileName": profile}
        yield call("remove_role_from_instance_profile", role, purpose, args, action=action)
    for arn in observed.attached or ():
        purpose = f"detach {arn} from role {role}"
        yield call("detach_role_policy", role, purpose, {"PolicyArn": arn}, action=action)
    for name in observed.inline or ():
        purpose = f"delete policy {name} of role {role}"
        yield call("delete_role_policy", role, purpose, {"PolicyName": name}, action=action)
    yield call("delete_role", role, f"delete role {role}", {}, action=action)
