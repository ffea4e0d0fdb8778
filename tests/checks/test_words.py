# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words that slow readers down, with the plain ones that stand for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files

PLAIN = {
    r"\bhand(s|ed|ing)?\b[^.:,|]{0,20}? on\b(?! the| a |e )": "pass on",
    r"\bfore(tell|told)": "predict",
    r"\bslips? of the pen\b": "typo",
    r"\bse(e|es|en) to (it|the)\b": "ensure",
    r"\bgone on with\b": "is resumed",
    r"\bborn\b": "created, restarted",
    r"\b(are|is|was) had\b|\bhad by\b": "obtained",
    r"\bknows how an\b": "has defaults for",
    r"\bhave the declared workloads their\b": "do the declared workloads have their",
    r"\bcan't do its work without\b": "lacks",
    r"\bshort_description: (Tell|Say)\b": "Report, Show",
    r"\bought to\b": "should",
    r"\ball the same\b": "anyway, still",
    r"\bin vain\b": "without success",
    r"\bbelongs? to nothing\b": "has no owner",
    r"\bmade good\b": "written again, repaired",
    r"\bone's own\b": "your own",
    r"\bby the way\b": "(leave it out)",
    r"\blooked into\b": "read, checked",
    r"\bfurther on\b": "in turn, later",
    r"\bfor it (is|has)\b": "because it is",
    r"\bwhat there is\b": "what exists",
    r"\bsees? to\b": "ensure, manage",
    r"\b[Ll]eads? pods\b": "move",
}
"""Plain words by what they replace, a regular expression."""
IN_PAGES = {
    r"\b(is|are) told\b": "is set, is reported",
    r"\bold way\b": "IRSA, hostNetwork",
    r"\b(take|taken|takes|taking) away\b": "remove",
    r"\bshall\b": "should, will",
    r"\bcut off\b": "interrupted",
    r"\bgo(es)? on\b": "continue",
    r"\bmend(s|ed|ing)?\b": "fix, repair",
    r"\bway out\b": "(name what to do)",
    r"\b(in its|in the) way\b": "stops",
    r"\bbelieved\b": "trusted, counts",
    r"\bsomebody who\b": "(name the role or permission)",
}
"""Words that pages avoid, with the plain ones."""

SELF = Path("tests/checks/test_words.py")


@pytest.mark.parametrize("pattern", PLAIN, ids=PLAIN.values())
def test_plain_words(pattern: str) -> None:
    found = _found(pattern, {".py", ".yml", ".yaml", ".md", ".json", ".j2", ".js"})
    assert not found, f"write '{PLAIN[pattern]}':\n" + "\n".join(found)


@pytest.mark.parametrize("pattern", IN_PAGES, ids=IN_PAGES.values())
def test_plain_words_in_pages(pattern: str) -> None:
    found = _found(pattern, {".md"})
    assert not found, f"write '{IN_PAGES[pattern]}':\n" + "\n".join(found)


def _found(pattern: str, suffixes: set[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path in files()
        if path != SELF and path.suffix in suffixes
        for number, line in enumerate((CHECKOUT / path).read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
