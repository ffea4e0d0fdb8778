# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a trust policy lets a service account in by IRSA today. Pure.

A namespace's owner writes the annotation of a service account, and only who writes the trust policy gives the role
away. So what can't be known here counts against the service account.
"""

from __future__ import annotations

import typing as t

from .._core.validate import Place
from .conditions import Values
from .trust_edit import AUDIENCE, WEB_IDENTITY, Provider, subject
from .trust_evaluation import Caller, caller_problem

CLAIMS = (":sub", ":aud", ":amr", ":azp", ":oaud", ":id")
"""Endings of condition keys that stand for a claim of a token."""
NEVER_SENT = ("aws:principaltag/", "aws:principalorg", "saml:", "cognito-identity", "aws:requesttag/")
"""Beginnings of keys that such a request doesn't carry."""


class _WebIdentity(Caller):
    """A pod that calls STS with a token of its service account."""

    def lookup(self, key: str) -> Values:
        known = super().lookup(key)
        return () if known is None and key.endswith(CLAIMS) else known


def irsa_problem(trust: t.Any, provider: Provider, place: Place, audience: str = AUDIENCE) -> str:
    """Return why ``trust`` doesn't let the service account in by IRSA of ``provider``; "" if it does.

    ``audience`` is what its tokens are made for: the annotation ``eks.amazonaws.com/audience``, or STS.
    """
    caller = _WebIdentity(
        name=subject(place),
        principals=(provider.arn,),
        actions=(WEB_IDENTITY,),
        context=_context(provider, place, audience or AUDIENCE),
        never_sent=NEVER_SENT,
        sender="its token",
        strict=True,
    )
    return caller_problem(trust, caller)


def _context(provider: Provider, place: Place, audience: str) -> dict[str, Values]:
    """What is known of such a request."""
    return {
        provider.key("sub").lower(): (subject(place),),
        provider.key("aud").lower(): (audience,),
        "aws:federatedprovider": (provider.arn,),
        "aws:principalisawsservice": ("false",),
        "aws:principalservicename": (),
        "aws:securetransport": ("true",),
        "aws:sourceaccount": (),
        "aws:sourcearn": (),
        "aws:tagkeys": (),
        "sts:transitivetagkeys": (),
        "sts:externalid": (),
    }
