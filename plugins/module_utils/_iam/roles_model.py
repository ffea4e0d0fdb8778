# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM roles for Pod Identity: as they are declared, and as they are. No boto3, no AnsibleModule."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._core import validate
from .._core.plan import Refused
from .._core.tags import is_ours
from .adoption import ServiceAccount, service_accounts
from .trust_policy import Document, read_document

LONGEST_DESCRIPTION = 1000
LONGEST_POLICY = 10240
"""Characters of a role's inline policies; the same in every account."""
TRUST_QUOTA = 2048
"""Characters of a trust policy, unless the account's quota was raised."""
ATTACHED_QUOTA = 10
"""Managed policies of a role, unless the account's quota was raised."""

_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/([!-~]{1,510}/)?")
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[!-~]{1,639}")


@dataclass(frozen=True)
class Desired:
    """A role as it is declared; what is None is left as it is."""

    name: str
    trust: Document
    path: str | None = None
    description: str | None = None
    """Of a role that is created."""
    policy: Document | None = None
    policy_name: str = ""
    managed: tuple[str, ...] = ()
    """ARNs of managed policies."""
    service_accounts: tuple[ServiceAccount, ...] | None = None
    """Whom an adopted role is opened for, as far as it has to be; None opens it by ``trust``."""
    boundary: str = ""
    """ARN of a permissions boundary; "" leaves it as it is."""
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True
    purge_policies: bool = False


@dataclass(frozen=True)
class State:
    """A role as it is, or is to be; None stands for what is not compared, and for an ARN that AWS still has to give."""

    name: str
    arn: str | None
    path: str
    description: str
    trust: Document
    boundary: str
    tags: t.Mapping[str, str]
    policy: Document | None = None
    """The inline policy that is compared; {} where there is none."""
    attached: tuple[str, ...] | None = None
    inline: tuple[str, ...] | None = None

    @property
    def ours(self) -> bool:
        """Whether this collection created the role."""
        return is_ours(self.tags)

    def view(self) -> dict[str, t.Any]:
        """The role in the words that the module returns."""
        return {
            "role_name": self.name,
            "role_arn": self.arn,
            "path": self.path,
            "description": self.description,
            "trust_policy": self.trust,
            "policy": self.policy,
            "managed_policies": None if self.attached is None else sorted(self.attached),
            "inline_policies": None if self.inline is None else sorted(self.inline),
            "boundary": self.boundary,
            "tags": dict(self.tags),
        }


@dataclass(frozen=True)
class Rules:
    """What the task allows."""

    adopt: bool = False
    """Whether roles that were not created here are changed, whoever uses them."""
    trust_quota: int = TRUST_QUOTA
    attached_quota: int = ATTACHED_QUOTA


@dataclass(frozen=True)
class Request:
    """The roles of a task."""

    roles: tuple[Desired, ...]
    rules: Rules
    unlisted: bool
    """Whether policies that aren't declared are read too."""
    absent: bool = False
    """Whether the roles are deleted."""


def request(params: t.Mapping[str, t.Any]) -> Request:
    """Read the options of the task, or refuse them before anything is called."""
    absent = params["state"] == "absent"
    roles = tuple(_desired(f"roles[{number}]", item, absent) for number, item in enumerate(params["roles"]))
    names = [role.name.lower() for role in roles]
    if doubled := sorted({role.name for role in roles if names.count(role.name.lower()) > 1}):
        raise Refused(f"roles names {', '.join(doubled)} more than once, and IAM doesn't tell upper from lower case.")
    rules = Rules(params["adopt"], params["trust_policy_quota"], params["managed_policies_quota"])
    return Request(roles, rules, params["report_unlisted"], absent)


def _desired(label: str, item: t.Mapping[str, t.Any], absent: bool) -> Desired:
    if not (item["trust_policy"] or absent):
        raise Refused(f"{label}.trust_policy is missing, and every role has one.")
    name = _matching(f"{label}.role_name", item["role_name"], _NAME, "1 to 64 letters, digits and +=,.@_-")
    tags = item["tags"]
    return Desired(
        name=name,
        trust=_document(f"{label}.trust_policy", item["trust_policy"]) if item["trust_policy"] else {},
        path=_optional(f"{label}.path", item["path"], _PATH, "/ or /PART/"),
        description=_description(label, item["description"]),
        policy=_document(f"{label}.policy", item["policy"]) if item["policy"] else None,
        policy_name=_optional(f"{label}.policy_name", item["policy_name"], _NAME, "a name") or name,
        managed=_policy_arns(f"{label}.managed_policies", item["managed_policies"]),
        service_accounts=service_accounts(f"{label}.service_accounts", item["service_accounts"]),
        boundary=_optional(f"{label}.boundary", item["boundary"], _POLICY_ARN, "the ARN of a policy") or "",
        tags=None if tags is None else validate.tags(f"{label}.tags", tags),
        purge_tags=item["purge_tags"],
        purge_policies=item["purge_policies"],
    )


def _matching(option: str, value: str, pattern: re.Pattern[str], rule: str) -> str:
    if not pattern.fullmatch(value):
        raise Refused(f"{option} {value[:80]!r} is not what IAM takes ({rule}).")
    return value


def _optional(option: str, value: str | None, pattern: re.Pattern[str], rule: str) -> str | None:
    return _matching(option, value, pattern, rule) if value else None


def _policy_arns(option: str, value: t.Sequence[str] | None) -> tuple[str, ...]:
    checked = [
        _matching(option, arn, _POLICY_ARN, "ARNs of policies, arn:PARTITION:iam::ACCOUNT:policy/NAME")
        for arn in value or ()
    ]
    return tuple(dict.fromkeys(checked))


def _description(label: str, value: str | None) -> str | None:
    if value and len(value) > LONGEST_DESCRIPTION:
        raise Refused(f"{label}.description has {len(value)} characters, and IAM takes {LONGEST_DESCRIPTION:,}.")
    return value


def _document(option: str, value: t.Any) -> Document:
    try:
        return read_document(value)
    except Refused as error:
        raise Refused(f"{option}: {str(error).replace('The trust policy', 'The policy')}") from None
