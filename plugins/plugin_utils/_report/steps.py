# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result that each step declares, made of what its own tasks registered. Pure.

Each step's role ends by recording it as ``pod_identity_results[STEP]``, STEP being the role's name:

- ``changes``: what the step changed, or in check mode would change. Each has ``kind``, ``name``, ``action`` (create,
  update, delete or restart) and ``what``, a list of the aspects that differ. The report adds the ``step``.
- ``drift``: what isn't as declared and the step leaves alone. Each has ``class`` (of ``drift.CLASSES``), ``kind``,
  ``name`` and ``what``.
- ``notes`` (optional): sentences for people, which the report prints at the end of the run.
- ``observed`` (optional): the resources as the step read them, where it changed nothing; a later step need not read
  them again.
- ``explains_stop`` (optional): where the step stops, ``drift`` says all about why.

Those of ``migration`` and ``teardown`` hold more, which their functions name.
"""

from __future__ import annotations

import typing as t

from ...module_utils._addon import plan as addon_plan
from ...module_utils._association.plan import describe_owner
from ...module_utils._core.text import shell_quoted
from . import migration, teardown
from .identity import plain
from .model import Change, Drift, Item, Result, entry, place

ADDON_ASPECTS = ("version", "configuration_values", "service_account_role_arn", "pod_identity_associations", "tags")
ASSOCIATION_ASPECTS = ("role_arn", "target_role_arn", "disable_session_tags", "policy", "tags")
AUTO_MODE = "The cluster runs in EKS Auto Mode, which has the Pod Identity Agent built in: no add-on is installed"
FULL_ACCESS = (
    "Role {} has AmazonS3FullAccess, the guide's choice: every bucket of the account. To grant only some, name them in"
    " enbuild_ctf_buckets, run this again, and detach the policy, which site never does: aws iam detach-role-policy"
    " --role-name {} --policy-arn {}"
)
NO_RELEASE = (
    "No enbuild release was looked at: the declaration has workloads and names no release. To include one, set"
    " enbuild_release_name, or run with --tags enbuild_release"
)
HALF_DONE = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")


def step_result(registered: Item, step: str) -> Result:
    """The result of ``step`` from what its tasks registered, by the names that its function below reads.

    A name that is missing raises KeyError: a step never reports "nothing changed" for want of a register.
    """
    return dict(plain(STEPS[step](registered)))


def drift_item(name: str, step: str, kind: str, of: str, what: t.Iterable[str]) -> Drift:
    """One thing that isn't as declared, of the class ``name``."""
    return classed(name, entry(step, kind, of, "", what))


def classed(name: str, change: Item) -> Drift:
    """A change as a thing of the class ``name``."""
    return {"class": name, **{key: change[key] for key in ("step", "kind", "name", "what")}}


def _release(registered: Item) -> Result:
    """Of what enbuild.eks.enbuild_release has ``done``; it was left alone where no release is declared."""
    done = registered["done"]
    if not done.get("managed", True):
        return {"changes": [], "drift": [], "notes": [NO_RELEASE]}
    status = done.get("release") or {}
    result: Result = {
        "changes": [_release_change(done)] if done.get("changed") else [],
        "drift": list(_release_drift(status)),
    }
    return {**result, "explains_stop": status.get("status") in HALF_DONE}


def _release_change(done: Item) -> Change:
    return entry("enbuild_release", "release", done["name"], done["action"], done["what"])


def _release_drift(status: Item) -> t.Iterator[Drift]:
    if status and status["status"] != "deployed":
        name = f"{status['namespace']}/{status['name']}"
        state = f"{status['status']}, revision {status['revision']}"
        yield drift_item("unhealthy", "enbuild_release", "release", name, [state])


