# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a trust policy lets EKS Pod Identity in, and if not, why. No boto3, no AnsibleModule.

What can't be known here, such as a condition on the organization, counts in the role's favour.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._cluster.model import parse_arn
from .._core.plan import Refused
from .._core.validate import account_of
from .conditions import Test, Values, as_texts, evaluate, like, together
from .trust_policy import ACTIONS, SERVICE, external_id, read_document

SESSION_TAGS = (
    "eks-cluster-arn",
    "eks-cluster-name",
    "kubernetes-namespace",
    "kubernetes-service-account",
    "kubernetes-pod-name",
    "kubernetes-pod-uid",
)
TAG_KEY = "aws:requesttag/"
NEVER_SENT = ("aws:principaltag/", "aws:principalorg", "aws:federatedprovider", "saml:", "oidc.", "cognito-identity")
"""Beginnings of keys that a request of EKS's service principal doesn't carry."""


@dataclass(frozen=True)
class Caller:
    """Who assumes the role, with what, and what of it is known."""

    name: str
    principals: tuple[str, ...]
    """What a statement may name it by."""
    actions: tuple[str, ...]
    context: dict[str, Values]
    tags: dict[str, Values] = field(default_factory=dict)
    """Session tags that it sends, by key."""
    never_sent: tuple[str, ...] = ()
    sender: str = "EKS"
    """Who sends the condition keys, as messages name it."""
    strict: bool = False
    """Whether what can't be known counts against the caller."""

    def lookup(self, key: str) -> Values:
        """Return the values of a condition key in lower case."""
        if key.startswith(TAG_KEY):
            return self.tags.get(key.removeprefix(TAG_KEY), ())
        return self.context.get(key, () if key.startswith(self.never_sent or ("\0",)) else None)


def trust_problem(
    trust: t.Any,
    *,
    cluster_arn: str = "",
    namespace: str = "",
    service_account: str = "",
    session_tags: bool = True,
    role_arn: str = "",
) -> str:
    """Return why ``trust`` doesn't let Pod Identity in for that service account; "" if it does.

    With ``role_arn``, the association's role, ``trust`` is a target role's. Options that are left out are unknown.
    """
    tags = _session_tags(cluster_arn, namespace, service_account) if session_tags else {}
    pod = (namespace, service_account)
    caller = _role_caller(role_arn, cluster_arn, pod, tags) if role_arn else _service_caller(cluster_arn, tags)
    return caller_problem(trust, caller)


def caller_problem(trust: t.Any, caller: Caller) -> str:
    """Return why ``trust`` doesn't let ``caller`` in; "" if it does."""
    try:
        return _problem(_statements(read_document(trust)), caller)
    except Refused as error:
        return str(error)


def trusted(trust: t.Any) -> list[str]:
    """Everyone whom an allowing statement of ``trust`` names, each once, in order."""
    allowing = [statement for statement in _statements(read_document(trust)) if statement.allows()]
    return list(dict.fromkeys(name for statement in allowing for name in statement.principals()))


def _known(value: str) -> Values:
    return (value,) if value else None


def _session_tags(cluster_arn: str, namespace: str, service_account: str) -> dict[str, Values]:
    name = parse_arn(cluster_arn).name if cluster_arn else ""
    values = (cluster_arn, name, namespace, service_account, "", "")
    return dict(zip(SESSION_TAGS, map(_known, values), strict=True))


def _service_caller(cluster_arn: str, tags: dict[str, Values]) -> Caller:
    context: dict[str, Values] = {
        "aws:sourceaccount": _known(account_of(cluster_arn) if cluster_arn else ""),
        "aws:sourcearn": _known(cluster_arn),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (SERVICE,),
        "aws:securetransport": ("true",),
        "aws:tagkeys": tuple(tags),
        "sts:transitivetagkeys": tuple(tags),
        "sts:externalid": (),
        "aws:principalarn": (),
        "aws:principalaccount": (),
    }
    return Caller(SERVICE, (SERVICE,), ACTIONS, context, tags, NEVER_SENT)


def _role_caller(role_arn: str, cluster_arn: str, pod: tuple[str, str], tags: dict[str, Values]) -> Caller:
    account = account_of(role_arn)
    sent = external_id(parse_arn(cluster_arn), *pod) if cluster_arn and all(pod) and not tags else ""
    context: dict[str, Values] = {
        "aws:principalarn": (role_arn,),
        "aws:principalaccount": (account,),
        "aws:principalisawsservice": ("false",),
        "aws:principalservicename": (),
        "aws:sourceaccount": (),
        "aws:sourcearn": (),
        "aws:securetransport": ("true",),
        "aws:tagkeys": tuple(tags),
        "sts:transitivetagkeys": tuple(tags),
        "sts:externalid": _known(sent),
    }
    root = ":".join(role_arn.split(":")[:5]) + ":root"
    return Caller(role_arn, (role_arn, root, account), ACTIONS if tags else ACTIONS[:1], context, tags)


