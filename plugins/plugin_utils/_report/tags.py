# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that a run was started with, and that no task has: Ansible would succeed, having done nothing. Pure."""

from __future__ import annotations

import difflib
import typing as t

SPECIAL = frozenset({"all", "tagged", "untagged", "always", "never"})
"""What Ansible itself gives a meaning."""


def of(tasks: t.Iterable[t.Any]) -> set[str]:
    """All tags of ``tasks``, which are Ansible's tasks and blocks of tasks."""
    found: set[str] = set()
    for task in tasks:
        parts = [getattr(task, name) for name in ("block", "rescue", "always") if hasattr(task, name)]
        found.update(task.tags, *(of(part) for part in parts))
    return found


def unknown(asked: t.Iterable[str], there: t.Iterable[str]) -> list[str]:
    """Those of ``asked`` that aren't ``there``, in order."""
    return sorted(set(asked) - set(there) - SPECIAL)


def none_here(asked: t.Iterable[str], there: t.Iterable[str]) -> bool:
    """Whether no tag that was ``asked`` for chooses anything here."""
    return not ({*there} | SPECIAL) & set(asked)


def elsewhere(asked: t.Iterable[str], there: t.Iterable[str], everywhere: t.Iterable[str]) -> list[str]:
    """Those of ``asked`` that only other playbooks have; none where any of ``asked`` chooses something in this one."""
    return sorted(set(asked) & set(everywhere)) if none_here(asked, there) else []


def elsewhere_problem(others: t.Sequence[str], there: t.Iterable[str]) -> str:
    """What to say of tags that only ``others`` have; "" for none."""
    if not others:
        return ""
    return (
        f"Only other playbooks have the tag {' or '.join(others)}, so no task of this one would run. Name a tag of"
        f" its own as well ({', '.join(sorted(set(there) - SPECIAL))}), or leave it out."
    )


def problem(missing: t.Sequence[str], there: t.Iterable[str]) -> str:
    """What to say of ``missing`` tags; "" for none."""
    if not missing:
        return ""
    known = sorted(set(there) - SPECIAL)
    near = [close for tag in missing for close in difflib.get_close_matches(tag, known, n=1)]
    meant = f" Did you mean {' and '.join(dict.fromkeys(near))}?" if near else ""
    return (
        f"No task has the tag {' or '.join(missing)}, so nothing was done.{meant} The tags are {', '.join(known)};"
        " a run without tags takes all steps."
    )