def differing(before: t.Any, after: t.Any, path: str = "") -> t.Iterator[str]:
    """Paths of the values that differ, in order; what they hold may be a secret."""
    old, new = ({} if each is None else each for each in (before, after))
    if isinstance(old, t.Mapping) and isinstance(new, t.Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from differing(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield path


def _agent(registered: Item) -> Result:
    """Of the add-on that was ``applied``; where that failed, ``found`` may hold what EKS says of it."""
    applied = registered["applied"]
    found = (applied.get("diff") or {}).get("before") or registered.get("found") or {}
    return {
        "changes": [_addon(applied["diff"])] if applied.get("changed") else [],
        "drift": list(_addon_drift(found)),
        "explains_stop": found.get("status") in addon_plan.FAILED,
        "notes": [AUTO_MODE] if registered.get("auto_mode") else [],
    }


def _addon(diff: Item) -> Change:
    before, after = diff["before"], diff["after"]
    step, kind, name = "pod_identity_agent", "addon", after["name"]
    if before:
        return entry(step, kind, name, "update", aspects(before, after, ADDON_ASPECTS))
    return entry(step, kind, name, "create", [f"version {after['version']}"])


def _addon_drift(found: Item) -> t.Iterator[Drift]:
    if found.get("status") in (*addon_plan.FAILED, "DEGRADED") or found.get("issues"):
        issues = [f"{issue['code']}: {issue['message']}" for issue in found["issues"]]
        yield drift_item("unhealthy", "pod_identity_agent", "addon", found["name"], [found["status"], *issues])


def aspects(before: Item, after: Item, names: t.Iterable[str]) -> t.Iterator[str]:
    """Those of ``names`` that differ: values that are text with both, others by their paths."""
    for name in names:
        old, new = before.get(name), after.get(name)
        if old != new and isinstance(old or "", str) and isinstance(new or "", str):
            yield f"{name} {old or 'none'} -> {new or 'none'}"
        elif old != new:
            yield from differing(old, new, name)


def _iam(registered: Item) -> Result:
    """Of ``declared`` roles that were ``applied``, though some failed; policies that nobody declared are extra."""
    applied, step = registered["applied"], "pod_identity_iam"
    extra = applied.get("unlisted") or ()
    return {
        "changes": [{"step": step, **each} for each in applied.get("differences") or ()],
        "drift": [drift_item("extra", step, each["kind"], each["name"], each["what"]) for each in extra],
        "notes": [_full_access(role["role_name"], arn) for role, arn in _with_full_access(registered["declared"])],
    }


def _full_access(role: str, arn: str) -> str:
    return FULL_ACCESS.format(role, *map(shell_quoted, (role, arn)))


def _with_full_access(roles: t.Iterable[Item]) -> t.Iterator[tuple[Item, str]]:
    for role in roles:
        yield from ((role, arn) for arn in role.get("managed_policies") or () if arn.endswith("/AmazonS3FullAccess"))


def _associations(registered: Item) -> Result:
    """Of the associations that were ``applied``, though some failed."""
    applied = registered["applied"]
    before = {each["name"]: each["before"] for each in applied.get("diff") or ()}
    rows = applied.get("associations") or ()
    untouched = not (applied.get("changed") or applied.get("failed"))
    return {
        "changes": [_association(row, before[place(row)]) for row in rows if row["changed"]],
        "drift": [_owned(row, before) for row in rows if row["association"].get("owner_arn")],
        "observed": [row["association"] for row in rows] if untouched else [],
    }


def _association(row: Item, before: Item) -> Change:
    step, kind, after = "pod_identity_associations", "association", row["association"]
    if not before:
        return entry(step, kind, place(row), "create", [f"role_arn {after['role_arn']}"])
    return entry(step, kind, place(row), "update", aspects(before, after, ASSOCIATION_ASPECTS))


def _owned(row: Item, before: Item) -> Drift:
    """A declared association that an add-on owns: what EKS makes of it follows the add-on."""
    after, name = row["association"], place(row)
    differs = aspects(before.get(name, after), after, ASSOCIATION_ASPECTS)
    what = [describe_owner(after["owner_arn"]), *differs]
    return drift_item("owned_by_addon", "pod_identity_associations", "association", name, what)


def _rollout(registered: Item) -> Result:
    """Of workloads that were ``restarted``: kind, namespace and name of each, added to the result ``before``."""
    names = [f"{each['kind']} {each['namespace']}/{each['name']}" for each in registered["restarted"]]
    changes = [entry("pod_identity_rollout", "workload", name, "restart") for name in names]
    before = registered.get("before") or {}
    notes = [*before.get("notes", ()), *registered.get("notes", ())]
    return {"changes": [*before.get("changes", ()), *changes], "drift": [], "notes": notes}


def _declare(registered: Item) -> Result:
    """Of the declaration that was ``found``, and the file at ``path`` that was ``written``."""
    found, written, path = registered["found"], registered["written"], registered["path"]
    action = "update" if written.get("backup_file") else "create"
    left = [f"{each['name']} is not declared: {each['reason']}" for each in found["undeclared"]]
    return {
        "changes": [entry("pod_identity_declare", "file", path, action)] if written["changed"] else [],
        "drift": [],
        "notes": [f"{len(found['workloads'])} workloads are declared in {path}", *found["notes"], *left],
    }


STEPS: t.Mapping[str, t.Callable[[Item], Result]] = {
    "enbuild_release": _release,
    "pod_identity_agent": _agent,
    "pod_identity_iam": _iam,
    "pod_identity_associations": _associations,
    "pod_identity_rollout": _rollout,
    "pod_identity_declare": _declare,
    "pod_identity_migrate": migration.result,
    "pod_identity_teardown": teardown.result,
}
"""What makes each step's result."""
