# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the way from IRSA, or from the node's role, to Pod Identity. Pure: what was found in, a plan out.

The old way stays whole until the new one is proven: a plan's ``steps`` add, and only what is ``left`` after them takes
away.
"""

from __future__ import annotations

import typing as t

from .._core.validate import account_of
from .._identity.findings.declared import IRSA_ANNOTATION
from .actions import acts, finishes, goes_back
from .model import Account, Wish
from .obstacles import opened, problem, skipped, warnings, without

Row = dict[str, t.Any]
Texts = dict[str, list[str]]
"""What is to be done, in words, by what it is."""


def roles_of(account: Account, wish: Wish) -> tuple[str, str]:
    """The role that an association is to give, and the target role behind it; "" for none."""
    named = account.by_irsa
    if not named:
        wanted = account.declared[0] if account.declared else account.bound
        return str(wanted.get("role_arn") or ""), str(account.bound.get("target_role_arn") or "")
    if account_of(named) != wish.cluster["account_id"]:
        return wish.targets.get(named, ""), named
    return named, ""


def plan(account: Account, wish: Wish) -> Row:
    """The row of one service account: where it stands, what is to be done, and in which words."""
    role_arn, target = roles_of(account, wish)
    alone = skipped(account, role_arn, target)
    obstacle = alone or problem(account, wish, role_arn, target)
    steps = dict(_steps(account, wish, role_arn, target)) if not obstacle else {}
    left = dict(_left(account, wish)) if not obstacle else {}
    return {
        **_words(account, role_arn, target),
        "state": _state(obstacle, bool(alone), steps, left),
        "steps": [text for texts in steps.values() for text in texts],
        "left": [text for texts in left.values() for text in texts],
        "problem": obstacle,
        "warnings": [] if alone else warnings(account, wish),
        "act": acts(account, steps),
        "finish": finishes(account, left),
        "back": goes_back(account),
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


def _steps(account: Account, wish: Wish, role_arn: str, target: str) -> t.Iterator[tuple[str, list[str]]]:
    """What adds the new way, in order."""
    if account.is_made:
        if not account.association:
            yield "role", [f"see to role {role_arn} as it is declared"]
    elif account.role is not None and opened(account, wish) != account.trust:
        yield "trust", [f"add a statement for Pod Identity to the trust policy of role {role_arn}"]
    if not account.association:
        through = f", and through it role {target}" if target else ""
        yield "associate", [f"associate it with role {role_arn}{through}"]
    if account.restarted:
        yield "restart", [f"restart {owner}" for owner in account.restarted]


def _left(account: Account, wish: Wish) -> t.Iterator[tuple[str, list[str]]]:
    """What takes the old way away, in order."""
    if account.on_host_network and wish.host_network:
        yield "host_network", [f"take {each.owner} out of its node's network" for each in account.on_host_network]
    if account.annotation:
        yield "annotation", [f"take away the annotation {IRSA_ANNOTATION}"]
    if account.irsa_role and without(account, wish) != opened(account, wish):
        yield "irsa", [f"take IRSA's statement for it out of the trust policy of role {account.irsa_role}"]
