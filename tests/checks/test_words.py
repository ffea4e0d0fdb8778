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
}
"""Plain words by what they replace, a regular expression."""

SELF = Path("tests/checks/test_words.py")


@pytest.mark.parametrize("pattern", PLAIN, ids=PLAIN.values())
def test_plain_words(pattern: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in files()
        if path != SELF and path.suffix in {".py", ".yml", ".yaml", ".md", ".json", ".j2", ".js"}
        for number, line in enumerate((CHECKOUT / path).read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"write '{PLAIN[pattern]}':\n" + "\n".join(found)
