# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a teardown's result has, and how it reads."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._teardown import plan
from ansible_collections.enbuild.eks.plugins.plugin_utils._awx import surveys
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import about, steps
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.model import Context, Survey

ADDON = "arn:aws:eks:us-east-1:123456789012:addon/prod/aws-ebs-csi-driver/1"
ROLE = {"role_name": "shop-orders", "role_arn": "arn:aws:iam::123456789012:role/shop-orders", "reasons": []}
OTHER = {"role_name": "other", "role_arn": "arn:aws:iam::123456789012:role/other", "reasons": ["it is used"]}
RELEASE = {"enbuild_release": {"changes": [{"kind": "release", "name": "shop/front", "action": "delete", "what": []}]}}


def association(name: str, ours: bool = True, owner_arn: str = "") -> dict[str, t.Any]:
    return {
        "namespace": "shop",
        "service_account": name,
        "association_arn": f"prod/{name}",
        "owner_arn": owner_arn,
        "asked": True,
        "ours": ours,
    }


SEEN = {
    "associations": [association("orders"), association("hand", ours=False), association("ebs", False, ADDON)],
    "roles": [ROLE, OTHER],
    "agent_users": ["shop/ebs", "shop/hand"],
}
DELETED = {
    "associations": [
        {"namespace": "shop", "service_account": "orders", "changes": ["delete_pod_identity_association"]},
        {"namespace": "shop", "service_account": "hand", "changes": []},
    ]
}
REGISTERED: dict[str, t.Any] = {
    "seen": SEEN,
    "left": SEEN,
    "associations": DELETED,
    "roles": {"roles": [{"role_name": ROLE["role_name"], "changes": ["detach_role_policy", "delete_role"]}]},
    "addon": {"changed": False, "skipped": True},
    "agent": True,
    "obstacle": "",
}


def result(**registered: t.Any) -> dict[str, t.Any]:
    return steps.step_result({**REGISTERED, **registered}, "pod_identity_teardown")


def reported(
    check: bool = False, results: t.Any = None, survey: Survey | None = None, **registered: t.Any
) -> tuple[list[str], t.Any]:
    """Lines and artifact of a run on one cluster."""
    made = {**(results or {}), "pod_identity_teardown": result(**registered)}
    variables = {"eks_cluster_name": "prod", "pod_identity_results": made}
    context = Context("localhost", check, "now", variables, {"localhost": variables}, survey=survey or Survey())
    outcome = about.report("teardown", {"cluster": {"name": "prod"}}, context)
    return list(outcome.lines), outcome.artifacts["pod_identity_teardown"]["prod"]


def test_what_went_and_what_stays() -> None:
    lines, artifact = reported(results=RELEASE)
    assert artifact["removed"] == ["release shop/front", "association shop/orders", "role shop-orders"]
    assert lines == [
        "prod: removed: release shop/front",
        "prod: removed: association shop/orders",
        "prod: removed: role shop-orders",
        "prod: stays: association shop/hand: it was not made by enbuild.eks (no tag enbuild.eks/managed-by)",
        "prod: stays: association shop/ebs: add-on aws-ebs-csi-driver owns it",
        "prod: stays: role other: it is used",
        "prod: stays: add-on eks-pod-identity-agent: it serves shop/ebs, shop/hand",
    ]
    assert reported(agent=False)[0] == [line for line in lines if "release" not in line and "agent" not in line]
    assert "prod: removed: add-on eks-pod-identity-agent" in reported(addon={"changed": True})[0]


def test_what_check_mode_would_do_and_what_would_stop_it() -> None:
    lines, _artifact = reported(check=True, obstacle="Pods run.")
    assert lines[:2] == [
        "prod: would stop, with nothing removed: Pods run.",
        "prod: would be removed: association shop/orders",
    ]
    assert reported(obstacle="Pods run.")[0][0] == "prod: removed: association shop/orders"


POD = {"kind": "Deployment", "namespace": "shop", "owner": "orders", "release": ""}
ALTERED = {
    "ours": True,
    "role_arn": "arn:aws:iam::123456789012:role/shop-orders",
    "role_name": "shop-orders",
    "inline_policies": ["more"],
    "attached_policies": [],
    "instance_profiles": [],
    "principals": [],
}


@pytest.mark.parametrize("check", [True, False])
def test_in_a_job_every_variable_has_its_question_beside_it(check: bool) -> None:
    job = Survey(surveys.questions("teardown"), {}, in_job=True)
    obstacle = plan.obstacle([{**POD, "release": "shop/front"}, POD])
    stays = {**OTHER, "reasons": plan.reasons(ALTERED, [], [], plan.Desired())}
    given: dict[str, t.Any] = {"obstacle": obstacle, "left": {**SEEN, "roles": [stays]}}
    said = "\n".join(reported(check, survey=job, **given)[0])
    asked = {
        "pod_identity_teardown_force": "Although pods hold credentials",
        "pod_identity_teardown_release": "The release too",
        "pod_identity_teardown_altered_roles": "Altered roles too",
    }
    named = {name for name in asked if name in said}
    assert named == (set(asked) if check else {"pod_identity_teardown_altered_roles"})
    for name in named:
        assert f"""{name} (the survey's question "{asked[name]}")""" in said
    assert "the survey's" not in "\n".join(reported(check, **given)[0])


def test_nothing_left() -> None:
    nothing: dict[str, t.Any] = {"associations": [], "roles": [], "agent_users": []}
    assert reported(seen=nothing, left=nothing, associations={}, roles={})[0] == [
        "prod: nothing is left that was made here"
    ]


def test_what_others_that_share_roles_have_to_know() -> None:
    made = result(roles={}, addon={})
    assert made["ended"] == ["prod/orders"]
    assert made["roles"] == [ROLE["role_arn"], OTHER["role_arn"]]
    assert result(associations={"failed": True, **DELETED})["roles"] == []  # another one takes them away


@pytest.mark.parametrize("name", REGISTERED)
def test_a_register_that_is_missing_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        steps.step_result({key: value for key, value in REGISTERED.items() if key != name}, "pod_identity_teardown")
