# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who still uses, or may use, the old way of a service account. Pure.

Whoever was not looked at counts as using it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.text import clean
from .._kubernetes.containers import irsa_variables, variables
from .._kubernetes.pods import Object, bare_containers
from .model import Account, Running

UNPROVEN = "pod_identity_migrate_finish_unproven"


@dataclass(frozen=True)
class Use:
    """What keeps the old way in place."""

    text: str
    certain: bool = True
    """Whether a pod was seen to use it; else nothing was seen that could tell, and a user may answer for it."""
    passing: bool = False
    """Whether it ends by itself: a pod that is on its way out."""


def uses(account: Account, restarting: bool = False) -> list[Use]:
    """What keeps the old way of ``account`` in place.

    With ``restarting``, pods count as replaced that the plan restarts first.
    """
    return [*_of_pods(account, restarting), *_of_idle(account), *_of_readers(account), *_without_proof(account)]


def keeps(account: Account, named: bool, restarting: bool = False) -> list[Use]:
    """The same, without what a user answers for who has ``named`` the service account."""
    return [use for use in uses(account, restarting) if use.certain or not named]


def _of_pods(account: Account, restarting: bool) -> t.Iterator[Use]:
    replaced = {pod.name for pod in account.pods if restarting and pod.owner in account.restarted}
    for item in account.raw_pods:
        name = item["metadata"]["name"]
        if name not in replaced:
            yield from _of_pod(f"pod {account.namespace}/{name}", item)


def _of_pod(label: str, item: Object) -> t.Iterator[Use]:
    leaving = "deletionTimestamp" in item["metadata"]
    if bare := bare_containers(item):
        reason = "is on its way out and" if leaving else "runs and"
        yield Use(f"{label} {reason} lacks the injection in {clean(', '.join(bare))}", passing=leaving)
    elif irsa_variables(item, variables(item, {})):
        yield Use(f"{label} sets IRSA's variables itself", passing=leaving)
    elif not leaving and (item.get("status") or {}).get("phase") == "Pending":
        yield Use(f"{label} is pending, so that nothing is known of it", certain=False)


def _of_idle(account: Account) -> t.Iterator[Use]:
    for each in account.workloads:
        if reason := _idle(each):
            yield Use(f"{each.owner} {reason}", certain=False)


def _idle(each: Running) -> str:
    """Why pods of the workload may come that nobody has looked at."""
    spec, kind = each.object.get("spec") or {}, each.owner.kind
    if kind == "CronJob":
        return "is suspended" if spec.get("suspend") else "makes pods from time to time"
    if spec.get("suspend"):
        return "is suspended"
    if spec.get("paused"):
        return "is paused"
    return "has 0 replicas" if spec.get("replicas") == 0 else ""


def _of_readers(account: Account) -> t.Iterator[Use]:
    for reader in account.readers:
        yield Use(f"{clean(reader)} reads its annotation", certain=False)


def _without_proof(account: Account) -> t.Iterator[Use]:
    if not account.provable:
        yield Use("none of its pods is there to prove that Pod Identity works", certain=False)


def words(found: t.Sequence[Use]) -> str:
    """Why the old way stays, and the way out; "" where nothing keeps it."""
    if not found:
        return ""
    named = "; ".join(use.text for use in found)
    certain = any(use.certain for use in found)
    return named + ("" if certain else f". To finish anyway, name the service account in {UNPROVEN}")
