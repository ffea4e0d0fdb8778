# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings.codes import CODES
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

SECTION = re.compile(r"^### `(\w+)`\n\*(\w+)(?:, at any rung)?\.\* \S", re.MULTILINE)


def test_every_finding_is_documented_with_its_severity_under_its_rung() -> None:
    text = (CHECKOUT / "docs" / "findings.md").read_text()
    sections = re.split(r"^## (\w+).*$", text, flags=re.MULTILINE)[1:]
    documented: dict[str, tuple[str, str]] = {}
    for rung, body in zip(sections[::2], sections[1::2], strict=True):
        documented.update({code: (severity, rung) for code, severity in SECTION.findall(body)})
        assert body.count("### ") == body.count("\nCure: ") == len(SECTION.findall(body))
    assert {code: severity for code, (severity, _rung) in documented.items()} == {
        code: kind.severity for code, kind in CODES.items()
    }
    assert not {code: rung for code, (_severity, rung) in documented.items() if CODES[code].rung not in ("", rung)}


def test_only_what_is_known_to_stop_a_rung_does() -> None:
    rungs: t.Any = ("", "declared", "injected", "issued", "allowed")
    assert {kind.rung for kind in CODES.values()} == set(rungs)
    assert all(kind.rung == "" for kind in CODES.values() if kind.severity == "info")