@dataclass(frozen=True)
class _Statement:
    label: str
    raw: t.Mapping[str, t.Any]

    def allows(self) -> bool:
        return self.raw.get("Effect") == "Allow"

    def principals(self) -> tuple[str, ...]:
        """What Principal or NotPrincipal names, of every kind."""
        named = self.raw.get("Principal", self.raw.get("NotPrincipal", ()))
        return tuple(p for group in named.values() for p in as_texts(group)) if isinstance(named, dict) else (named,)

    def names(self, caller: Caller) -> bool:
        exactly = caller.strict and self.allows()
        listed = any((name == "*" and not exactly) or name in caller.principals for name in self.principals())
        return (listed and "Principal" in self.raw) if exactly else listed != ("NotPrincipal" in self.raw)

    def actions(self) -> tuple[str, ...]:
        return as_texts(self.raw.get("Action", self.raw.get("NotAction", ())))

    def covers(self, action: str) -> bool:
        listed = any(like(pattern.lower(), action.lower()) for pattern in self.actions())
        return listed != ("NotAction" in self.raw)

    def tests(self, caller: Caller) -> list[Test]:
        return evaluate(self.raw.get("Condition", {}), caller.lookup)

    def failing(self, caller: Caller) -> list[Test]:
        return [test for test in self.tests(caller) if test.verdict is False or (caller.strict and not test.verdict)]

    def applies(self, caller: Caller, action: str) -> bool:
        """Whether it decides about the caller; what can't be known is in the caller's favour, unless that is strict."""
        if not (self.names(caller) and self.covers(action)):
            return False
        verdict = together(test.verdict for test in self.tests(caller))
        return (self.allows() != caller.strict) if verdict is None else verdict


def _statements(document: t.Mapping[str, t.Any]) -> list[_Statement]:
    raw = document["Statement"]
    items = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(item, t.Mapping) for item in items):
        raise Refused("The trust policy's Statement is not a list of statements.")
    return [_Statement(_label(number, item), item) for number, item in enumerate(items, 1)]


def _label(number: int, raw: t.Mapping[str, t.Any]) -> str:
    return f"statement {number}" + (f" ({raw['Sid']})" if raw.get("Sid") else "")


def _problem(statements: t.Sequence[_Statement], caller: Caller) -> str:
    for action in caller.actions:
        for statement in statements:
            if not statement.allows() and statement.applies(caller, action):
                return f"The trust policy denies {action} to {caller.name} in {statement.label}."
        allowing = [statement for statement in statements if statement.allows()]
        if not any(statement.applies(caller, action) for statement in allowing):
            return f"The trust policy doesn't allow {action} to {caller.name}: {_reason(allowing, caller, action)}."
    return ""


def _reason(allowing: t.Sequence[_Statement], caller: Caller, action: str) -> str:
    """Explain by the statement that comes nearest."""
    naming = [statement for statement in allowing if statement.names(caller)]
    for statement in naming:
        if statement.covers(action):
            return "; ".join(f"{statement.label} {_shortfall(test, caller)}" for test in statement.failing(caller))
    if naming:
        return "; ".join(f"{s.label} has only {_action_words(s)}" for s in naming)
    others = sorted({name for statement in allowing for name in statement.principals()})
    return f"it names {', '.join(others)}" if others else "it has no statement that allows anything"


def _action_words(statement: _Statement) -> str:
    exclusion = "all actions but " if "NotAction" in statement.raw else ""
    return exclusion + ", ".join(statement.actions())


def _shortfall(test: Test, caller: Caller) -> str:
    wanted = " or ".join(map(repr, test.wanted))
    text = f"asks for {test.operator} {test.key} {wanted}, and "
    if test.actual is None:
        return text + "whether that holds can't be known here"
    text += f"{caller.sender} "
    if test.actual and test.verdict is None:
        return text + f"sends {', '.join(map(repr, test.actual))}, which can't be judged here"
    if test.actual:
        return text + f"sends {', '.join(map(repr, test.actual))}"
    disabled = test.key.lower().startswith(TAG_KEY) and not caller.tags
    return text + ("sends no tags, as session tags are disabled" if disabled else "doesn't send it")
