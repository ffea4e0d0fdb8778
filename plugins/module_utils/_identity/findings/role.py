# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps EKS from issuing credentials: the role, its trust policy, and its target role. Pure."""

from __future__ import annotations

import json
import typing as t

from ..._cluster.model import CLUSTER_ARN
from ..._iam.conditions import as_texts
from ..._iam.model import Role
from ..._iam.trust_evaluation import trust_problem
from ..._iam.trust_policy import ACTIONS, SERVICE, added, statements, trust_policy
from ..evidence import Evidence
from . import remedies
from .codes import Finding

Document = t.Mapping[str, t.Any]


def of_roles(seen: Evidence) -> t.Iterator[Finding]:
    """The first thing that is wrong with the association's role, or with its target role; or EKS's own words."""
    found = _of_role(seen) or _of_target(seen)
    if found:
        yield found
    elif seen.issued and seen.issued.good is False:
        refused = not seen.issued.assumed_role_arn
        yield _refused(seen, seen.issued.message) if refused else _other_identity(seen, seen.issued.message)


def problem(seen: Evidence, role: Role | None) -> str:
    """Why the trust policy of the association's role, or of its target, lets nobody in; "" where it does."""
    if role is None or role.trust is None:
        return ""
    return _problem(seen, role, session_tags=not _untagged(seen))


def _problem(
    seen: Evidence, role: Role, session_tags: bool, cluster_arn: str = "", trust: Document | None = None
) -> str:
    """The same, with or without session tags, for another cluster, or with another ``trust`` than the role has."""
    chained = seen.role.arn if seen.role and role is seen.target else ""
    return trust_problem(
        role.trust if trust is None else trust,
        cluster_arn=cluster_arn or seen.around.cluster.arn,
        namespace=seen.workload.owner.namespace,
        service_account=str(seen.service_account),
        session_tags=session_tags,
        role_arn=chained,
    )


def _untagged(seen: Evidence) -> bool:
    return bool((seen.association or {}).get("disable_session_tags"))


def _of_role(seen: Evidence) -> Finding | None:
    role = seen.role
    if role is None or role.exists is None:
        return None
    if not role.exists:
        return _role_missing(seen, role)
    wrong = problem(seen, role)
    if not wrong:
        return None
    if _untagged(seen) and not _problem(seen, role, session_tags=True):
        return _session_tags_disabled(seen, role, wrong)
    others = _other_clusters(role.trust or {}, seen.around.cluster.arn)
    if others and not _problem(seen, role, not _untagged(seen), others[0]):
        return _role_of_other_cluster(seen, role, others)
    return _trust_excludes(seen, role, wrong)


def _of_target(seen: Evidence) -> Finding | None:
    role = seen.target
    if role is None or not (wrong := problem(seen, role)):
        return None
    return Finding(
        "target_role_excludes",
        f"Role {role.arn}",
        f"Target role {role.arn} doesn't let in {(seen.association or {})['role_arn']}: {_clause(wrong)}",
        _opened(seen, role, _target_trust(seen)),
    )


def _opened(seen: Evidence, role: Role, more: Document) -> str:
    """Let the service account in by one more statement; nothing that the trust policy says or denies is taken away."""
    trust = added(role.trust or {}, more)
    if _problem(seen, role, not _untagged(seen), trust=trust):
        return (
            f"Change the statement that denies in the trust policy of role {role.name}, or give {seen.place} a role of"
            " its own: no further statement lets it in"
        )
    return remedies.trust(role, trust)


def _target_trust(seen: Evidence) -> t.Any:
    return trust_policy(
        seen.around.cluster.arn,
        "target_role",
        namespace=seen.workload.owner.namespace,
        service_account=str(seen.service_account),
        disable_session_tags=_untagged(seen),
        role_arn=(seen.association or {})["role_arn"],
    )


def _clause(sentence: str) -> str:
    """A sentence as the end of another."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _role_missing(seen: Evidence, role: Role) -> Finding:
    return Finding(
        "role_missing",
        f"Role {role.arn}",
        f"Association {(seen.association or {})['association_id']} gives role {role.arn}, which doesn't exist",
        remedies.create_role(role, _trust(seen, role, "account")),
    )


def _trust_excludes(seen: Evidence, role: Role, wrong: str) -> Finding:
    return Finding(
        "trust_excludes",
        f"Role {role.arn}",
        f"Role {role.name} keeps Pod Identity out of {seen.place}: {_clause(wrong)}",
        _opened(seen, role, _trust(seen, role)),
    )


def _session_tags_disabled(seen: Evidence, role: Role, wrong: str) -> Finding:
    if (seen.association or {}).get("policy"):
        remedy = _opened(seen, role, _trust(seen, role))
    else:
        remedy = remedies.change_association(seen, "--no-disable-session-tags")
    return Finding(
        "session_tags_disabled",
        f"Role {role.arn}",
        f"Role {role.name} asks for session tags, which association {(seen.association or {})['association_id']} "
        f"disables: {_clause(wrong)}",
        remedy,
    )


def _role_of_other_cluster(seen: Evidence, role: Role, others: t.Sequence[str]) -> Finding:
    return Finding(
        "role_of_other_cluster",
        f"Role {role.arn}",
        f"Role {role.name} is shared between clusters, and its trust policy names only {', '.join(others)}",
        _opened(seen, role, _trust(seen, role, "cluster")),
    )


def _refused(seen: Evidence, message: str) -> Finding:
    return Finding(
        "credentials_refused",
        f"ServiceAccount {seen.place}",
        f"EKS refuses credentials to pods of service account {seen.place}: {message.rstrip('.')}",
        remedies.eks(
            seen.around.cluster,
            "describe-pod-identity-association",
            "--association-id",
            (seen.association or {})["association_id"],
        ),
    )


def _other_identity(seen: Evidence, message: str) -> Finding:
    owner = seen.workload.owner
    return Finding("other_identity", str(owner), message.rstrip("."), remedies.recreate(owner))


def _trust(seen: Evidence, role: Role, scope: str = "") -> Document:
    """What lets the workload's service account in, and no wider than can be without ``scope``."""
    arn, owner = seen.around.cluster.arn, seen.workload.owner
    if not arn:  # A role is of its cluster's account.
        return _of_account(role.arn.split(":")[4])
    narrow = "cluster" if _untagged(seen) else "service_account"
    return trust_policy(arn, scope or narrow, namespace=owner.namespace, service_account=str(seen.service_account))


def _of_account(account_id: str) -> Document:
    statement = {
        "Sid": "EksPodIdentity",
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": list(ACTIONS),
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _names_us(statement: Document) -> bool:
    principal = statement.get("Principal")
    return isinstance(principal, dict) and SERVICE in as_texts(principal.get("Service", ()))


def _other_clusters(document: Document, own: str) -> list[str]:
    """The clusters that the statements for Pod Identity name, if this one isn't among them."""
    named = [
        arn
        for statement in statements(document)
        if _names_us(statement)
        for keys in json.loads(json.dumps(statement.get("Condition") or {})).values()
        for key, values in keys.items()
        if key.lower() == "aws:sourcearn"
        for arn in as_texts(values)
    ]
    exact = all(CLUSTER_ARN.fullmatch(arn) for arn in named)
    return named if own and exact and own not in named else []
