# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns an access key, and which policies limit what they do."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime

from moto.iam.exceptions import NotFoundException
from moto.iam.models import AccessKey, IAMBackend, iam_backends
from moto.sts.models import AssumedRole, sts_backends
from moto.utilities.utils import get_partition


@dataclass(frozen=True)
class Principal:
    """An IAM user or a session of a role, as it was when its call came in."""

    arn: str
    account_id: str
    secret: str = field(repr=False)
    documents: tuple[str, ...]
    limits: tuple[str, ...] = ()
    """Session policy and permissions boundary: each has to allow a call, too."""
    token: str | None = field(default=None, repr=False)
    expires: datetime | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    """The keys of those session tags that go on to every role assumed with this session."""
    role_arn: str | None = None
    user_id: str = ""
    name: str = ""

    @property
    def known_as(self) -> set[str]:
        """The names by which a trust policy can mean this principal itself."""
        return {self.arn, *([self.role_arn] if self.role_arn else [])}

    @property
    def account_root(self) -> set[str]:
        """The names by which a trust policy can mean everybody in its account."""
        return {self.account_id, f"{self.arn.split(':sts:')[0].split(':iam:')[0]}:iam::{self.account_id}:root"}


def find(key_id: str, region: str) -> Principal | None:
    """Return the principal that ``key_id`` belongs to, in whichever account; None if the key isn't active."""
    partition = get_partition(region)
    for account_id in list(sts_backends):
        for session in sts_backends[account_id][partition].assumed_roles:
            if session.access_key_id == key_id:
                return _of_session(session)
    for account_id in list(iam_backends):
        backend = iam_backends[account_id][partition]
        key = backend.access_keys.get(key_id)
        if key and key.user_name in backend.users and key.status == "Active":
            return _of_user(backend, key)
    return None


def find_role(role_arn: str) -> t.Any:
    """Return moto's role of that ARN, or None."""
    parts = role_arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    try:
        return iam_backends[parts[4]][parts[1]].get_role_by_arn(role_arn)
    except (NotFoundException, KeyError):
        return None


def role_documents(role: t.Any) -> tuple[list[str], list[str]]:
    """Return what a role's own policies say, and what limits them: its permissions boundary."""
    return list(_documents(role)), list(_boundary(role))


def _of_user(backend: IAMBackend, key: AccessKey) -> Principal:
    user = backend.users[str(key.user_name)]
    groups = [group for group in backend.groups.values() if user in group.users]
    return Principal(
        arn=user.arn,
        account_id=backend.account_id,
        secret=key.secret_access_key,
        documents=tuple(document for owner in (user, *groups) for document in _documents(owner)),
        tags={tag["Key"]: tag["Value"] for tag in backend.list_user_tags(user.name)},
        user_id=user.id,
        name=user.name,
    )


def _of_session(session: AssumedRole) -> Principal:
    role = find_role(session.role_arn)
    tags = {tag["Key"]: tag["Value"] for tag in role.tags or []} if role else {}
    return Principal(
        arn=session.arn,
        account_id=session.account_id,
        secret=session.secret_access_key,
        documents=tuple(_documents(role)) if role else (),
        limits=tuple(_limits(session, role)),
        token=session.session_token,
        expires=session.expiration.replace(tzinfo=UTC),
        tags={**tags, **getattr(session, "tags", {})},
        transitive=getattr(session, "transitive", frozenset()),
        role_arn=session.role_arn,
        user_id=session.user_id,
    )


def _documents(owner: t.Any) -> t.Iterator[str]:
    """Inline and attached policies of a user, group or role."""
    yield from (_text(document) for document in owner.policies.values())
    yield from (_default_version(policy) for policy in owner.managed_policies.values())


def _limits(session: AssumedRole, role: t.Any) -> t.Iterator[str]:
    if session.policy:
        yield session.policy
    if role:
        yield from _boundary(role)


def _boundary(role: t.Any) -> t.Iterator[str]:
    boundary = role.permissions_boundary_arn
    if boundary:
        policies = iam_backends[role.account_id][role.partition].managed_policies
        yield _default_version(policies[boundary]) if boundary in policies else "{}"


def _default_version(policy: t.Any) -> str:
    return next(
        _text(version.document) for version in policy.versions if version.version_id == policy.default_version_id
    )


def _text(document: t.Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
