# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import changes as changes_report
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import model, steps
from ansible_collections.enbuild.eks.tests.unit.plugins import registered


def told(seen: registered.Registers) -> list[tuple[str, str, str, list[str]]]:
    return [(each["action"], each["kind"], each["name"], each["what"]) for each in changes_report.changes(seen)]


ORDERS = {"kind": "Deployment", "namespace": "shop", "name": "orders"}


def test_a_release_by_what_was_done() -> None:
    done = {"name": "enbuild/enbuild", "action": "update", "what": ["value a"], "release": {}}
    changed = registered.result("enbuild_release", {"done": {**done, "changed": True}})
    assert told(changed) == [("update", "release", "enbuild/enbuild", ["value a"])]
    assert told(registered.result("enbuild_release", {"done": {**done, "changed": False}})) == []


def test_only_paths_that_differ_down_to_where_they_do() -> None:
    before = {"a": {"b": {"c": 1, "same": [1]}, "gone": 2}, "list": [1, 2], "text": {"d": 1}}
    after = {"a": {"b": {"c": 2, "same": [1]}}, "list": [1], 5: "new", "more": {"e": {"f": None, "g": 0}}, "text": "d"}
    assert list(steps.differing(before, after)) == ["5", "a.b.c", "a.gone", "list", "more.e.g", "text"]


ADDONS: dict[str, t.Any] = {
    "new": ({}, {}, "create", ["version v2"]),
    "version": ({"version": "v1"}, {}, "update", ["version v1 -> v2"]),
    "configuration": (
        {"version": "v2", "configuration_values": {"env": {"KEY": "hunter2"}}},
        {"configuration_values": {"env": {}}},
        "update",
        ["configuration_values.env.KEY"],
    ),
    "role": (
        {"version": "v2"},
        {"service_account_role_arn": "arn:x"},
        "update",
        ["service_account_role_arn none -> arn:x"],
    ),
}


@pytest.mark.parametrize(("before", "after", "action", "what"), ADDONS.values(), ids=ADDONS)
def test_an_add_on(before: t.Any, after: t.Any, action: str, what: t.Any) -> None:
    diff = {"before": before, "after": {"name": "agent", "version": "v2", **after}}
    result = registered.result("pod_identity_agent", {"applied": {"changed": True, "diff": diff}})
    assert told(result) == [(action, "addon", "agent", what)]


def test_roles_that_were_made_though_others_failed() -> None:
    policy = {"kind": "policy", "name": "shop/shop", "action": "create", "what": []}
    assert told(registered.roles(registered.CHANGED_TRUST, policy, failed=True)) == [
        ("update", "role", "shop", ["trust policy"]),
        ("create", "policy", "shop/shop", []),
    ]
    failure = {"failed": True, "msg": "No role was changed."}
    refused = registered.result("pod_identity_iam", {"applied": failure, "declared": []})
    assert told(refused) == []


def test_associations_that_were_made_though_others_failed() -> None:
    seen = registered.associations(
        ("orders", {}, {"role_arn": "arn:a"}),
        ("search", {"role_arn": "arn:a"}, {"role_arn": "arn:b"}),
        ("same", None, {"role_arn": "arn:a"}),
        failed=True,
    )
    assert told(seen) == [
        ("create", "association", "shop/orders", ["role_arn arn:a"]),
        ("update", "association", "shop/search", ["role_arn arn:a -> arn:b"]),
    ]


def test_associations_are_passed_on_where_none_was_changed() -> None:
    same = ("same", None, {"role_arn": "arn:a"})
    step = "pod_identity_associations"
    assert registered.associations(same)[step]["observed"] == [{"role_arn": "arn:a"}]
    assert registered.associations(same, changed=True)[step]["observed"] == []
    assert registered.associations(same, failed=True)[step]["observed"] == []


@pytest.mark.parametrize(("policies", "count"), [(None, 0), ([], 0), (["ReadOnlyAccess"], 0), ([registered.S3], 1)])
def test_full_access_to_s3_is_said(policies: t.Any, count: int) -> None:
    notes = changes_report.notes(registered.roles(declared=[{"role_name": "shop", "managed_policies": policies}]))
    assert len(notes) == count
    assert all("Role shop has AmazonS3FullAccess" in note for note in notes)


REGISTERS = {
    "enbuild_release": ("done",),
    "pod_identity_agent": ("applied",),
    "pod_identity_iam": ("applied", "declared"),
    "pod_identity_associations": ("applied",),
    "pod_identity_rollout": ("restarted",),
    "pod_identity_migrate": ("rows", "done"),
}


@pytest.mark.parametrize(("step", "name"), [(step, name) for step, names in REGISTERS.items() for name in names])
def test_a_register_that_is_missing_is_an_error_and_never_no_change(step: str, name: str) -> None:
    given: dict[str, t.Any] = {key: {} for key in REGISTERS[step]}
    assert steps.step_result(given, step)["changes"] == []
    with pytest.raises(KeyError):
        steps.step_result({key: value for key, value in given.items() if key != name}, step)


def test_clusters_and_their_changes_in_lines() -> None:
    hosts: dict[str, t.Any] = {
        "localhost": {"pod_identity_results": registered.result("pod_identity_rollout", {"restarted": [ORDERS]})},
        "staging": {},
    }
    made = changes_report.of_clusters(hosts, lambda host: {"localhost": "production"}.get(host, host))
    assert changes_report.lines(made) == [
        "production: changed 1 thing",
        "  restarted workload Deployment shop/orders",
        "staging: changed nothing",
    ]
    assert changes_report.lines(made, predicted=True)[:2] == [
        "production: would change 1 thing",
        "  restart workload Deployment shop/orders",
    ]


def test_many_changes_are_one_line_for_each_cluster_that_says_where_they_are_named() -> None:
    kinds = ("role", "role", "managed_policy", "addon")
    made = [model.entry("step", kind, f"shop-{number}", "create") for number, kind in enumerate(kinds)]
    made.append(model.entry("step", "policy", "shop/shop", "update"))
    by_cluster = {"production": made, "staging": made[:1], "dev": []}
    assert changes_report.lines(by_cluster) == [
        "production: changed 5 things: created 2 roles, 1 managed policy and 1 add-on; updated 1 policy",
        "staging: changed 1 thing: created 1 role",
        "dev: changed nothing",
        "Each of these changes: in the report (pod_identity_report_dir), or with -v",
    ]


def test_a_prediction_names_all_that_it_would_change() -> None:
    made = [model.entry("step", "role", f"shop-{number}", "create") for number in range(20)]
    assert len(changes_report.lines({"production": made}, predicted=True)) == 21


@pytest.mark.parametrize(("kind", "words"), [("policy", "2 policies"), ("addon", "2 add-ons"), ("file", "2 files")])
def test_kinds_are_counted_in_words(kind: str, words: str) -> None:
    assert changes_report.grouped([model.entry("step", kind, name, "update") for name in "ab"]) == f"updated {words}"
