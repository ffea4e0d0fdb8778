# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare a declaration with the file that it would replace. Pure."""

from __future__ import annotations

import contextlib
import typing as t

from .._core.plan import Refused
from .._core.text import clean, some
from .._workload.declaration import entries, owner

with contextlib.suppress(ImportError):  # The Kubernetes client needs it too.
    import yaml

Item = t.Mapping[str, t.Any]

OURS = "pod_identity_workloads"


def obstacle(path: str, there: str, hidden: str, workloads: t.Sequence[Item]) -> str:
    """Why ``path`` must not be written unasked, with what to do; "" where nothing is lost.

    ``there`` is the text of a file that would be replaced, and ``hidden`` a file that Ansible would read no longer.
    """
    if hidden:
        folder = path.rsplit("/", 1)[0]
        return f"Ansible would no longer read {hidden} beside a folder {folder}. Move it there, as main.yml, first."
    if not there:
        return ""
    return (
        f"{path} is there and differs from what would be written; nothing was changed. {_compared(there, workloads)}"
        " pod_identity_declare_overwrite true replaces it and keeps a backup beside it."
    )


def _compared(there: str, workloads: t.Sequence[Item]) -> str:
    """What of the file stays the same, and what it would lose."""
    kept, lost = differences(there, workloads)
    return f"It would keep: {some(kept) or 'nothing'}. It would lose: {some(lost) or 'nothing but comments'}."


def differences(there: str, workloads: t.Sequence[Item]) -> tuple[list[str], list[str]]:
    """The workloads of the file that stay as they are; and what else it has, by names without their values."""
    try:
        old = yaml.safe_load(there) or {}
        declared = {owner(item): item for item in entries(old.get(OURS))}
    except (yaml.YAMLError, AttributeError, Refused, ValueError, RecursionError, TypeError):
        return [], ["all of it, which is not a plain declaration"]
    new = {owner(item): item for item in workloads}
    kept = [clean(each) for each, item in declared.items() if new.get(each) == item]
    lost = [_loss(str(each), item, new.get(each)) for each, item in declared.items() if new.get(each) != item]
    return kept, [*lost, *(clean(f"variable {name}") for name in old if name != OURS)]


def _loss(name: str, old: Item, new: Item | None) -> str:
    if new is None:
        return clean(name)
    return clean(f"{name} ({', '.join(str(key) for key in old if old[key] != new.get(key))})")
