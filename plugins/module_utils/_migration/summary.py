# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A migration's plan as lines for people, and as what the tasks take of it as a whole. Pure."""

from __future__ import annotations

import typing as t

Row = t.Mapping[str, t.Any]

WAYS = {"irsa": "IRSA", "node": "node's role", "pod_identity": "Pod Identity"}


def summary(rows: t.Sequence[Row]) -> dict[str, t.Any]:
    """What the module returns of a plan: its ``accounts``, and what follows from all of them together."""
    return {"accounts": list(rows), "lines": lines(rows), "trusts": trusts(rows), "workloads": declared(rows)}


def lines(rows: t.Sequence[Row]) -> list[str]:
    """The plan: a line for each service account, and one below it for each step, obstacle and warning."""
    return [line for row in rows for line in _lines(row)] or [
        "No service account has its role by IRSA, and no workload is declared"
    ]


def _lines(row: Row) -> t.Iterator[str]:
    yield f"{row['name']} ({WAYS[row['way']]}): {row['state']}"
    yield from (f"  {number}. {step}" for number, step in enumerate(row["steps"], 1))
    yield from (f"  in the end: {step}" for step in row["left"])
    if row["stays"]:
        yield f"  the old way stays: {row['stays']}"
    if row["problem"]:
        yield f"  {row['problem']}"
    yield from (f"  note: {warning}" for warning in row["warnings"])


def declared(rows: t.Sequence[Row]) -> list[dict[str, t.Any]]:
    """The service accounts in the form of pod_identity_workloads: those that nothing stands in the way of."""
    return [
        {"name": row["name"], **{key: row[key] for key in ("namespace", "service_account", "role_arn")}}
        for row in rows
        if not row["problem"]
    ]


def trusts(rows: t.Sequence[Row]) -> list[dict[str, t.Any]]:
    """What enbuild.eks.pod_identity_role_trust takes to let Pod Identity in: each role once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["act"]["trust"]:
            found.setdefault(row["role_arn"], []).append(row["name"])
    return [{"role_arn": arn, "service_accounts": names, "pod_identity": True} for arn, names in found.items()]
