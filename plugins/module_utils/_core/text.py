# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from objects that others write, as it may stand in a message or in a command. Standard library only."""

from __future__ import annotations

import shlex
import typing as t
import unicodedata

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Categories of characters that a terminal or a page obeys: controls, bidirectional marks, line breaks."""
LONGEST = 253
"""Characters of a name in a message; no name in Kubernetes is longer."""

MOST_NAMED = 5
"""Things of a kind that a sentence names; the others it counts."""


def clean(value: t.Any, longest: int = LONGEST) -> str:
    """``value`` on one line, without characters that would change how what follows is read, and not too long."""
    text = "".join(each for each in str(value) if unicodedata.category(each) not in HIDDEN)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def shell_quoted(value: t.Any) -> str:
    """``value`` as one word of a POSIX shell."""
    return shlex.quote(clean(value))


def some(things: t.Iterable[str], separator: str = ", ") -> str:
    """The first of ``things`` in a row, and how many more there are."""
    named = list(things)
    rest = f"{separator}and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return separator.join(named[:MOST_NAMED]) + rest
