# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.tests.tools import documents


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ("Text\n\n    code\n    more\n", [3]),
        ("- item\n  continued\n\n  a paragraph of it\n", []),
        ("- item\n\n      code in it\n", [3]),
        ("10. item\n    continued\n\n    a paragraph of it\n\n        code\n", [6]),
        ("- item\n\nText\n\n    code\n", [5]),
        ("```sh\n    fenced\n```\n", []),
    ],
)
def test_code_by_indentation_alone_is_found(document: str, lines: list[int]) -> None:
    assert documents.indented(document) == lines


def test_a_block_in_a_list_has_its_mark() -> None:
    (block,) = documents.blocks("1. Do\n\n   <!-- not run: a reason -->\n   ```sh\n   true\n   ```\n")
    assert (block.language, block.text, block.mark) == ("sh", "true\n", ("not run", "a reason"))
