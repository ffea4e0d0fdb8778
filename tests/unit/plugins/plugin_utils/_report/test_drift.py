# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings.codes import CODES
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import drift as drift_report
from ansible_collections.enbuild.eks.tests.unit.plugins import registered
from ansible_collections.enbuild.eks.tests.unit.plugins.report_samples import CLUSTER

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OWNER = "arn:aws:eks:us-east-1:123456789012:addon/production/external-dns/1a2b"


def made(results: registered.Registers, seen: registered.Registers | None = None, **options: t.Any) -> t.Any:
    return drift_report.drift(results, seen or {}, CLUSTER, "2026-11-24T04:00:00Z", **options)


def told(
    results: registered.Registers, seen: registered.Registers | None = None
) -> list[tuple[str, str, str, list[str]]]:
    return [(each["class"], each["kind"], each["name"], each["what"]) for each in made(results, seen)["items"]]


def test_nothing_registered_is_no_drift() -> None:
    nothing = made({})
    assert (nothing["drift"], nothing["items"], nothing["not_compared"]) == (False, [], [])
    assert nothing["counts"] == dict.fromkeys(drift_report.CLASSES, 0)
    assert drift_report.lines(nothing) == ["production: as declared"]


def test_what_the_steps_would_change_is_missing_or_different_and_in_that_order() -> None:
    seen = {
        **registered.roles(registered.CHANGED_TRUST),
        **registered.associations(("orders", {}, {"role_arn": "arn:a"})),
        **registered.result(
            "pod_identity_rollout", {"restarted": [{"kind": "Deployment", "namespace": "shop", "name": "before"}]}
        ),
    }
    assert told(seen) == [
        ("missing", "association", "shop/orders", ["role_arn arn:a"]),
        ("different", "role", "shop", ["trust policy"]),
    ]


RELEASES = {"deployed": [], "failed": ["failed, revision 3"], "pending-upgrade": ["pending-upgrade, revision 3"]}


@pytest.mark.parametrize(("status", "what"), RELEASES.items())
def test_a_release_that_is_not_deployed_is_unhealthy(status: str, what: t.Any) -> None:
    found = {"status": status, "name": "enbuild", "namespace": "enbuild", "revision": 3}
    stop = {"step": "enbuild_release", "task": "Stop", "message": "no"}
    results = registered.result("enbuild_release", {"done": {"release": found}})
    assert told(results) == [("unhealthy", "release", "enbuild/enbuild", what)] * bool(what)
    assert made(results, {"stops": [stop]})["not_compared"] == ([] if "pending" in status else [stop])


ISSUE = {"code": "InsufficientNumberOfReplicas", "message": "0 of 2", "resources": []}
ADDONS: dict[str, t.Any] = {
    "healthy": ({"status": "ACTIVE", "issues": []}, None),
    "busy": ({"status": "UPDATING", "issues": []}, None),
    "degraded": ({"status": "DEGRADED", "issues": [ISSUE]}, ["DEGRADED", "InsufficientNumberOfReplicas: 0 of 2"]),
    "active with an issue": (
        {"status": "ACTIVE", "issues": [ISSUE]},
        ["ACTIVE", "InsufficientNumberOfReplicas: 0 of 2"],
    ),
    "failed": ({"status": "CREATE_FAILED", "issues": []}, ["CREATE_FAILED"]),
}


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize(("found", "what"), ADDONS.values(), ids=ADDONS)
def test_an_add_on_with_issues_is_unhealthy_whether_its_step_stopped_or_not(
    found: t.Any, what: t.Any, refused: bool
) -> None:
    found = {"name": "agent", **found}
    registers: registered.Registers = {"applied": {"changed": False, "diff": {"before": found, "after": found}}}
    stop = {"step": "pod_identity_agent", "task": "See to it", "message": "no"}
    seen: registered.Registers = {}
    if refused:
        registers, seen = {"applied": {"failed": True}, "found": found}, {"stops": [stop]}
    results = registered.result("pod_identity_agent", registers)
    assert told(results, seen) == ([("unhealthy", "addon", "agent", what)] if what else [])
    assert made(results, seen)["not_compared"] == ([stop] if refused and found["status"] != "CREATE_FAILED" else [])


def test_policies_that_nobody_declared_are_extra() -> None:
    more = [
        {"kind": "policy", "name": "shop/more", "what": []},
        {"kind": "managed_policy", "name": "shop/AdministratorAccess", "what": [ADMINISTRATOR]},
    ]
    assert told(registered.roles(unlisted=more)) == [
        ("extra", "policy", "shop/more", []),
        ("extra", "managed_policy", "shop/AdministratorAccess", [ADMINISTRATOR]),
    ]


def association(namespace: str, account: str, **more: t.Any) -> dict[str, t.Any]:
    role_arn = f"arn:aws:iam::123456789012:role/{account}"
    found = {"namespace": namespace, "service_account": account, "role_arn": role_arn, "association_id": account}
    return {**found, "tags": {}, "owner_arn": None, **more}


def listed(
    *found: t.Any, orphans: t.Sequence[str] = (), unfit: t.Any = (), others: bool = True
) -> registered.Registers:
    return {
        "declared": [{"namespace": "shop", "service_account": "orders"}],
        "associations": [association("shop", "orders"), *found],
        "orphans": list(orphans),
        "unfit": list(unfit),
        "others": others,
    }


