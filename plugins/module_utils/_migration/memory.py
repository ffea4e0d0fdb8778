# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a migration keeps in the tags of an association, which no namespace's owner can write. Pure.

IRSA's statements are kept as they were, compressed, for a tag has 256 characters of a small alphabet.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t
import zlib

from .._core.tags import PREFIX, is_ours
from .._core.validate import is_role_arn

Tags = t.Mapping[str, str]
Statements = t.Sequence[t.Mapping[str, t.Any]]

ROLE = f"{PREFIX}irsa-role-arn"
STATEMENTS = f"{PREFIX}irsa-statements-"
MIGRATION = f"{PREFIX}migration"
"""Tag of an association that a migration has created; its value is whether its pods are proven."""
UNPROVEN, PROVEN = "unproven", "proven"
LONGEST, MOST = 256, 12
"""Characters of a tag's value, and tags for statements; an association may have 50 tags."""
LARGEST = 65_536
"""Bytes of statements when they are unpacked; nobody can make a run unpack more."""


def memory(role_arn: str, statements: Statements) -> dict[str, str]:
    """The tags that remember a role by IRSA and its ``statements``; none where they don't fit."""
    packed = zlib.compress(json.dumps(list(statements), separators=(",", ":")).encode(), 9)
    text = base64.b64encode(packed).decode()
    parts = [text[start : start + LONGEST] for start in range(0, len(text), LONGEST)]
    if len(parts) > MOST or not re.fullmatch(rf"[\w +\-=.:/@]{{1,{LONGEST}}}", role_arn, re.ASCII):
        return {}
    return {ROLE: role_arn, **{f"{STATEMENTS}{number}": part for number, part in enumerate(parts, 1)}}


def remembered_role(association: t.Mapping[str, t.Any]) -> str:
    """The role by IRSA that ``association`` remembers, where it gives the same one; "" for none."""
    named = str((association.get("tags") or {}).get(ROLE, ""))
    given = (association.get("role_arn"), association.get("target_role_arn"))
    return named if is_role_arn(named) and named in given else ""


def remembered_statements(association: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """IRSA's statements that ``association`` remembers; none where its tags hold anything else."""
    tags = association.get("tags") or {}
    text = "".join(tags.get(f"{STATEMENTS}{number}", "") for number in range(1, MOST + 1))
    try:
        found = json.loads(zlib.decompressobj().decompress(base64.b64decode(text, validate=True), LARGEST))
    except (binascii.Error, zlib.error, ValueError):
        return []
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else []


def made_here(association: t.Mapping[str, t.Any], *states: str) -> bool:
    """Whether a migration has created ``association``, and in one of ``states``; any of them without."""
    tags = association.get("tags") or {}
    return is_ours(tags) and tags.get(MIGRATION) in (states or (UNPROVEN, PROVEN))
