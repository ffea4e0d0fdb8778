# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the pictures of docs/report.md from the reports of the unit tests: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.enbuild.eks.plugins.plugin_utils._report.page import page
from ansible_collections.enbuild.eks.tests.tools import browser
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.unit.plugins import report_samples as samples

FOLDER = CHECKOUT / "docs" / "images"
UNFOLD_FIRST = "document.querySelector('.more').click()"
TO_MAP = "document.getElementById('map').scrollIntoView()"


class Picture(t.NamedTuple):
    """One picture: what it shows, how high it is in pixels, what is done before."""

    report: t.Any
    height: int
    script: str = ""
    dark: bool = False


PICTURES = {
    "report-healthy": Picture(samples.healthy, 960),
    "report-broken": Picture(samples.broken, 1200),
    "report-broken-dark": Picture(samples.broken, 900, f"{UNFOLD_FIRST}; {TO_MAP}", dark=True),
    "report-large": Picture(samples.large, 900, TO_MAP),
}


def main() -> None:
    program = browser.find()
    if program is None:
        sys.exit(f"enbuild.eks: {browser.MISSING}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, browser.browser(program, Path(scratch)) as pages:
        for name, picture in PICTURES.items():
            file = Path(scratch) / f"{name}.html"
            file.write_text(page(picture.report()), encoding="utf-8")
            shown = pages()
            shown.open(file, width=1200, height=picture.height, dark=picture.dark)
            shown.run(picture.script or "undefined")
            shown.screenshot(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