ROLE = "role_arn arn:aws:iam::123456789012:role/one"
OTHERS = "in a namespace with a declared workload, and not made by this collection"
EXTRA: dict[str, t.Any] = {
    "ours anywhere": (association("else", "one", tags=MANAGED_BY), [], ("extra", "else/one", [ROLE])),
    "others' where we declare": (association("shop", "one"), [], ("extra", "shop/one", [ROLE, OTHERS])),
    "others' elsewhere": (association("else", "one"), ["one"], None),
    "ours, unusable": (association("else", "one", tags=MANAGED_BY), ["one"], ("orphaned", "else/one", [ROLE])),
    "others', unusable": (association("shop", "one"), ["one"], ("orphaned", "shop/one", [ROLE, OTHERS])),
    "an add-on's": (association("shop", "one", owner_arn=OWNER), ["one"], None),
}


@pytest.mark.parametrize(("found", "orphans", "expected"), EXTRA.values(), ids=EXTRA)
def test_associations_that_nobody_declared(found: t.Any, orphans: t.Any, expected: t.Any) -> None:
    items = told({}, listed(found, orphans=orphans))
    assert items == ([(expected[0], "association", *expected[1:])] if expected else [])


def test_what_others_made_is_not_drift_unless_it_is_asked_for() -> None:
    made_by_others = [association("shop", "one"), association("shop", "two", owner_arn=OWNER)]
    ours = association("else", "three", tags=MANAGED_BY)
    items = told({}, listed(*made_by_others, ours, orphans=["one"], others=False))
    assert [name for _class, _kind, name, _what in items] == ["else/three"]


@pytest.mark.parametrize("by", [{"role_name": "one", "role_arn": None}, {"role_name": None, "role_arn": "ARN"}])
def test_what_may_be_an_absent_workloads_association_is_not_extra(by: t.Any) -> None:
    found = association("shop", "one", tags=MANAGED_BY)
    by = {key: found["role_arn"] if value == "ARN" else value for key, value in by.items()}
    unfit = {"code": "workload_missing", "object": "Deployment shop/one", "message": "It is gone", **by}
    assert told({}, listed(found, unfit=[unfit])) == [("missing", "workload", "Deployment shop/one", ["It is gone"])]


def test_extra_alone_is_drift_only_where_it_counts() -> None:
    seen = listed(association("shop", "one"))
    assert made({}, seen)["drift"]
    quiet = made({}, seen, extra=False)
    assert (quiet["drift"], quiet["counts"]["extra"]) == (False, 1)
    assert made(registered.roles(registered.CHANGED_TRUST), seen, extra=False)["drift"]


def test_an_add_ons_association_is_told_once_with_what_would_differ() -> None:
    owned = {"owner_arn": OWNER}
    seen = registered.associations(
        ("same", None, {"role_arn": "arn:a", **owned}),
        ("other", {"role_arn": "arn:a", **owned}, {"role_arn": "arn:b", **owned}),
    )
    assert told(seen) == [
        ("owned_by_addon", "association", "shop/same", ["add-on external-dns"]),
        ("owned_by_addon", "association", "shop/other", ["add-on external-dns", "role_arn arn:a -> arn:b"]),
    ]


@pytest.mark.parametrize("code", CODES)
def test_findings_at_the_pods_of_declared_workloads_only(code: str) -> None:
    finding = {"code": code, "message": "so it is"}
    workload = {"namespace": "shop", "kind": "Deployment", "object": "orders", "findings": [finding]}
    declared, found = {**workload, "role_arn": "arn:a"}, {**workload, "role_arn": None}
    items = told({}, {"workloads": [declared, found]})
    name = drift_report.INJECTION.get(code)
    assert items == ([(name, "workload", "Deployment shop/orders", ["so it is"])] if name else [])


def test_every_code_that_is_read_exists() -> None:
    assert {*drift_report.INJECTION, *drift_report.UNFIT} <= set(CODES)


def test_lines_count_name_and_tell_what_was_not_compared() -> None:
    stop = {"step": "pod_identity_iam", "task": "Look", "message": "denied"}
    drift = made({}, {**listed(association("shop", "one")), "stops": [stop]})
    head, last = "production: 1 extra, 1 not compared", "NOT COMPARED pod_identity_iam: denied"
    item = f"EXTRA association shop/one: {ROLE}, {OTHERS}"
    assert drift_report.lines(drift) == [head, item, last]
    assert drift_report.lines(drift, brief=True) == [head, last]


def test_a_fleet_beside_each_other() -> None:
    stops = {"gone": {"task": "Read cluster", "message": "no such cluster"}}
    fleet = {"production": made({}, listed(association("shop", "one"))), "gone": {}, "later": {}}
    assert drift_report.fleet_lines(fleet, stops) == [
        "CLUSTER     MISSING  DIFFERENT  EXTRA  OWNED BY AN ADD-ON  ORPHANED  UNHEALTHY  NOT COMPARED",
        "gone        stopped at Read cluster: no such cluster",
        "later       not compared",
        "production  0        0          1      0                   0         0          0",
    ]
