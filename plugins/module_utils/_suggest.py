# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mistyped name may have meant."""

from __future__ import annotations

import difflib
import typing as t


def nearest(name: str, names: t.Iterable[str], count: int = 5) -> list[str]:
    """Return up to ``count`` of ``names``, the most similar to ``name`` first."""
    return difflib.get_close_matches(name, sorted(set(names)), n=count, cutoff=0.0)
