# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read roles and their policies from IAM. No decisions; what the caller may not read is None."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import DENIED_CODES, doing, error_code
from .._core.tags import is_ours
from .model import Role
from .trust_evaluation import trusted

MISSING = "NoSuchEntity"
SETTLING = 1.0
"""Seconds after which a trust policy is read again: longer than another run takes from its reading to its writing."""


class IamRoles:
    """The roles of one account; safe to use from several threads."""

    def __init__(self, client: t.Any) -> None:
        self.client = client

    def read(self, arn: str) -> Role:
        """The role of that ARN, with its trust and the names of its policies."""
        role = self.trusting(arn)
        return replace(role, policies=self._policies(role.name)) if role.exists else role

    def trusting(self, arn: str) -> Role:
        """The role of that ARN, with its trust."""
        name = Role(arn).name
        try:
            with doing(f"read role {arn}"):
                raw = self.client.get_role(RoleName=name)["Role"]
        except AnsibleAWSError as error:
            if error_code(error) == MISSING:
                return Role(arn, exists=False)
            _check_denied(error)
            return Role(arn)
        if raw["Arn"] != arn:
            return Role(arn, exists=False)
        return Role(arn, True, raw["AssumeRolePolicyDocument"])

    def arns(self) -> list[str]:
        """The ARNs of all roles; none where the caller may not list them."""
        try:
            with doing("list the roles"):
                pages = self.client.get_paginator("list_roles").paginate()
                return [role["Arn"] for page in pages for role in page["Roles"]]
        except AnsibleAWSError as error:
            _check_denied(error)
            return []

    def _policies(self, name: str) -> tuple[str, ...] | None:
        try:
            with doing(f"list the policies of role {name}"):
                return (*self._inline(name), *self._attached(name))
        except AnsibleAWSError as error:
            _check_denied(error)
            return None

    def _inline(self, name: str) -> list[str]:
        pages = self.client.get_paginator("list_role_policies").paginate(RoleName=name)
        return [policy for page in pages for policy in page["PolicyNames"]]

    def _attached(self, name: str) -> list[str]:
        pages = self.client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]

    def whole(self, name: str) -> dict[str, t.Any] | None:
        """All that belongs to the role ``name``, in the words that modules return; None where there is no such role."""
        try:
            with doing(f"read role {name}"):
                raw = self.client.get_role(RoleName=name)["Role"]
                return self._owned(raw, is_ours({tag["Key"]: tag["Value"] for tag in raw.get("Tags") or ()}))
        except AnsibleAWSError as error:
            if error_code(error) == MISSING:
                return None
            raise

    def _owned(self, raw: dict[str, t.Any], ours: bool) -> dict[str, t.Any]:
        name = raw["RoleName"]
        return {
            "role_name": name,
            "role_arn": raw["Arn"],
            "ours": ours,
            "principals": trusted(raw["AssumeRolePolicyDocument"]),
            "inline_policies": self._inline(name) if ours else [],
            "attached_policies": self._attached(name) if ours else [],
            "instance_profiles": self._profiles(name) if ours else [],
        }

    def _profiles(self, name: str) -> list[str]:
        pages = self.client.get_paginator("list_instance_profiles_for_role").paginate(RoleName=name)
        return [profile["InstanceProfileName"] for page in pages for profile in page["InstanceProfiles"]]

    def documents(self, role: Role) -> dict[str, t.Any] | None:
        """The role's policy documents by name or ARN; None where the caller may not read them."""
        try:
            with doing(f"read the policies of role {role.name}"):
                return {policy: self._document(role.name, policy) for policy in role.policies or ()}
        except AnsibleAWSError as error:
            _check_denied(error)
            return None

    def _document(self, role: str, policy: str) -> t.Any:
        if not policy.startswith("arn:"):
            return self.client.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        version = self.client.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
        return self.client.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]


def _check_denied(error: AnsibleAWSError) -> None:
    """Let pass what isn't known for want of permission, and nothing else."""
    if error_code(error) not in DENIED_CODES:
        raise error
