# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM's roles in memory, behind a real boto3 client whose calls botocore validates."""

from __future__ import annotations

import json
import re
import threading
import typing as t
from collections import deque

import boto3
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
SESSION = boto3.Session()
"""It reads IAM's model once for all clients."""
Answer = dict[str, t.Any]


def arn_of(role: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:role{path}{role}"


class FakeIam:
    """Holds roles by name; ``client`` talks to it.

    ``refusals`` are errors that the next calls of a name get instead of an answer, and ``meanwhile`` is called once
    before the next call of a name, to do what somebody else does.
    """

    def __init__(self) -> None:
        self.roles: dict[str, Answer] = {}
        self.profiles: list[str] = []
        """Instance profiles that have each of the roles."""
        self.calls: list[str] = []
        self.refusals: dict[str, deque[Answer]] = {}
        self.meanwhile: dict[str, deque[t.Callable[[], object]]] = {}
        self._given = threading.local()
        self.client = SESSION.client("iam", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.client.meta.events.register("provide-client-params.iam", self._remember)
        self.client.meta.events.register("before-call.iam", self._answer)

    def refuse(self, call: str, code: str, message: str = "", times: int = 1, retried: int = 0) -> None:
        response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"RetryAttempts": retried},
        }
        self.refusals.setdefault(call, deque()).extend([response] * times)

    def first(self, call: str, action: t.Callable[[], object]) -> None:
        """Before the next ``call``, somebody else acts."""
        self.meanwhile.setdefault(call, deque()).append(action)

    def put(self, name: str, trust: t.Any, tags: t.Mapping[str, str] | None = None, **more: t.Any) -> Answer:
        """Make a role as somebody else would, with its ``policies`` and what is ``attached``."""
        path = more.get("Path", "/")
        self.roles[name] = {
            "Path": path,
            "RoleName": name,
            "RoleId": "AROA",
            "Arn": arn_of(name, path),
            "AssumeRolePolicyDocument": trust,
            "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            "policies": {},
            "attached": [],
            **more,
        }
        return self.roles[name]

    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith(("get_", "list_"))]

    def _remember(self, params: Answer, **_unused: t.Any) -> None:
        self._given.params = params

    def _answer(self, model: t.Any, **_unused: t.Any) -> tuple[t.Any, Answer]:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", model.name).lower()
        self.calls.append(name)
        if self.meanwhile.get(name):
            self.meanwhile[name].popleft()()
        if self.refusals.get(name):
            raise ClientError(self.refusals[name].popleft(), model.name)
        role = self._given.params.get("RoleName")
        if name not in ("create_role", "list_roles") and role not in self.roles:
            raise _error(model.name, "NoSuchEntity", f"The role with name {role} cannot be found.")
        return type("Response", (), {"status_code": 200})(), getattr(self, f"_{name}")(model.name, **self._given.params)

    def _create_role(self, call: str, RoleName: str, AssumeRolePolicyDocument: str, **more: t.Any) -> Answer:
        if RoleName in self.roles:
            raise _error(call, "EntityAlreadyExists", f"Role with name {RoleName} already exists.")
        boundary = more.pop("PermissionsBoundary", "")
        made = {"PermissionsBoundary": {"PermissionsBoundaryArn": boundary}} if boundary else {}
        return {"Role": _role(self.put(RoleName, json.loads(AssumeRolePolicyDocument), **more, **made))}

    def _get_role(self, call: str, RoleName: str) -> Answer:
        return {"Role": _role(self.roles[RoleName])}

    def _get_role_policy(self, call: str, RoleName: str, PolicyName: str) -> Answer:
        policies = self.roles[RoleName]["policies"]
        if PolicyName not in policies:
            raise _error(call, "NoSuchEntity", f"The role policy with name {PolicyName} cannot be found.")
        return {"RoleName": RoleName, "PolicyName": PolicyName, "PolicyDocument": json.dumps(policies[PolicyName])}

    def _list_roles(self, call: str) -> Answer:
        return {"Roles": [_role(role) for role in self.roles.values()], "IsTruncated": False}

    def _list_role_policies(self, call: str, RoleName: str) -> Answer:
        return {"PolicyNames": list(self.roles[RoleName]["policies"]), "IsTruncated": False}

    def _list_attached_role_policies(self, call: str, RoleName: str) -> Answer:
        attached = self.roles[RoleName]["attached"]
        return {"AttachedPolicies": [{"PolicyArn": arn} for arn in attached], "IsTruncated": False}

    def _update_assume_role_policy(self, call: str, RoleName: str, PolicyDocument: str) -> Answer:
        self.roles[RoleName]["AssumeRolePolicyDocument"] = json.loads(PolicyDocument)
        return {}

    def _put_role_policy(self, call: str, RoleName: str, PolicyName: str, PolicyDocument: str) -> Answer:
        self.roles[RoleName]["policies"][PolicyName] = json.loads(PolicyDocument)
        return {}

    def _delete_role_policy(self, call: str, RoleName: str, PolicyName: str) -> Answer:
        del self.roles[RoleName]["policies"][PolicyName]
        return {}

    def _attach_role_policy(self, call: str, RoleName: str, PolicyArn: str) -> Answer:
        self.roles[RoleName]["attached"].append(PolicyArn)
        return {}

    def _detach_role_policy(self, call: str, RoleName: str, PolicyArn: str) -> Answer:
        self.roles[RoleName]["attached"].remove(PolicyArn)
        return {}

    def _list_instance_profiles_for_role(self, call: str, RoleName: str) -> Answer:
        same = {"Path": "/", "InstanceProfileId": "AIPA", "CreateDate": "2026-01-01T00:00:00Z", "Roles": []}
        named = [{**same, "InstanceProfileName": each, "Arn": arn_of(each)} for each in self.profiles]
        return {"InstanceProfiles": named, "IsTruncated": False}

    def _remove_role_from_instance_profile(self, call: str, RoleName: str, InstanceProfileName: str) -> Answer:
        self.profiles.remove(InstanceProfileName)
        return {}

    def _delete_role(self, call: str, RoleName: str) -> Answer:
        if self.roles[RoleName]["policies"] or self.roles[RoleName]["attached"]:
            raise _error(call, "DeleteConflict", "Cannot delete entity, must delete policies first.")
        del self.roles[RoleName]
        return {}

    def _put_role_permissions_boundary(self, call: str, RoleName: str, PermissionsBoundary: str) -> Answer:
        self.roles[RoleName]["PermissionsBoundary"] = {"PermissionsBoundaryArn": PermissionsBoundary}
        return {}

    def _tag_role(self, call: str, RoleName: str, Tags: list[dict[str, str]]) -> Answer:
        given = {tag["Key"] for tag in Tags}
        kept = [tag for tag in self.roles[RoleName]["Tags"] if tag["Key"] not in given]
        self.roles[RoleName]["Tags"] = [*kept, *Tags]
        return {}

    def _untag_role(self, call: str, RoleName: str, TagKeys: list[str]) -> Answer:
        self.roles[RoleName]["Tags"] = [tag for tag in self.roles[RoleName]["Tags"] if tag["Key"] not in TagKeys]
        return {}


def _role(held: Answer) -> Answer:
    shown = {key: value for key, value in held.items() if key not in ("policies", "attached")}
    return {**shown, "AssumeRolePolicyDocument": json.dumps(held["AssumeRolePolicyDocument"])}


def _error(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
