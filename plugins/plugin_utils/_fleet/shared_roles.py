# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles that several clusters of one account share: who makes them, and whether they agree on them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Item = t.Mapping[str, t.Any]

ALIKE = {
    "trust_policy": "trust policy",
    "policy": "policy",
    "managed_policies": "managed policies",
    "path": "path",
    "boundary": "boundary",
    "tags": "tags",
}
"""What a role has once, whoever shares it, in the words of a message."""


@dataclass(frozen=True)
class Desired:
    """A role as one host declares it."""

    host: str
    partition: str
    account_id: str
    role: Item


def sharing(wanted: t.Mapping[str, Item]) -> dict[str, dict[str, t.Any]]:
    """For each host, ``makers``, the host that makes each role that isn't made by itself, ``roles`` and ``problems``.

    ``roles`` are those that it makes itself, each with the service accounts of all who share it.

    ``wanted`` is, by host and in the play's order, ``partition``, ``account_id`` and ``roles`` of a cluster; an empty
    one is of a host that needs none, or stopped before.
    """
    found: dict[str, dict[str, t.Any]] = {host: {"makers": {}, "roles": [], "problems": []} for host in wanted}
    for declared in _by_role(wanted).values():
        first, *others = declared
        found[first.host]["roles"].append(_of_all(declared))
        for other in others:
            found[other.host]["makers"][other.role["role_name"]] = first.host
        if problem := _problem(declared):
            for desired in declared:
                found[desired.host]["problems"].append(problem)
    return found


def _of_all(declared: t.Sequence[Desired]) -> Item:
    role = declared[0].role
    if "service_accounts" not in role:
        return role
    return {**role, "service_accounts": [each for one in declared for each in one.role.get("service_accounts") or ()]}


def _by_role(wanted: t.Mapping[str, Item]) -> dict[tuple[str, str, str], list[Desired]]:
    made: dict[tuple[str, str, str], list[Desired]] = {}
    for host, item in wanted.items():
        for role in item.get("roles", ()):
            desired = Desired(host, item["partition"], item["account_id"], role)
            made.setdefault((desired.partition, desired.account_id, role["role_name"]), []).append(desired)
    return made


def _problem(declared: t.Sequence[Desired]) -> str:
    """Say which two hosts disagree, and on what; "" where all agree."""
    first, *others = declared
    for other in others:
        if differing := [words for key, words in ALIKE.items() if _part(first, key) != _part(other, key)]:
            name, account = first.role["role_name"], first.account_id
            return (
                f"Role {name} of account {account} is one role, and {first.host} and {other.host} declare it with a"
                f" different {' and '.join(differing)}: each would undo the other's. {_remedy(differing)}"
            )
    return ""


def _part(declared: Desired, key: str) -> t.Any:
    return declared.role.get(key) or ("/" if key == "path" else None)


def _remedy(differing: t.Sequence[str]) -> str:
    if differing == [ALIKE["trust_policy"]]:
        return "Give each cluster a role of its own name, or take the trust account, which all clusters can share."
    return "Give each cluster a role of its own name, or declare the same for both."
