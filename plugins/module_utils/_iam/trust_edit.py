# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trust policies from IRSA to Pod Identity and back: statements added and taken away, the others untouched. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .conditions import as_texts, like
from .trust_evaluation import trust_problem
from .trust_policy import Document, added, statements, trust_policy

Statement = t.Mapping[str, t.Any]
Place = tuple[str, str]
"""Namespace and service account."""

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
AUDIENCE = "sts.amazonaws.com"
PARTS = {"Sid", "Effect", "Principal", "Action", "Condition"}
EXACT = ("stringequals", "stringlike")
"""Operators whose values, without wildcards, name a service account exactly."""


@dataclass(frozen=True)
class Provider:
    """A cluster's OIDC provider in IAM."""

    arn: str

    @property
    def issuer(self) -> str:
        """The issuer without its scheme: how condition keys begin."""
        return self.arn.partition(":oidc-provider/")[2]

    def key(self, claim: str) -> str:
        """The condition key of a claim: ``sub`` or ``aud``."""
        return f"{self.issuer}:{claim}"


def provider_of(cluster: t.Mapping[str, t.Any]) -> Provider:
    """The provider that IRSA needs for ``cluster``, as eks_cluster_info returns it; whether IAM has one isn't asked."""
    issuer = str(cluster.get("oidc_issuer") or "").removeprefix("https://")
    return Provider(f"arn:{cluster['partition']}:iam::{cluster['account_id']}:oidc-provider/{issuer}")


def subject(place: Place) -> str:
    """A service account as its tokens name it."""
    return f"system:serviceaccount:{place[0]}:{place[1]}"


def with_pod_identity(document: Document, cluster_arn: str, scope: str, places: t.Iterable[Place]) -> Document:
    """``document`` with as little more as lets Pod Identity in for each service account; unchanged where it does."""
    for namespace, name in places:
        if pod_identity_problem(document, cluster_arn, (namespace, name)):
            more = trust_policy(cluster_arn, scope, namespace=namespace, service_account=name)
            grown = added(document, more)
            if not pod_identity_problem(grown, cluster_arn, (namespace, name)):
                document = grown
    return document


def pod_identity_problem(document: Document, cluster_arn: str, place: Place) -> str:
    """Why ``document`` keeps Pod Identity out for a service account; "" where it doesn't."""
    return trust_problem(document, cluster_arn=cluster_arn, namespace=place[0], service_account=place[1])


def without_irsa(document: Document, provider: Provider, places: t.Collection[Place]) -> Document:
    """``document`` without what lets these service accounts in by this cluster's IRSA, where it names them exactly.

    Other subjects of such a statement stay, and so do statements with wildcards, with further conditions, or of more
    than one provider. The last statement stays as well: IAM takes no policy without one.
    """
    gone = {subject(place) for place in places}
    kept = [rest for each in statements(document) if (rest := _without(each, provider, gone)) is not None]
    if not kept or kept == statements(document):
        return document
    return {**document, "Statement": kept}


def with_irsa(document: Document, provider: Provider, places: t.Iterable[Place]) -> Document:
    """``document`` with a statement that lets these service accounts in by IRSA, those that none lets in yet."""
    missing = [subject(place) for place in places if not irsa_statements(document, provider, place)]
    if not missing:
        return document
    condition = {provider.key("aud"): AUDIENCE, provider.key("sub"): missing if missing[1:] else missing[0]}
    statement = {
        "Sid": "Irsa",
        "Effect": "Allow",
        "Principal": {"Federated": provider.arn},
        "Action": WEB_IDENTITY,
        "Condition": {"StringEquals": condition},
    }
    return added(document, {"Statement": [statement]})


def irsa_statements(document: Document, provider: Provider, place: Place) -> list[str]:
    """The statements that let a service account in by IRSA of this cluster, as messages name them."""
    return [
        f"statement {number}" + (f" ({each['Sid']})" if each.get("Sid") else "")
        for number, each in enumerate(statements(document), 1)
        if _lets_in(each, provider, subject(place))
    ]


def _lets_in(statement: Statement, provider: Provider, wanted: str) -> bool:
    if statement.get("Effect") != "Allow" or provider.arn not in _federated(statement):
        return False
    named = [values for _operator, key, values in _conditions(statement) if key.lower() == provider.key("sub").lower()]
    return all(any(like(pattern, wanted) for pattern in values) for values in named)


def _without(statement: Statement, provider: Provider, gone: t.Collection[str]) -> Statement | None:
    """The statement without those subjects; None where nobody is left."""
    place = _exact(statement, provider)
    if place is None:
        return statement
    operator, key = place
    before = as_texts(statement["Condition"][operator][key])
    left = [value for value in before if value not in gone]
    if len(left) == len(before):
        return statement
    if not left:
        return None
    keys = {**statement["Condition"][operator], key: left}
    return {**statement, "Condition": {**statement["Condition"], operator: keys}}


def _exact(statement: Statement, provider: Provider) -> tuple[str, str] | None:
    """Operator and key that name the subjects, in a statement that is IRSA's of this provider and nothing else."""
    ours = statement.get("Effect") == "Allow" and _federated(statement) == (provider.arn,)
    actions = {action.lower() for action in as_texts(statement.get("Action", ()))}
    if not ours or set(statement) - PARTS or actions != {WEB_IDENTITY.lower()}:
        return None
    found = list(_conditions(statement))
    subjects = [(operator, key) for operator, key, values in found if _names_subjects(operator, key, values, provider)]
    others = [key for operator, key, _values in found if (operator, key) not in subjects]
    return subjects[0] if len(subjects) == 1 and set(others) <= {provider.key("aud")} else None


def _names_subjects(operator: str, key: str, values: tuple[str, ...], provider: Provider) -> bool:
    plain = not any(sign in value for value in values for sign in "*?$")
    return operator.lower() in EXACT and key == provider.key("sub") and plain


def _federated(statement: Statement) -> tuple[str, ...]:
    principal = statement.get("Principal")
    if not isinstance(principal, t.Mapping) or set(principal) != {"Federated"}:
        return ()
    return as_texts(principal["Federated"])


def _conditions(statement: Statement) -> t.Iterator[tuple[str, str, tuple[str, ...]]]:
    condition = statement.get("Condition")
    for operator, keys in condition.items() if isinstance(condition, t.Mapping) else ():
        for key, values in keys.items() if isinstance(keys, t.Mapping) else ():
            yield operator, key, as_texts(values)
