# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a trust policy lets a service account in by IRSA: what can't be known counts against it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.irsa_trust import irsa_problem
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._iam.test_trust_edit import (
    BOTH,
    DENY,
    FEED,
    ORDERS,
    OTHER,
    POD_IDENTITY,
    PROVIDER,
    document,
    irsa,
    of,
)

Document = dict[str, t.Any]
WEB: Document = {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}
OURS = irsa(*of(ORDERS))


def narrowed(**more: t.Any) -> Document:
    """IRSA's statement with further conditions."""
    return {**OURS, "Condition": {**OURS["Condition"], **more}}


def without_subject() -> Document:
    return {**OURS, "Condition": {"StringEquals": {PROVIDER.key("aud"): "sts.amazonaws.com"}}}


EVERYBODY_BUT = document({**{k: v for k, v in OURS.items() if k != "Principal"}, "NotPrincipal": {"AWS": "x"}})
ADMITTED = {
    "its name": document(OURS),
    "one of several": document(irsa(*of(FEED, ORDERS))),
    "a wildcard": document(irsa("system:serviceaccount:shop:*", operator="StringLike")),
    "a wildcard of namespaces": document(irsa("system:serviceaccount:*:orders", operator="StringLike")),
    "anybody of the cluster": document(without_subject()),
    "one provider of two": document(irsa(*of(ORDERS), **BOTH)),
    "beside others": document(POD_IDENTITY, irsa(*of(ORDERS), provider=OTHER), OURS),
    "an action with a wildcard": document({**OURS, "Action": "sts:AssumeRole*"}),
    "a denial of others": document(OURS, DENY),
    "a denial by another subject": document(OURS, {**irsa(*of(FEED)), "Effect": "Deny"}),
}


@pytest.mark.parametrize("trust", ADMITTED.values(), ids=ADMITTED)
def test_admitted(trust: Document) -> None:
    assert irsa_problem(trust, PROVIDER, ORDERS) == ""


REFUSED: dict[str, tuple[Document, str]] = {
    "an administrator's role": (
        document(
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
        ),
        "it names arn:aws:iam::123456789012:root",
    ),
    "anybody": (document({**OURS, "Principal": "*"}), "it names *"),
    "everybody but one": (
        document({**{k: v for k, v in OURS.items() if k != "Principal"}, "NotPrincipal": {"AWS": "x"}}),
        "it names",
    ),
    "another subject": (document(irsa(*of(FEED))), "sends 'system:serviceaccount:shop:orders'"),
    "a wildcard under StringEquals": (document(irsa("system:serviceaccount:shop:*")), "sends 'system:"),
    "another issuer": (document(irsa(*of(ORDERS), provider=OTHER)), "it names " + OTHER.arn),
    "another issuer's claims": (
        document({**irsa(*of(ORDERS), provider=OTHER), "Principal": {"Federated": PROVIDER.arn}}),
        "its token doesn't send it",
    ),
    "another audience": (
        document({**OURS, "Condition": {"StringEquals": {PROVIDER.key("aud"): "corp"}}}),
        "its token sends 'sts.amazonaws.com'",
    ),
    "a further condition that isn't known": (
        document(narrowed(IpAddress={"aws:SourceIp": "10.0.0.0/8"})),
        "whether that holds can't be known here",
    ),
    "a policy variable": (
        document(irsa("system:serviceaccount:${aws:username}:orders", operator="StringLike")),
        "which can't be judged here",
    ),
    "a denial": (document(OURS, {**OURS, "Effect": "Deny"}), "denies sts:AssumeRoleWithWebIdentity"),
    "a denial of all": (document(OURS, WEB), "denies sts:AssumeRoleWithWebIdentity"),
    "a denial that isn't known": (
        document(OURS, {**WEB, "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
        "denies sts:AssumeRoleWithWebIdentity",
    ),
    "Pod Identity alone": (document(POD_IDENTITY), "it names pods.eks.amazonaws.com"),
    "another action": (document({**OURS, "Action": "sts:AssumeRole"}), "has only sts:AssumeRole"),
}


@pytest.mark.parametrize(("trust", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(trust: Document, message: str) -> None:
    assert message in irsa_problem(trust, PROVIDER, ORDERS)


def test_the_audience_is_the_annotations() -> None:
    corp = document({**OURS, "Condition": {"StringEquals": {PROVIDER.key("aud"): "corp"}}})
    assert irsa_problem(corp, PROVIDER, ORDERS, "corp") == ""
    assert "sends 'corp'" in irsa_problem(document(OURS), PROVIDER, ORDERS, "corp")
