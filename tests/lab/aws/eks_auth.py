# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EKS Auth API: a pod's token exchanged for credentials of its role."""

from __future__ import annotations

import typing as t
import uuid
from datetime import UTC

from moto.core.responses import ActionResult
from moto.eks.models import eks_backends
from moto.sts.models import AssumedRole, sts_backends

from .authorization import may_assume
from .eks import LabEKSBackend
from .eks_errors import EksError, not_found
from .pod_identity import Association
from .policies import Question, trusts
from .principals import Principal, find, find_role
from .requirements import POD_IDENTITY_SERVICE
from .rest_json import RestJsonErrors
from .sts import tag
from .tokens import AUDIENCE, PodToken, verify

ROLE_SECONDS = 6 * 3600
"""Life of the role's own credentials."""
TARGET_SECONDS = 3600
"""Life of a target role's: role chaining is limited to an hour."""
MAX_SESSION_NAME = 64

Tags = dict[str, str]


class EksAuthResponse(RestJsonErrors):
    """Answers AssumeRoleForPodIdentity, the only operation there is."""

    def __init__(self) -> None:
        super().__init__(service_name="eks-auth")
        self.automated_parameter_parsing = True

    def assume_role_for_pod_identity(self) -> ActionResult:
        """Exchange a token."""
        cluster, backend = self.params["clusterName"], self._backend()
        if cluster not in backend.clusters:
            raise not_found(f"No cluster found for name: {cluster}.")
        token = verify(self.params["token"], backend.lab.kubernetes)
        association = backend.associations(cluster).for_service_account(token.namespace, token.service_account)
        if association is None:
            raise not_found(
                f"No association found for service account {token.namespace}/{token.service_account} in {cluster}"
            )
        session = assume(association, token, self.region)
        return ActionResult(_view(association, token, session))

    def _backend(self) -> LabEKSBackend:
        return t.cast(LabEKSBackend, eks_backends[self.current_account][self.region])


def assume(association: Association, token: PodToken, region: str) -> AssumedRole:
    """Return a session of the association's role, or of its target role; AccessDeniedException."""
    tags = {} if association.disable_session_tags else session_tags(association, token)
    name = f"eks-{association.cluster}-{token.pod_name}"[: MAX_SESSION_NAME - 37] + f"-{uuid.uuid4()}"
    _check_trust(association, tags)
    policy = "" if association.target_role_arn else association.policy
    session = _session(association.role_arn, name, policy, ROLE_SECONDS, region, tags)
    if not association.target_role_arn:
        return session
    own = t.cast(Principal, find(session.access_key_id, region))
    _check_target(association, own, tags)
    return _session(association.target_role_arn, name, association.policy, TARGET_SECONDS, region, tags)


def session_tags(association: Association, token: PodToken) -> Tags:
    """Return the six tags that EKS puts on a session."""
    return {
        "eks-cluster-arn": association.cluster_arn,
        "eks-cluster-name": association.cluster,
        "kubernetes-namespace": token.namespace,
        "kubernetes-service-account": token.service_account,
        "kubernetes-pod-name": token.pod_name,
        "kubernetes-pod-uid": token.pod_uid,
    }


def _check_trust(association: Association, tags: Tags) -> None:
    account = association.cluster_arn.split(":")[4]
    context = {"aws:SourceArn": association.cluster_arn, "aws:SourceAccount": account, **_tag_context(tags)}
    role = find_role(association.role_arn)
    for action in _actions(tags):
        question = Question(action, association.role_arn, context)
        document = role.assume_role_policy_document if role else "{}"
        if trusts(document, question, "Service", {POD_IDENTITY_SERVICE}) != "Allow":
            raise _unauthorized("EKS does not have permissions to assume the associated role.")


def _check_target(association: Association, own: Principal, tags: Tags) -> None:
    """The role has to be allowed to assume its target, and the target has to trust it."""
    context = {"sts:ExternalId": association.external_id, **_tag_context(tags)}
    for action in _actions(tags):
        if not may_assume(own, Question(action, association.target_role_arn, context)):
            raise _unauthorized("The associated role does not have permissions to assume the target role.")


def _actions(tags: Tags) -> list[str]:
    return ["sts:AssumeRole", "sts:TagSession"] if tags else ["sts:AssumeRole"]


def _tag_context(tags: Tags) -> dict[str, t.Any]:
    keys: dict[str, t.Any] = {"aws:TagKeys": list(tags)} if tags else {}
    return {**keys, **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}


def _session(role_arn: str, name: str, policy: str, seconds: int, region: str, tags: Tags) -> AssumedRole:
    backend = sts_backends[role_arn.split(":")[4]][role_arn.split(":")[1]]
    session = backend.assume_role(region, name, role_arn, policy, seconds, "")
    tag(session, tags, tags)  # EKS makes all of them transitive.
    return session


def _view(association: Association, token: PodToken, session: AssumedRole) -> dict[str, t.Any]:
    return {
        "subject": {"namespace": token.namespace, "serviceAccount": token.service_account},
        "audience": AUDIENCE,
        "podIdentityAssociation": {"associationArn": association.arn, "associationId": association.id},
        "assumedRoleUser": {"arn": session.arn, "assumeRoleId": session.user_id},
        "credentials": {
            "accessKeyId": session.access_key_id,
            "secretAccessKey": session.secret_access_key,
            "sessionToken": session.session_token,
            "expiration": session.expiration.replace(tzinfo=UTC),
        },
    }


def _unauthorized(message: str) -> EksError:
    return EksError("AccessDeniedException", f"Unauthorized Exception! {message}")
