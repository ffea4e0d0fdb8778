# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation as tests read it: its code blocks with their marks, its headings and its links."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

MARK = re.compile(r"<!-- (run|not run): (.+?) -->")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
ITEM = re.compile(r" *([-*]|\d+\.) +")
OUTPUT = "text"
CODE = 4
"""Spaces before a line of code, more than the text around it has."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line that it begins at, and the mark in the line above it.

    ``mark`` is ``("run", test)``, ``("not run", reason)`` or None.
    """

    language: str
    text: str
    line: int
    mark: tuple[str, str] | None


def blocks(document: str) -> list[Block]:
    """Return the fenced blocks of a Markdown document."""
    return [_block(document, found) for found in FENCE.finditer(document)]


def _block(document: str, found: re.Match[str]) -> Block:
    before = document[: found.start()].splitlines()
    mark = MARK.fullmatch(before[-1].strip()) if before else None
    body = "".join(line.removeprefix(found["indent"]) for line in found["body"].splitlines(keepends=True))
    return Block(found["language"], body, len(before) + 1, (mark[1], mark[2]) if mark else None)


def prose(document: str) -> str:
    """Return the document without its fenced blocks, each line in its place."""
    return FENCE.sub(lambda found: "\n" * found[0].count("\n"), document)


def indented(document: str) -> list[int]:
    """Return the lines at which blocks begin that are code by their indentation alone, in lists too."""
    found, before, text = [], "", 0
    for number, line in enumerate(prose(document).splitlines(), 1):
        if item := ITEM.match(line):
            text = item.end()
        elif line and not line.startswith(" "):
            text = 0
        elif not before and len(line) - len(line.lstrip()) >= text + CODE:
            found.append(number)
        before = line
    return found


def links(document: str) -> list[str]:
    """Return the targets of the document's links."""
    return LINK.findall(re.sub(r"`[^`]*`", "", prose(document)))


def anchors(document: str) -> set[str]:
    """Return the anchors that GitHub gives to the document's headings."""
    headings: t.Iterable[str] = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    found: dict[str, int] = {}
    for heading in headings:
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {slug if not number else f"{slug}-{number}" for slug, last in found.items() for number in range(last + 1)}
