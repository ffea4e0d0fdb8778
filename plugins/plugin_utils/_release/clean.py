# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Helm and Kubernetes say, without what a release's values hold. Pure.

An error of Helm's can quote any value: of a schema that doesn't fit, of a template that fails, of an object that the
API server refuses.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t

HIDDEN = "[hidden]"
LONGEST = 1500
"""Characters of a message; Helm can answer with whole manifests."""
TELLING = 4
"""Characters from which a value is hidden wherever it stands; a shorter one is hidden in quotes."""
PIECE = 6
"""Characters from which a part of a value, such as a URL's password, is hidden by itself."""
QUOTED = re.compile(
    r"(?i)\b((?:invalid|unsupported|duplicate) value:? |got |parse |convert(?:ing)? )([\"'`]).*?(?:\2|$)", re.MULTILINE
)
"""What the API server and Helm quote of what they were given; to the end of the line where the quote isn't closed."""


class Cleaner:
    """Hides the contents of ``values`` in a text; ``known`` are words that may stay, such as the release's name."""

    def __init__(self, values: t.Iterable[t.Any], known: t.Collection[str] = ()) -> None:
        forms = {form for leaf in _leaves(list(values)) for form in _forms(leaf)} - set(known)
        always = sorted((form for form in forms if len(form) >= TELLING), key=len, reverse=True)
        quoted = sorted(form for form in forms if 0 < len(form) < TELLING)
        self._always = _any_of(always)
        self._quoted = _any_of(quoted)

    def __call__(self, text: str) -> str:
        """Return ``text`` on one line, without values, control and bidirectional characters, and not too long."""
        if self._always:
            text = re.sub(self._always, HIDDEN, text)
        if self._quoted:
            text = re.sub(rf"([\"'`])(?:{self._quoted})\1", rf"\1{HIDDEN}\1", text)
        text = QUOTED.sub(rf"\1{HIDDEN}", text)
        line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
        return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]} …"


def _any_of(forms: t.Sequence[str]) -> str:
    return "|".join(map(re.escape, forms))


def _leaves(value: t.Any) -> t.Iterator[str]:
    """Every text and number below ``value``."""
    if isinstance(value, t.Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def _forms(leaf: str) -> t.Iterator[str]:
    """How ``leaf`` can stand in a message: as it is, escaped, in base64 as in a Secret; its lines and its parts."""
    yield leaf
    yield json.dumps(leaf)[1:-1]
    yield json.dumps(leaf, ensure_ascii=False)[1:-1]
    yield base64.b64encode(leaf.encode(errors="replace")).decode().rstrip("=")
    yield from (line.strip() for line in leaf.splitlines() if len(line.strip()) >= PIECE)
    yield from (piece for piece in re.split(r"[\s:/@?&=,;\"'`]+", leaf) if len(piece) >= PIECE)
