# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.docs_site import MENU, with_links

REPOSITORY = "https://github.com/enbuild/enbuild.eks"


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("docs/a.md", "findings.md#no_policy", "findings.md#no_policy"),
        ("docs/a.md", "../README.md#install", "../index.md#install"),
        ("docs/a.md", "../CONTRIBUTING.md", "../CONTRIBUTING.md"),
        ("docs/a.md", "../permissions", f"{REPOSITORY}/tree/main/permissions"),
        ("README.md", "LICENSE", f"{REPOSITORY}/blob/main/LICENSE"),
        ("README.md", "docs/drift.md", "docs/drift.md"),
        ("README.md", "https://example.com/a", "https://example.com/a"),
        ("README.md", "#install", "#install"),
    ],
)
def test_links_lead_to_pages_of_the_site_or_to_the_repository(page: str, link: str, expected: str) -> None:
    assert with_links(Path(page), f"a [b]({link}) c") == f"a [b]({expected}) c"


def test_every_page_is_in_the_menu() -> None:
    listed = {entry for entries in MENU.values() for entry in entries}
    pages = {f"docs/{page.stem}" for page in CHECKOUT.glob("docs/*.md")}
    assert listed == pages | {"plugins/index", "CONTRIBUTING", "SECURITY"}
