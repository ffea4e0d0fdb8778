# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pod identity associations: which service account gets which role."""

from __future__ import annotations

import random
import string
import threading
import time
import typing as t
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from . import principals
from .eks_errors import EksError, in_use, invalid_parameter, not_found
from .idempotency import Tokens
from .policies import Question, trusts
from .requirements import POD_IDENTITY_SERVICE
from .state import Lab
from .validation import account_of_role, check_session_policy, check_tags, page

MAX_ASSOCIATIONS = 5000
"""In one cluster."""

Key = tuple[str, str]
"""Namespace and service account."""

Parameters = dict[str, t.Any]


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def random_id(length: int) -> str:
    """Return what AWS puts at the end of identifiers."""
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=length))  # noqa: S311  (a name)


@dataclass
class Association:
    """One association. ``policy`` and ``target_role_arn`` are empty when there are none."""

    cluster_arn: str
    namespace: str
    service_account: str
    role_arn: str
    sequence: int
    owner_arn: str = ""
    disable_session_tags: bool = False
    target_role_arn: str = ""
    policy: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"a-{random_id(17)}")
    created_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    @property
    def key(self) -> Key:
        """What it is for."""
        return self.namespace, self.service_account

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.cluster_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """Its own ARN."""
        return f"{self.cluster_arn.rpartition(':')[0]}:podidentityassociation/{self.cluster}/{self.id}"

    @property
    def external_id(self) -> str:
        """What the target role's trust can ask for as sts:ExternalId."""
        region, account = self.cluster_arn.split(":")[3:5]
        return f"{region}/{account}/{self.cluster}/{self.namespace}/{self.service_account}"

    def summary(self) -> dict[str, t.Any]:
        """As ListPodIdentityAssociations shows it."""
        return {
            "clusterName": self.cluster,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "associationArn": self.arn,
            "associationId": self.id,
            **({"ownerArn": self.owner_arn} if self.owner_arn else {}),
        }

    def view(self) -> dict[str, t.Any]:
        """As the other operations show it."""
        target = {"targetRoleArn": self.target_role_arn, "externalId": self.external_id}
        return {
            **self.summary(),
            "roleArn": self.role_arn,
            "tags": dict(self.tags),
            "createdAt": self.created_at,
            "modifiedAt": self.modified_at,
            "disableSessionTags": self.disable_session_tags,
            **(target if self.target_role_arn else {}),
            **({"policy": self.policy} if self.policy else {}),
        }


