# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trust policies from IRSA to Pod Identity and back: statements added and taken away, the others untouched. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.plan import Refused
from .._core.validate import Place
from .conditions import as_texts, like
from .trust_evaluation import trust_problem
from .trust_policy import Document, added, statements, trust_policy

Statement = t.Mapping[str, t.Any]

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


def pod_identity_problem(document: Document, cluster_arn: str, place: Place, session_tags: bool = True) -> str:
    """Why ``document`` keeps Pod Identity out for a service account; "" where it doesn't."""
    pod = {"namespace": place[0], "service_account": place[1]}
    return trust_problem(document, cluster_arn=cluster_arn, session_tags=session_tags, **pod)


def without_irsa(
    document: Document, provider: Provider, places: t.Collection[Place], known: t.Collection[Statement] | None = None
) -> Document:
    """``document`` without what lets these service accounts in by this cluster's IRSA, where it names them exactly.

    Other subjects of such a statement stay, and so do statements with wildcards, with further conditions, or of more
    than one provider. The last statement stays as well: IAM takes no policy without one. With ``known``, only what is
    in it goes (as ``irsa_parts`` returned it).
    """
    gone = {subject(place) for place in places}
    kept = []
    for each in statements(document):
        rest: Statement | None = each
        if known is None or any(_narrowed(each, provider, value) in known for value in gone):
            rest = _without(each, provider, gone)
        kept += [] if rest is None else [rest]
    if not kept or kept == statements(document):
        return document
    return {**document, "Statement": kept}


def irsa_parts(document: Document, provider: Provider, place: Place) -> list[Statement]:
    """What ``without_irsa`` takes away of each statement, narrowed to the service account."""
    parts = (_narrowed(each, provider, subject(place)) for each in statements(document))
    return [part for part in parts if part is not None]


def with_irsa(
    document: Document, provider: Provider, places: t.Sequence[Place], parts: t.Sequence[Statement] = ()
) -> Document:
    """``document`` with what lets these service accounts in by IRSA, those that nothing lets in yet.

    ``parts`` are put back as they were; without them, a statement as eksctl writes it is added. ``Refused`` for a part
    that is anything but IRSA's of this provider, for one of ``places``.
    """
    for part in parts:
        document = _with_part(document, provider, part, {subject(place) for place in places})
    missing = [subject(place) for place in places if not irsa_statements(document, provider, place)]
    return _with_subjects(document, provider, missing) if missing and not parts else document


def _with_part(document: Document, provider: Provider, part: Statement, wanted: t.Collection[str]) -> Document:
    place = _exact(part, provider)
    named = as_texts(part["Condition"][place[0]][place[1]]) if place else ()
    if place is None or len(named) != 1 or named[0] not in wanted:
        raise Refused(f"statements has one that is not of IRSA alone, or not of {' or '.join(sorted(wanted))} alone.")
    if any(
        _narrowed(each, provider, named[0]) is not None and _alike(each, part, place) for each in statements(document)
    ):
        return document
    for number, each in enumerate(statements(document)):
        if _exact(each, provider) == place and _alike(each, part, place):
            subjects = [*as_texts(each["Condition"][place[0]][place[1]]), named[0]]
            grown = _with_values(each, place, subjects)
            return {
                **document,
                "Statement": [*statements(document)[:number], grown, *statements(document)[number + 1 :]],
            }
    return added(document, {"Statement": [part]})


def _alike(one: Statement, other: Statement, place: tuple[str, str]) -> bool:
    """Whether they differ in nothing but the subjects."""
    return _with_values(one, place, "") == _with_values(other, place, "")


def _with_values(statement: Statement, place: tuple[str, str], values: t.Any) -> Statement:
    operator, key = place
    keys = {**statement["Condition"].get(operator, {}), key: values}
    return {**statement, "Condition": {**statement["Condition"], operator: keys}}


def _narrowed(statement: Statement, provider: Provider, value: str) -> Statement | None:
    """The statement for one subject alone; None where it doesn't name that exactly."""
    place = _exact(statement, provider)
    if place is None:
        return None
    given = statement["Condition"][place[0]][place[1]]
    if value not in as_texts(given):
        return None
    return _with_values(statement, place, value if isinstance(given, str) else [value])


def _with_subjects(document: Document, provider: Provider, missing: t.Sequence[str]) -> Document:
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
    return _with_values(statement, place, left) if left else None


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
