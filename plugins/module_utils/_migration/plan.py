# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the way from IRSA, or from the node's role, to Pod Identity. Pure: what was found in, a plan out.

The old way stays whole until the new one is proven: a plan's ``steps`` add, and only what is ``left`` after them takes
away.
"""

from __future__ import annotations

import typing as t

from .._core.validate import account_of
from .._iam.trust_edit import provider_of, with_pod_identity
from .._identity.findings.declared import IRSA_ANNOTATION
from .actions import acts, finishes, goes_back, remembering
from .model import Account, Desired
from .obstacles import opened, problem, skipped, too_large, warnings, without
from .use import Use, keeps, words

Row = dict[str, t.Any]
Texts = dict[str, list[str]]
"""What is to be done, in words, by what it is."""
SCOPES = {
    "service_account": "service account {account} alone",
    "cluster": "every service account of cluster {cluster}",
    "account": "every service account of every cluster of the account",
    "none": "every service account of every cluster that may pass it",
}
"""How far a role is opened, by the scope of the new statement."""


def roles_of(account: Account, desired: Desired) -> tuple[str, str]:
    """The role that an association is to give, and the target role behind it; "" for none."""
    named = account.by_irsa
    if not named:
        wanted = account.declared[0] if account.declared else account.bound
        return str(wanted.get("role_arn") or ""), str(account.bound.get("target_role_arn") or "")
    if account_of(named) != desired.cluster["account_id"]:
        return desired.targets[named].role_arn if named in desired.targets else "", named
    return named, ""


def plans(accounts: t.Sequence[Account], desired: Desired) -> list[Row]:
    """A row for each service account, those together that share a role."""
    alone = [plan(account, desired) for account in accounts]
    opening = [account for account, row in zip(accounts, alone, strict=True) if row["act"]["trust"]]
    crowded = {arn: found for arn, sharers in _by_role(opening).items() if (found := _crowded(arn, sharers, desired))}
    return [
        plan(account, desired, crowded.get(row["role_arn"] or "", "") if row["act"]["trust"] else "")
        for account, row in zip(accounts, alone, strict=True)
    ]


def _by_role(accounts: t.Iterable[Account]) -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = {}
    for account in accounts:
        if account.role is not None:
            found.setdefault(account.role.arn, []).append(account)
    return found


def _crowded(role_arn: str, sharers: t.Sequence[Account], desired: Desired) -> str:
    """Why the trust policy doesn't take a statement for each of them."""
    before, places = sharers[0].trust, [account.place for account in sharers]
    after = with_pod_identity(before, desired.cluster["arn"], desired.scope, places)
    return too_large(role_arn, before, after, desired)


def plan(account: Account, desired: Desired, crowded: str = "") -> Row:
    """The row of one service account: where it stands, what is to be done, and in which words.

    ``crowded`` is why it can't be opened together with those that share its role.
    """
    role_arn, target = roles_of(account, desired)
    alone = skipped(account, role_arn, target)
    obstacle = alone or problem(account, desired, role_arn, target) or crowded
    steps = dict(_steps(account, desired, role_arn, target)) if not obstacle else {}
    old = dict(_left(account, desired)) if not obstacle else {}
    return {
        **_words(account, role_arn, target),
        "state": _state(obstacle, bool(alone), steps, old),
        "problem": obstacle,
        "stops": bool(obstacle and not alone and (account.declared or "ACLSizePerRole" in obstacle)),
        "warnings": [] if alone else warnings(account, desired),
        **_actions(account, desired, steps, old),
    }


def _actions(account: Account, desired: Desired, steps: Texts, old: Texts) -> Row:
    """What is done, in words and for the role; of the ``old`` way nothing goes while somebody keeps it."""
    kept = _keeps(account, desired) if old else []
    left = old if not kept else {}
    return {
        **_texts(steps, left, kept),
        "act": acts(account, steps, desired.session_tags),
        "finish": finishes(account, provider_of(desired.cluster), left),
        "back": goes_back(account),
    }


def _keeps(account: Account, desired: Desired) -> list[Use]:
    """Who keeps the old way in place, and whether it could be brought back."""
    lost = account.by_irsa and not remembering(account, provider_of(desired.cluster))
    found = (
        [Use("what it has doesn't fit into the tags of its association, and there would be no way back")]
        if lost
        else []
    )
    return [*found, *keeps(account, str(account) in desired.unproven, restarting=True)]


def _texts(steps: Texts, left: Texts, kept: t.Sequence[Use]) -> Row:
    return {
        "steps": [text for texts in steps.values() for text in texts],
        "left": [text for texts in left.values() for text in texts],
        "stays": words(kept),
        "ending": any(use.passing for use in kept),
    }


def _words(account: Account, role_arn: str, target: str) -> Row:
    return {
        "name": str(account),
        "namespace": account.namespace,
        "service_account": account.name,
        "way": _way(account),
        "role_arn": role_arn or None,
        "target_role_arn": target or None,
    }


def _way(account: Account) -> str:
    if account.association:
        return "pod_identity"
    return "irsa" if account.annotation else "node"


def _state(obstacle: str, alone: bool, steps: Texts, left: Texts) -> str:
    if obstacle:
        return "left alone" if alone else "blocked"
    if steps:
        return "to migrate"
    return "migrated" if left else "finished"


def _steps(account: Account, desired: Desired, role_arn: str, target: str) -> t.Iterator[tuple[str, list[str]]]:
    """What adds the new way, in order."""
    if account.is_made:
        if not account.association:
            yield "role", [f"create role {role_arn} as it is declared, or change it"]
    elif account.role is not None and opened(account, desired) != account.trust:
        who = SCOPES[desired.scope].format(account=account, cluster=desired.cluster["arn"])
        yield "trust", [f"add a statement for Pod Identity to the trust policy of role {role_arn}, for {who}"]
    if not account.association:
        through = f", and through it role {target}" if target else ""
        yield "associate", [f"associate it with role {role_arn}{through}"]
    if account.restarted:
        yield "restart", [f"restart {owner}" for owner in account.restarted]


def _left(account: Account, desired: Desired) -> t.Iterator[tuple[str, list[str]]]:
    """What takes the old way away, in order."""
    if account.on_host_network and desired.host_network:
        yield "host_network", [f"take {each.owner} out of its node's network" for each in account.on_host_network]
    if account.annotation:
        yield "annotation", [f"take away the annotation {IRSA_ANNOTATION}"]
    if account.irsa_role and without(account, desired) != opened(account, desired):
        yield "irsa", [f"take IRSA's statement for it out of the trust policy of role {account.irsa_role}"]
