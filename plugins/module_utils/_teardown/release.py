# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Helm release an object says it belongs to. Pure."""

from __future__ import annotations

import re
import typing as t

NAMESPACE, NAME = "meta.helm.sh/release-namespace", "meta.helm.sh/release-name"
"""Annotations by which Helm knows what it has installed; whoever may change the object may write them."""
_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"


def release_of(item: t.Mapping[str, t.Any]) -> str:
    """The release as ``namespace/name``; "" where the annotations are missing, half written, or no names."""
    notes = item["metadata"].get("annotations") or {}
    found = f"{notes.get(NAMESPACE, '')}/{notes.get(NAME, '')}"
    return found if re.fullmatch(rf"{_LABEL}/{_LABEL}(?:\.{_LABEL})*", found, re.ASCII) else ""
