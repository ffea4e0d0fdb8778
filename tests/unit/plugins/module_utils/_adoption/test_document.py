# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a declaration reads as what it was made from, and nothing in it comes alive."""

from __future__ import annotations

import yaml
from ansible_collections.enbuild.eks.plugins.module_utils._adoption.document import text
from ansible_collections.enbuild.eks.plugins.module_utils._adoption.plan import Declared

ENTRY = {"namespace": "1e3", "deployment": "yes", "role_arn": "arn:x'\"\\:y", "disable_session_tags": True}


def test_it_reads_as_the_entries_with_notes_and_reasons_as_comments() -> None:
    made = text([Declared("shop/a", (ENTRY, ENTRY), ("look",)), Declared("shop/b", reason="{{ x }} # y: z")], "prod")
    assert yaml.safe_load(made) == {"pod_identity_workloads": [ENTRY, ENTRY]}
    assert "  # shop/a: look\n" in made
    assert "#   shop/b: {{ x }} # y: z\n" in made


def test_nothing_to_declare_declares_nothing() -> None:
    made = text([Declared("shop/b", reason="no workload")], "prod")
    assert yaml.safe_load(made) is None
    assert "Nothing can be declared" in made
