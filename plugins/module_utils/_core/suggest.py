# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mistyped name may have meant."""

from __future__ import annotations

import difflib
import typing as t

ALIKE = 0.6
"""How much of two names has to be alike (difflib's ratio) for one to be a typo of the other."""


def nearest(name: str, names: t.Iterable[str], count: int = 5) -> list[str]:
    """Return up to ``count`` of ``names``, however unlike, the most similar to ``name`` first."""
    return difflib.get_close_matches(name, sorted(set(names)), n=count, cutoff=0.0)


def meant(name: str, names: t.Iterable[str]) -> str:
    """Return the one of ``names`` that ``name`` may be a typo of, empty if none is like it."""
    return next(iter(difflib.get_close_matches(name, sorted(set(names)), n=1, cutoff=ALIKE)), "")
