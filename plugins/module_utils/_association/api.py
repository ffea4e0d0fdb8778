# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pod Identity associations in the EKS API: dataclasses in and out, no decisions."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import NOT_FOUND, doing, error_code, error_message
from .._core.plan import Change
from .._core.validate import canonical
from .plan import Association, Key, Observed, Summary


class EksAssociations:
    """The associations of ``cluster``.

    ``missing_role`` asks IAM about a role's ARN, and returns a clause where IAM has no such role.
    """

    def __init__(
        self, client: t.Any, cluster: str, missing_role: t.Callable[[str], str] = lambda _role_arn: ""
    ) -> None:
        self._client = client
        self._cluster = cluster
        self.missing_role = missing_role

    def list(self, namespace: str | None = None, service_account: str | None = None) -> list[Summary]:
        """Every association of the cluster, or of a namespace, or of a service account; all pages."""
        given = {"namespace": namespace, "serviceAccount": service_account}
        filters = {name: value for name, value in given.items() if value}
        where = "/".join(filters.values())
        with doing(f"list the associations of {where + ' in ' if where else ''}cluster {self._cluster}"):
            pages = self._client.get_paginator("list_pod_identity_associations")
            observed = pages.paginate(clusterName=self._cluster, PaginationConfig={"PageSize": 100}, **filters)
            return [self._summary(raw) for page in observed for raw in page["associations"]]

    def describe(self, association_id: str) -> tuple[Key, Observed] | None:
        """The association of that id; None once it is deleted, also where a listing still shows it."""
        try:
            with doing(f"describe the association {association_id} in cluster {self._cluster}"):
                answer = self._client.describe_pod_identity_association(
                    clusterName=self._cluster, associationId=association_id
                )
        except AnsibleAWSError as error:
            if error_code(error) in NOT_FOUND and "No cluster found" not in error_message(error):
                return None
            raise
        raw = answer["association"]
        return self._key(raw), _observed(raw)

    def find(self, key: Key) -> Observed | None:
        """The association of a service account."""
        for summary in self.list(key.namespace, key.service_account):
            if (described := self.describe(summary.id)) is not None:
                return described[1]
        return None

    def holder(self, key: Key, refusal: AnsibleAWSError) -> Observed | None:
        """The association that ``refusal`` of a create, a 409, is about; None when it is on its way out.

        EKS's message names it ("Association already exists: a-…"), which saves a listing.
        """
        named = re.search(r"\ba-[a-z0-9]{17}\b", error_message(refusal))
        if named is None:
            return self.find(key)
        described = self.describe(named.group())
        return described[1] if described else None

    def make(self, change: Change) -> Observed | None:
        """Make one planned call; the association as it then is, where EKS says so."""
        with doing(change.purpose):
            raw = getattr(self._client, change.call)(**change.args).get("association")
        return _observed(raw) if raw else None

    def _key(self, raw: dict[str, t.Any]) -> Key:
        return Key(self._cluster, raw["namespace"], raw["serviceAccount"])

    def _summary(self, raw: dict[str, t.Any]) -> Summary:
        return Summary(self._key(raw), raw["associationId"], raw["associationArn"], raw.get("ownerArn") or "")


def _observed(raw: dict[str, t.Any]) -> Observed:
    policy = raw.get("policy")
    association = Association(
        role_arn=raw["roleArn"],
        target_role_arn=raw.get("targetRoleArn") or "",
        disable_session_tags=bool(raw.get("disableSessionTags")),
        policy=canonical(json.loads(policy)) if policy else "",
        tags=raw.get("tags") or {},
    )
    return Observed(
        arn=raw["associationArn"],
        id=raw["associationId"],
        association=association,
        owner_arn=raw.get("ownerArn") or "",
        external_id=raw.get("externalId") or "",
        created_at=_time(raw.get("createdAt")),
        modified_at=_time(raw.get("modifiedAt")),
    )


def _time(value: t.Any) -> str:
    return value.isoformat() if value else ""
