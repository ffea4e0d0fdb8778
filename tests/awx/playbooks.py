# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of a project AWX offers as playbooks, by the rule of awx/main/utils/ansible.py in 24.6.1."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

PLAYBOOK = re.compile(r"\s*-?\s*(hosts|include|import_playbook):")
LEFT_OUT = {"roles", "tasks", "group_vars", "host_vars"}


def offered(root: Path, paths: t.Iterable[Path]) -> list[str]:
    """Those of ``paths``, which are relative to ``root``, that the list of playbooks shows."""
    return sorted(str(path) for path in paths if _is_reached(root, path) and _is_playbook(root / path))


def _is_reached(root: Path, path: Path) -> bool:
    """AWX follows no link to a folder, and leaves some folders out."""
    folders = [parent for parent in path.parents if parent.name]
    left_out = any(folder.name in LEFT_OUT or folder.name.startswith(".") for folder in folders)
    return not left_out and not any((root / folder).is_symlink() for folder in folders)


def _is_playbook(path: Path) -> bool:
    if path.suffix not in (".yml", ".yaml"):
        return False
    lines = path.read_text(encoding="utf-8", errors="ignore").splitlines()
    return any(PLAYBOOK.match(line) for line in lines) or "".join(lines[:1]).startswith("$ANSIBLE_VAULT;")
