# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a teardown took away, what stays and why. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._association.plan import describe_owner
from ...module_utils._core.text import some
from ...module_utils._teardown.plan import FOREIGN
from .changes import word
from .model import Change, Item, Result, Results, entry, place

STEP = "pod_identity_teardown"
AGENT = "eks-pod-identity-agent"
DELETED = "delete_pod_identity_association"


def result(registered: Item) -> Result:
    """The step's result so far.

    ``seen`` and ``left`` are what enbuild.eks.pod_identity_teardown_info returned before and after the associations
    went; ``associations``, ``roles`` and ``addon`` what became of these, empty before their turn. ``agent`` says
    whether the add-on was to go, and ``obstacle`` what would stop the run. The result has ``ended`` and ``roles``, the
    ARNs of associations and roles that the cluster takes away, for others that share them, and ``kept``.
    """
    applied, left = registered["associations"], registered["left"]
    rows = [row for row in applied.get("associations") or () if DELETED in row["changes"]]
    return {
        "changes": list(_changes(registered, rows)),
        "drift": [],
        "kept": [*_kept_associations(left), *_kept_roles(left), *_kept_agent(left if registered["agent"] else {})],
        "ended": _arns(registered["seen"], {place(row) for row in rows}),
        "roles": [] if applied.get("failed") else [role["role_arn"] for role in left["roles"]],
        "obstacle": registered["obstacle"],
    }


def _changes(registered: Item, rows: t.Iterable[Item]) -> t.Iterator[Change]:
    for row in rows:
        yield entry(STEP, "association", place(row), "delete")
    for each in registered["roles"].get("roles") or ():
        if "delete_role" in each["changes"]:
            yield entry(STEP, "role", each["role_name"], "delete")
    if registered["addon"].get("changed"):
        yield entry(STEP, "addon", AGENT, "delete")


def _arns(seen: Item, places: t.Collection[str]) -> list[str]:
    return [each["association_arn"] for each in seen["associations"] if place(each) in places]


def _kept_associations(left: Item) -> t.Iterator[Item]:
    for each in left["associations"]:
        if each["asked"] and not each["ours"]:
            yield _kept("association", place(each), [_foreign(each)])


def _foreign(each: Item) -> str:
    return f"{describe_owner(each['owner_arn'])} owns it" if each["owner_arn"] else FOREIGN


def _kept_roles(left: Item) -> t.Iterator[Item]:
    return (_kept("role", role["role_name"], role["reasons"]) for role in left["roles"] if role["reasons"])


def _kept_agent(left: Item) -> t.Iterator[Item]:
    if users := left.get("agent_users"):
        yield _kept("add-on", AGENT, [f"it serves {some(users)}"])


def _kept(kind: str, name: str, reasons: t.Iterable[str]) -> Item:
    return {"kind": kind, "name": name, "reasons": list(reasons)}


def summary(results: Results) -> dict[str, list[t.Any]]:
    """What was ``removed``, or in check mode would be, release and all, and what is ``kept``, with the reasons."""
    changes = [*results.get("enbuild_release", {}).get("changes", ()), *results[STEP]["changes"]]
    removed = [f"{word(change['kind'])} {change['name']}" for change in changes]
    return {"removed": removed, "kept": list(results[STEP]["kept"])}


def lines(made: Item, cluster: str, predicted: bool = False, obstacle: str = "") -> list[str]:
    """A summary as lines for a terminal; ``predicted`` is check mode, and ``obstacle`` what would stop the run."""
    removed, stays = ("would be removed", "would stay") if predicted else ("removed", "stays")
    found = [f"would stop, with nothing removed: {obstacle}"] if predicted and obstacle else []
    found += [f"{removed}: {thing}" for thing in made["removed"]]
    found += [f"{stays}: {each['kind']} {each['name']}: {'; '.join(each['reasons'])}" for each in made["kept"]]
    return [f"{cluster}: {line}" for line in found or ["nothing is left that was made here"]]
