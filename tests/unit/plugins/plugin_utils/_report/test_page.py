# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as text; how it looks and behaves is for a browser to say (tests/integration/test_report_in_browser.py)."""

from __future__ import annotations

import typing as t
from html.parser import HTMLParser

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.identity import report
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.page import page
from ansible_collections.enbuild.eks.tests.unit.plugins import report_samples as samples

VOID = {"meta", "input", "img", "br", "hr", "link"}


class Structure(HTMLParser):
    """The tags, attributes and text of a page; fails on a tag that isn't closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


SAMPLES = {"healthy": samples.healthy, "broken": samples.broken, "large": samples.large, "hostile": samples.hostile}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_the_page_is_well_formed_and_loads_nothing(sample: t.Any) -> None:
    structure = Structure(page(sample()))
    names = [name for name, _value in structure.attributes]
    assert not {"src", "style", "onclick", "onerror"} & set(names)
    assert [value for name, value in structure.attributes if name == "href" and not str(value).startswith("#")] == []
    ids = [value for name, value in structure.attributes if name == "id"]
    assert len(ids) == len(set(ids))


ASKED: dict[str, tuple[dict[str, t.Any], str]] = {
    "exec": ({"agrees": True, "how": "exec", "message": ""}, "and by the pod itself)"),
    "container": (
        {"agrees": True, "how": "ephemeral_container", "message": ""},
        "and by an ephemeral container in the pod)",
    ),
    "unknown": ({"agrees": None, "how": "", "message": "No <b> could be added."}, "not known: No <b> could be added."),
}


@pytest.mark.parametrize(("asked", "words"), ASKED.values(), ids=ASKED)
def test_how_a_pod_was_asked_or_why_it_was_not(asked: dict[str, t.Any], words: str) -> None:
    seen = {"workloads": [samples.workload("orders", pod_asked=asked)], "findings": []}
    made = report(seen, samples.CLUSTER, "", samples.TIME)
    assert words in Structure(page(made)).text


def test_hostile_names_stay_text() -> None:
    structure = Structure(page(samples.hostile()))
    assert structure.tags.count("script") == 1
    assert "img" not in structure.tags
    assert structure.text.count(samples.HOSTILE) >= 15


def test_a_cluster_without_workloads() -> None:
    made = report({"workloads": [], "findings": []}, samples.CLUSTER)
    assert "No workload was looked at." in Structure(page(made)).text


def test_what_was_not_looked_at_is_not_shown_as_failed() -> None:
    item = samples.workload("orders", rung="injected", stopped_by="the caller may not call EKS Auth")
    item["rungs"] = {"declared": True, "injected": True, "issued": None, "allowed": None}
    text = Structure(page(report({"workloads": [item], "findings": []}, samples.CLUSTER))).text
    assert "issued: not known" in text
    assert "Stopped at injected: the caller may not call EKS Auth" in " ".join(text.split())
    assert "Every workload holds as far as was asked for." in text


def test_findings_link_to_their_workload_and_the_frequent_fold() -> None:
    text = page(samples.large())
    assert '<a href="#workload-' in text
    assert "6 more</summary>" in text


def test_commands_can_be_copied_and_sentences_cannot() -> None:
    remedies = [
        "kubectl get pods -n shop",
        "aws eks list-addons",
        "Let Job shop/x end, and run it again",
        samples.HOSTILE,
    ]
    findings = [samples.finding("stale_pods", "error", f"Job shop/{remedy}", "Wrong", remedy) for remedy in remedies]
    made = Structure(page(report({"workloads": [], "findings": findings}, samples.CLUSTER)))
    assert made.text.count(remedies[2]) == 2, "the object, and the remedy"
    assert made.attributes.count(("class", "copy")) == 2


@pytest.mark.parametrize("name", ["healthy", "broken"])
def test_what_is_wrong_comes_first_where_something_is(name: str) -> None:
    text = Structure(page(SAMPLES[name]())).text
    headings = sorted(("How far identities hold", "Findings ", "Map "), key=text.index)
    assert headings.index("Findings ") == ("broken", "healthy").index(name)
    assert [text.count(heading) for heading in headings[:1]] == [1]


def test_a_run_that_changes_something_lists_each_change() -> None:
    made = {"kind": "role", "name": "<shop>", "action": "update", "what": ["trust policy"]}
    healthy = samples.healthy()
    assert "update role <shop>: trust policy" in Structure(page({**healthy, "changes": [made]})).text
    assert "Changes of this run" not in Structure(page(healthy)).text
