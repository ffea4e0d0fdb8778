# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM roles of CloudFormation stacks: moto makes them without managed policies, and changes nothing of them."""

from __future__ import annotations

import contextlib
import functools
import json
import typing as t

from moto.core.exceptions import ServiceException
from moto.iam.exceptions import DeleteConflictException, NotFoundException
from moto.iam.models import IAMBackend, Role, iam_backends
from moto.utilities.utils import get_partition

Json = t.Any
REPLACED_BY = ("RoleName", "Path")
"""Properties that a role keeps for life: with another value, CloudFormation makes another role."""
NAME_SIZE = 64


def install() -> None:
    """Let moto create, update and delete the roles of stacks like this."""
    methods: dict[str, t.Callable[..., t.Any]] = {"create": _create, "update": _update, "delete": _delete}
    for name, method in methods.items():
        attribute = f"{name}_from_cloudformation_json"
        setattr(Role, attribute, classmethod(functools.partial(method, getattr(Role, attribute))))


def tag(stack: t.Any) -> None:
    """Give the stack's roles its tags, and those that say whose they are."""
    roles = [resource for resource in stack.resource_map._parsed_resources.values() if isinstance(resource, Role)]
    for role in roles:
        logical = t.cast(t.Any, role).logical_resource_id
        own = {"logical-id": logical, "stack-id": stack.stack_id, "stack-name": stack.name}
        tags = {**stack.tags, **{f"aws:cloudformation:{key}": value for key, value in own.items()}}
        role.tags = [{"Key": key, "Value": value} for key, value in tags.items()]


def _create(
    create: t.Callable[..., Role],
    _unused: type[Role],
    name: str,
    template: Json,
    account_id: str,
    region_name: str,
    **more: t.Any,
) -> Role:
    """Make a role with its managed policies; if one doesn't exist, nothing is left of the role."""
    backend = _iam(account_id, region_name)
    role = create(_short(name), template, account_id, region_name, **more)
    try:
        _set_managed(backend, role, {}, template["Properties"])
    except ServiceException:
        _set_managed(backend, role, template["Properties"], {})
        del backend.roles[role.id]
        raise
    _remember(role, template["Properties"])
    return role


def _update(
    _unused_update: t.Callable[..., Role],
    role_class: type[Role],
    original_resource: Role,
    new_resource_name: str,
    cloudformation_json: Json,
    account_id: str,
    region_name: str,
) -> Role:
    """Make a role what the new template says, or another one where it can't become that."""
    role, before, after = original_resource, _remembered(original_resource), cloudformation_json["Properties"]
    if any(before.get(name) != after.get(name) for name in REPLACED_BY):
        made = role_class.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )
        with contextlib.suppress(DeleteConflictException):  # It is left, as on AWS.
            role_class.delete_from_cloudformation_json(role.name, cloudformation_json, account_id, region_name)
        return made
    _set_managed(_iam(account_id, region_name), role, before, after)
    _set_inline(role, before, after)
    role.assume_role_policy_document = json.dumps(after["AssumeRolePolicyDocument"])
    role.permissions_boundary_arn = after.get("PermissionsBoundary")
    role.description = after.get("Description", "")
    _remember(role, after)
    return role


def _delete(
    delete: t.Callable[..., None], _unused: type[Role], name: str, template: Json, account_id: str, region_name: str
) -> None:
    """Delete a role; DeleteConflict if it has a policy that isn't the stack's."""
    backend = _iam(account_id, region_name)
    try:
        role = backend.get_role(name)
    except NotFoundException:
        return
    known = _remembered(role)
    if role.managed_policies.keys() - set(known.get("ManagedPolicyArns", [])):
        raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
    of_stacks = {each.policy_name for each in backend.inline_policies.values() if name in (each.role_names or [])}
    if role.policies.keys() - of_stacks - _inline(known).keys():
        raise DeleteConflictException("Cannot delete entity, must delete policies first.")
    _set_managed(backend, role, known, {})
    delete(name, template, account_id, region_name)


def _set_managed(backend: IAMBackend, role: Role, before: Json, after: Json) -> None:
    wanted = after.get("ManagedPolicyArns", [])
    for arn in set(wanted) - role.managed_policies.keys():
        backend.attach_role_policy(arn, role.name)
    for arn in (set(before.get("ManagedPolicyArns", [])) - set(wanted)) & role.managed_policies.keys():
        backend.detach_role_policy(arn, role.name)


def _set_inline(role: Role, before: Json, after: Json) -> None:
    wanted = _inline(after)
    for name, document in wanted.items():
        role.put_policy(name, document)
    for name in (_inline(before).keys() - wanted.keys()) & role.policies.keys():
        role.delete_policy(name)


def _inline(properties: Json) -> dict[str, Json]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies", [])}


def _short(name: str) -> str:
    """Return a role's generated name with as much of the stack's name as IAM allows."""
    if len(name) <= NAME_SIZE:
        return name
    stack, logical, suffix = name.rsplit("-", 2)
    return f"{stack[: NAME_SIZE - len(logical) - len(suffix) - 2]}-{logical}-{suffix}"


def _remember(role: Role, properties: Json) -> None:
    """Keep what the template said, all references resolved: only here is that known."""
    t.cast(t.Any, role).stack_properties = dict(properties)


def _remembered(role: Role) -> Json:
    return t.cast(t.Any, role).stack_properties


def _iam(account_id: str, region_name: str) -> IAMBackend:
    return t.cast(IAMBackend, iam_backends[account_id][get_partition(region_name)])
