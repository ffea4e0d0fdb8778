# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's page in a real browser: it loads nothing, runs nothing of others, and can be used by everybody."""

from __future__ import annotations

import json
import typing as t
from importlib import resources
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.page import page as html
from ansible_collections.enbuild.eks.tests.tools import browser
from ansible_collections.enbuild.eks.tests.tools.browser import Page
from ansible_collections.enbuild.eks.tests.unit.plugins import report_samples as samples

SAMPLES = {
    "healthy": samples.healthy,
    "broken": samples.broken,
    "large": samples.large,
    "hostile": samples.hostile,
}
Open = t.Callable[..., Page]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[t.Callable[[], Page]]:
    program = browser.find()
    if program is None:
        pytest.skip(browser.MISSING)
    with browser.browser(program, tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def show(pages: t.Callable[[], Page], tmp_path: Path) -> Open:
    """Open a sample's page."""

    def opened(sample: str, **options: t.Any) -> Page:
        file = tmp_path / f"{sample}.html"
        file.write_text(html(SAMPLES[sample]()), encoding="utf-8")
        page = pages()
        page.open(file, **options)
        return page

    return opened


def shown(page: Page) -> int:
    """Workloads that the map shows."""
    return int(page.run("[...document.querySelectorAll('.workload')].filter(row => row.offsetParent).length"))


def enter(page: Page, field: str, value: str) -> None:
    """Fill in a field of the map's tools as a user does."""
    page.run(
        f"(() => {{ const field = document.getElementById({json.dumps(field)});"
        f" if (field.type === 'checkbox') field.click(); else {{ field.value = {json.dumps(value)};"
        " field.dispatchEvent(new Event('input', {bubbles: true})); } })()"
    )


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_loads_nothing_and_breaks_nothing(show: Open, sample: str) -> None:
    page = show(sample)
    assert [url for url in page.requests if not url.startswith("file:")] == []
    assert page.complaints == []


def test_hostile_names_run_nothing(show: Open) -> None:
    page = show("hostile")
    assert page.run("document.title") == f"Pod identity in {samples.HOSTILE}"
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.run("document.querySelector('.workload .name').textContent") == samples.HOSTILE


def test_the_pages_policy_stops_foreign_scripts(show: Open) -> None:
    """Even if a name got out of its quotes: the browser runs the page's own script and no other."""
    page = show("broken")
    page.run(
        "(() => { const script = document.createElement('script'); script.textContent = 'document.title = 1';"
        " document.body.append(script); document.body.setAttribute('onclick', 'document.title = 2');"
        " document.body.click(); })()"
    )
    assert page.run("document.title") == "Pod identity in production"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("sample", ["healthy", "broken"])
def test_it_breaks_no_rule_of_accessibility(show: Open, sample: str, dark: bool) -> None:
    """By axe-core, with all that folds unfolded, so that it is looked at too."""
    page = show(sample, dark=dark)
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.run("[...document.querySelectorAll('.more')].slice(0, 5).forEach(button => button.click())")
    page.run(resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    violations = page.run("axe.run(document).then(found => found.violations)")
    told = [
        f"{each['id']}: {each['help']}: {node['html'][:120]} {node['failureSummary']}"
        for each in violations
        for node in each["nodes"][:3]
    ]
    assert not told, "\n".join(told)


def test_the_map_is_searched(show: Open) -> None:
    page = show("large")
    assert shown(page) == 300
    enter(page, "search", "billing gateway")
    names = page.run(
        "[...document.querySelectorAll('.workload')].filter(row => row.offsetParent).map(row => row.textContent)"
    )
    assert names
    assert all("gateway" in name for name in names)
    assert page.run("document.getElementById('shown').textContent") == f"{len(names)} of 300 shown"
    assert page.run("[...document.querySelectorAll('.namespace')].filter(row => row.offsetParent).length") == 1
    enter(page, "search", "no such thing")
    assert shown(page) == 0
    assert page.run("document.getElementById('nothing').hidden") is False


def test_the_map_is_narrowed_to_a_rung_and_to_what_is_wrong(show: Open) -> None:
    page = show("large")
    counts = samples.large()["summary"]["by_rung"]
    enter(page, "reached", "none")
    assert shown(page) == counts["none"]
    enter(page, "reached", "")
    enter(page, "wrong", "")
    assert shown(page) == counts["none"] + counts["declared"]


def test_details_unfold_by_keyboard_and_by_a_findings_link(show: Open) -> None:
    page = show("broken")
    open_ones = "[...document.querySelectorAll('.details')].filter(row => row.offsetParent).map(row => row.id)"
    assert page.run(open_ones) == []
    page.run("document.querySelector('.more').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    assert len(page.run(open_ones)) == 1
    page.run("[...document.querySelectorAll('.group a')].at(-1).click()")
    page.run("new Promise(done => setTimeout(done, 50))")
    assert len(page.run(open_ones)) == 2
    assert page.run("document.activeElement.className") == "more"


def test_without_scripts_everything_shows(pages: t.Callable[[], Page], tmp_path: Path) -> None:
    """As where an artifact's viewer takes scripts out."""
    file = tmp_path / "page.html"
    text = html(samples.broken())
    file.write_text(text[: text.index("<script>")] + text[text.index("</script>") :], encoding="utf-8")
    page = pages()
    page.open(file)
    assert shown(page) == 5
    assert page.run("[...document.querySelectorAll('.details')].every(row => row.offsetParent)")
    assert page.run("document.querySelector('.tools').offsetParent === null")


@pytest.mark.parametrize("width", [1280, 400])
def test_no_width_cuts_anything_off(show: Open, width: int) -> None:
    page = show("broken", width=width)
    assert page.run("document.documentElement.scrollWidth") <= width