class Associations:
    """The associations of one cluster."""

    def __init__(self, lab: Lab, cluster_arn: str) -> None:
        self._lab = lab
        self._cluster_arn = cluster_arn
        self._by_id: dict[str, Association] = {}
        self._by_key: dict[Key, Association] = {}
        self._deleted: dict[Key, tuple[float, str]] = {}
        self._sequence = 0
        self._created: Tokens[Association] = Tokens()
        self._updated: Tokens[Association] = Tokens()
        self.webhook = WebhookView(lab)

    def __len__(self) -> int:
        return len(self._by_id)

    def for_service_account(self, namespace: str, service_account: str) -> Association | None:
        """Return the association of a service account, or None."""
        return self._by_key.get((namespace, service_account))

    def find(self, association_id: str) -> Association:
        """Return an association; ResourceNotFoundException."""
        found = self._by_id.get(association_id)
        if found is None:
            raise not_found(f"No association found for ID: {association_id}")
        return found

    def by_arn(self, arn: str) -> Association | None:
        """Return the association of that ARN, or None."""
        found = self._by_id.get(arn.rpartition("/")[2])
        return found if found and found.arn == arn else None

    def list_page(self, parameters: Parameters) -> tuple[list[Association], str | None]:
        """Return one page, and the token of the next."""
        wanted = {name: parameters[name] for name in ("namespace", "serviceAccount") if parameters.get(name)}
        found = [item for item in list(self._by_id.values()) if wanted.items() <= item.summary().items()]
        return page(found, lambda item: item.sequence, parameters)

    def create(self, parameters: Parameters) -> Association:
        """Make an association, or return the one that this very request made before."""
        return self._created.once(parameters, self._exists, lambda: self._create(parameters, ""))

    def update(self, parameters: Parameters) -> Association:
        """Change what is given of an association; an empty text clears."""
        association = self.find(parameters["associationId"])
        return self._updated.once(parameters, self._exists, lambda: self._update(association, parameters))

    def delete(self, association_id: str) -> Association:
        """Forget an association; for a while it may still be in the way of a new one."""
        association = self.find(association_id)
        del self._by_id[association_id], self._by_key[association.key]
        self._deleted[association.key] = (time.monotonic(), association_id)
        self.webhook.changed(association.key, False)
        return association

    def owned_by(self, owner_arn: str) -> list[str]:
        """Return the ARNs of what an add-on owns."""
        return [association.arn for association in self._owned(owner_arn)]

    def replace_owned(self, owner_arn: str, namespace: str, roles: t.Mapping[str, str]) -> None:
        """Let an add-on own exactly these: roles by service account, already checked."""
        for association in self._owned(owner_arn):
            if association.service_account not in roles:
                self.delete(association.id)
        for service_account, role_arn in roles.items():
            existing = self.for_service_account(namespace, service_account)
            if existing:
                existing.role_arn, existing.modified_at = role_arn, now()
            else:
                wanted = {"namespace": namespace, "serviceAccount": service_account, "roleArn": role_arn}
                self._create(wanted, owner_arn)

    def delete_owned(self, owner_arn: str) -> None:
        """Delete what an add-on owns."""
        for association in self._owned(owner_arn):
            self.delete(association.id)

    def disown(self, owner_arn: str) -> None:
        """Leave what an add-on owned to nobody."""
        for association in self._owned(owner_arn):
            association.owner_arn = ""

    def _owned(self, owner_arn: str) -> list[Association]:
        return [association for association in self._by_id.values() if association.owner_arn == owner_arn]

    def check(self, parameters: Parameters) -> None:
        """Refuse what ``create`` would refuse."""
        check_tags(parameters.get("tags") or {})
        check_options(parameters, bool(parameters.get("disableSessionTags")), parameters.get("policy") or "")
        self.check_free((parameters["namespace"], parameters["serviceAccount"]))
        if len(self) >= MAX_ASSOCIATIONS:
            raise EksError(
                "ResourceLimitExceededException",
                f"The maximum number of pod identity associations ({MAX_ASSOCIATIONS}) of the cluster is reached",
            )
        self.check_role(parameters["roleArn"])

    def check_free(self, key: Key) -> None:
        """Refuse a second association of a service account, also shortly after the first was deleted."""
        existing = self._by_key.get(key)
        deleted_at, association_id = self._deleted.get(key, (float("-inf"), ""))
        if existing:
            association_id = existing.id
        elif time.monotonic() - deleted_at >= self._lab.weather.association_delete_seconds:
            return
        raise in_use(f"Association already exists: {association_id}")

    def check_role(self, role_arn: str) -> None:
        """Refuse a role that EKS could not assume for this cluster's pods."""
        account = self._cluster_arn.split(":")[4]
        if account_of_role(role_arn) != account:
            raise EksError("AccessDeniedException", "Cross-account pass role is not allowed.")
        role = principals.find_role(role_arn)
        if role is None or self._unseen(role):
            raise invalid_parameter("Role provided in the request does not exist.")
        if not lets_pod_identity_in(role.assume_role_policy_document, self._cluster_arn):
            raise invalid_parameter(
                "Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue."
            )

    def _unseen(self, role: t.Any) -> bool:
        created: datetime = role.create_date.replace(tzinfo=UTC)
        return now() - created < timedelta(seconds=self._lab.weather.role_unseen_seconds)

    def _create(self, parameters: Parameters, owner_arn: str) -> Association:
        self.check(parameters)
        self._sequence += 1
        association = Association(
            self._cluster_arn,
            parameters["namespace"],
            parameters["serviceAccount"],
            parameters["roleArn"],
            self._sequence,
            owner_arn,
            tags=dict(parameters.get("tags") or {}),
            disable_session_tags=bool(parameters.get("disableSessionTags")),
            target_role_arn=parameters.get("targetRoleArn") or "",
            policy=parameters.get("policy") or "",
        )
        self._by_id[association.id] = self._by_key[association.key] = association
        self.webhook.changed(association.key, True)
        return association

    def _update(self, association: Association, parameters: Parameters) -> Association:
        disabled = parameters.get("disableSessionTags")
        disabled = association.disable_session_tags if disabled is None else disabled
        policy = parameters.get("policy")
        policy = association.policy if policy is None else policy
        check_options(parameters, disabled, policy)
        if parameters.get("roleArn"):
            self.check_role(parameters["roleArn"])
            association.role_arn = parameters["roleArn"]
        if parameters.get("targetRoleArn") is not None:
            association.target_role_arn = parameters["targetRoleArn"]
        association.disable_session_tags, association.policy = disabled, policy
        association.modified_at = now()
        return association

    def _exists(self, association: Association) -> bool:
        return association.id in self._by_id


def check_options(parameters: Parameters, session_tags_disabled: bool, policy: str) -> None:
    """Refuse a target role that is none, a policy that is none, and one together with session tags."""
    if parameters.get("targetRoleArn"):
        account_of_role(parameters["targetRoleArn"])
    if policy:
        check_session_policy(policy)
        if not session_tags_disabled:
            raise invalid_parameter("A policy requires disableSessionTags to be true")


def lets_pod_identity_in(document: str, cluster_arn: str) -> bool:
    """Say whether a trust policy lets EKS assume the role for some pod of that cluster.

    Conditions on session tags are taken to hold: they depend on the pod.
    """
    account = cluster_arn.split(":")[4]
    context = {"aws:SourceArn": cluster_arn, "aws:SourceAccount": account}
    return all(
        trusts(
            document,
            Question(action, "", context, ("aws:requesttag/", "aws:tagkeys")),
            "Service",
            {POD_IDENTITY_SERVICE},
        )
        == "Allow"
        for action in ("sts:AssumeRole", "sts:TagSession")
    )


class WebhookView:
    """The associations as the admission webhook knows them: some seconds behind."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._lock = threading.Lock()
        self._known: set[Key] = set()
        self._coming: deque[tuple[float, Key, bool]] = deque()

    def changed(self, key: Key, present: bool) -> None:
        """Take note of a change that the webhook will learn of later."""
        with self._lock:
            self._coming.append((time.monotonic(), key, present))

    def knows(self, key: Key) -> bool:
        """Say whether the webhook takes ``key`` for associated now."""
        with self._lock:
            horizon = time.monotonic() - self._lab.weather.webhook_cold_seconds
            while self._coming and self._coming[0][0] <= horizon:
                _unused, changed, present = self._coming.popleft()
                (self._known.add if present else self._known.discard)(changed)
            return key in self._known
