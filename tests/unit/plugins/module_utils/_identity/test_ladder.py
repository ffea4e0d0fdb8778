# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import (
    Agent,
    Answer,
    Cluster,
    Evidence,
    Issued,
    Node,
    Surroundings,
)
from ansible_collections.enbuild.eks.plugins.module_utils._identity.ladder import judge
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod, Template, plain_template
from ansible_collections.enbuild.eks.plugins.module_utils._workload.checks import Check
from ansible_collections.enbuild.eks.plugins.module_utils._workload.model import Workload, parse_workload
from ansible_collections.enbuild.eks.plugins.module_utils._workload.rollout import Room

ROLE = "arn:aws:iam::123456789012:role/orders"
OWNER = Owner("Deployment", "shop", "orders")
WORKLOAD = Workload("orders", OWNER, ROLE)
TEMPLATE = Template(OWNER, {"spec": {"serviceAccountName": "orders"}})
ASSOCIATION = {"association_id": "a-1", "role_arn": ROLE}
NODE = {"n": Node("n")}
CLUSTER = Cluster("lab", "us-east-1", "arn:aws:eks:us-east-1:123456789012:cluster/lab")
AROUND = Surroundings(CLUSTER, NODE, Agent("ACTIVE", "v1", (), {"n": ("agent", True)}))
TRUST = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
}
CHECK = Check("s3:ListBuckets", "s3", "ListBuckets")


def pod(name: str, bare: tuple[str, ...] = (), owner: Owner = OWNER) -> Pod:
    return Pod(name, "shop", "orders", owner, bare)


def named(predicted: bool = False, obstacle: str = "", note: str = "") -> dict[str, t.Any]:
    place = {"kind": "Deployment", "namespace": "shop", "name": "orders"}
    return {**place, "predicted": predicted, "obstacle": obstacle, "note": note}


def codes(verdict: t.Any) -> t.Any:
    return [finding["code"] for finding in verdict["findings"]]


def test_a_healthy_workload_reaches_the_top_without_findings() -> None:
    verdict = judge(Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a"), pod("b")), (True, True, True)))
    assert (verdict["rung"], codes(verdict), verdict["restart"], verdict["injected_now"]) == ("injected", [], [], True)
    assert verdict["pods_injected"] == 2


@pytest.mark.parametrize(
    ("evidence", "rung", "expected"),
    [
        (Evidence(WORKLOAD, None, None), "none", ["workload_missing"]),
        (Evidence(WORKLOAD, TEMPLATE, None, (pod("a", ("app",)),), (False,)), "none", ["association_missing"]),
        (
            Evidence(WORKLOAD, TEMPLATE, {**ASSOCIATION, "role_arn": ROLE + "-other"}, (pod("a"),), (True,)),
            "none",
            ["wrong_role"],
        ),
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a"),), (True, False)), "declared", ["webhook_cold"]),
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a", ("app",)),), (True,)), "declared", ["stale_pods"]),
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (), (True,)), "declared", ["no_running_pods"]),
        (
            Evidence(WORKLOAD, Template(OWNER, {"spec": {}}), ASSOCIATION, (pod("a"),), (True,)),
            "injected",
            ["default_service_account"],
        ),
        (
            Evidence(WORKLOAD, Template(OWNER, {"spec": {}}), None, (pod("a", ("app",)),), (False,)),
            "none",
            ["default_service_account"],
        ),
        (
            Evidence(
                Workload("d", Owner("ServiceAccount", "shop", "default")),
                plain_template("shop", "default"),
                ASSOCIATION,
                (pod("a"),),
            ),
            "injected",
            [],
        ),
    ],
)
def test_each_fault_has_its_rung_and_its_code_and_no_other(evidence: t.Any, rung: t.Any, expected: t.Any) -> None:
    verdict = judge(evidence)
    assert (verdict["rung"], codes(verdict)) == (rung, expected)
    assert all(finding["remedy"] and finding["object"] for finding in verdict["findings"])


def test_any_role_will_do_when_none_is_expected() -> None:
    verdict = judge(Evidence(Workload("orders", OWNER), TEMPLATE, ASSOCIATION, (pod("a"),), (True,)))
    assert verdict["rung"] == "injected"


def test_only_what_owns_stale_pods_is_restarted_and_each_once() -> None:
    job, bare = Owner("Job", "shop", "night"), Owner("Pod", "shop", "loose")
    pods = (
        pod("a", ("app",)),
        pod("b", ("app",)),
        pod("c"),
        pod("d", ("app",), job),
        pod("loose", ("app",), bare),
        pod("e", (), Owner("StatefulSet", "shop", "db")),
    )
    verdict = judge(Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, pods, (True,)))
    assert verdict["restart"] == [named()]
    assert verdict["unmanaged_pods"] == ["d", "loose"]


@pytest.mark.parametrize(
    ("association", "restart"),
    [
        (None, [named(predicted=True)]),
        (ASSOCIATION, []),
    ],
)
def test_a_coming_release_is_predicted(association: t.Any, restart: t.Any) -> None:
    """Pods that a release is about to make are injected only where the association is there already."""
    coming = Template(OWNER, {"spec": {"serviceAccountName": "orders"}}, "rendered")
    verdict = judge(Evidence(WORKLOAD, coming, association, replaced=True))
    assert (verdict["exists"], verdict["restart"]) == (False, restart)


def test_near_names_are_offered() -> None:
    missing = judge(Evidence(WORKLOAD, None, None, neighbours=("Deployment order", "Deployment mongodb")))
    assert "did you mean Deployment order?" in missing["findings"][0]["message"]
    mistaken = judge(Evidence(WORKLOAD, TEMPLATE, None, (pod("a"),), neighbours=("order",)))
    assert "there is one for order" in mistaken["findings"][0]["message"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"name": "x", "deployment": "a"}, "x: namespace is missing"),
        ({"name": "x", "namespace": "n"}, "exactly one of"),
        ({"namespace": "n", "deployment": "a", "service_account": "b"}, "found deployment, service_account"),
    ],
)
def test_a_bad_entry_is_refused_in_one_sentence(item: t.Any, words: t.Any) -> None:
    with pytest.raises(Refused, match=words):
        parse_workload(item)


def test_an_entry_is_called_after_its_object() -> None:
    assert parse_workload({"namespace": "shop", "deployment": "orders", "role_arn": ""}) == Workload("orders", OWNER)


def proven(**more: t.Any) -> Evidence:
    """A workload at the top, with ``more`` seen otherwise."""
    healthy = Evidence(
        Workload("orders", OWNER, ROLE, (CHECK,)),
        TEMPLATE,
        ASSOCIATION,
        (Pod("a", "shop", "orders", OWNER, node="n"),),
        (True,),
        around=AROUND,
        role=Role(ROLE, True, TRUST, ("use",)),
        issued=Issued("eks_auth", True, "arn:aws:sts::123456789012:assumed-role/orders/x", pod="a"),
        answers=(Answer("s3:ListBuckets", True, how="called"),),
    )
    return replace(healthy, **more)


def test_the_top_of_the_ladder() -> None:
    verdict = judge(proven())
    assert verdict["rungs"] == {"declared": True, "injected": True, "issued": True, "allowed": True}
    assert (verdict["rung"], verdict["stopped_by"]) == ("allowed", "")
    assert (verdict["findings"], verdict["role"]["trust_problem"]) == ([], "")


DENIED = Answer("s3:ListBuckets", False, "AccessDenied", "No", "called")
OTHER_CLUSTER = {
    "Statement": {
        **TRUST["Statement"],
        "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:eks:us-east-1:123456789012:cluster/other"}},
    }
}
REFUSED = Issued("eks_auth", False, message="No.")


@pytest.mark.parametrize(
    ("more", "rung", "words"),
    [
        ({"issued": None}, "injected", "Nobody asked"),
        ({"issued": Issued(message="Not proven: enough")}, "injected", "Not proven: enough"),
        ({"issued": REFUSED}, "injected", "EKS refuses credentials"),
        ({"role": Role(ROLE, False), "issued": REFUSED}, "injected", "doesn't exist"),
        ({"role": Role(ROLE, True, OTHER_CLUSTER), "issued": REFUSED}, "injected", "names only arn:aws:eks"),
        ({"answers": ()}, "issued", "No check is named"),
        ({"answers": (DENIED,)}, "issued", "may not do s3:ListBuckets"),
        ({"answers": (replace(DENIED, allowed=None),)}, "issued", "failed with AccessDenied"),
        ({"answers": (Answer("x", None, message="Not called"),)}, "issued", "Not called"),
        ({"around": replace(AROUND, agent=Agent())}, "injected", "No agent is ready"),
        ({"around": replace(AROUND, agent=None)}, "allowed", ""),
        ({"around": replace(AROUND, agent=Agent(), nodes={"n": Node("n", "auto")})}, "allowed", ""),
        ({"around": replace(AROUND, nodes={"n": Node("n", windows=True)})}, "injected", "Windows"),
        ({"refusal": "Quota", "tried": ()}, "allowed", ""),
    ],
)
def test_what_stops_a_climb_is_said(more: t.Any, rung: str, words: str) -> None:
    verdict = judge(proven(**more))
    assert verdict["rung"] == rung, verdict
    assert words in verdict["stopped_by"]
    assert bool(words) == bool(verdict["stopped_by"])


@pytest.mark.parametrize("wanted", ["declared", "injected", "issued"])
def test_nothing_above_the_rung_that_was_asked_for_is_held_against_a_workload(wanted: str) -> None:
    seen = proven(issued=None, answers=(), role=Role(ROLE, True, TRUST, ()))
    if wanted == "issued":
        seen = replace(seen, issued=Issued("eks_auth", True))
    verdict = judge(seen, wanted)
    assert (verdict["rung"], verdict["stopped_by"], verdict["findings"]) == (wanted, "", [])


def test_a_workload_that_nobody_named_lacks_nothing_without_an_association() -> None:
    verdict = judge(Evidence(Workload("x", OWNER, asked=False), TEMPLATE, None, (pod("a", ("app",)),)))
    assert (verdict["rung"], verdict["findings"], verdict["restart"]) == ("none", [], [])
    assert "No pod identity association" in verdict["stopped_by"]


def test_a_pod_with_keys_of_its_own_is_not_also_told_whom_it_acts_as() -> None:
    keys = {"containers": [{"name": "m", "env": [{"name": "AWS_ACCESS_KEY_ID", "value": "AKIA"}]}]}
    template = Template(OWNER, {"spec": {"serviceAccountName": "orders", **keys}})
    other = Issued("exec", False, "arn:aws:iam::123456789012:user/x", message="Pod a acts as x")
    assert codes(judge(proven(template=template, issued=other))) == ["static_keys"]
    assert codes(judge(proven(issued=other))) == ["other_identity"]


@pytest.mark.parametrize(
    ("created", "modified", "stale"),
    [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.9+00:00", False),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:01.1+00:00", True),
        ("2030-01-01T00:00:02Z", "2030-01-01T00:00:01.1+00:00", False),
    ],
)
def test_pods_from_before_a_change_may_hold_the_former_role(created: str, modified: str, stale: bool) -> None:
    changed = {**ASSOCIATION, "created_at": "2029-01-01T00:00:00+00:00", "modified_at": modified}
    verdict = judge(proven(association=changed, pods=(replace(pod("a"), node="n", created=created),)))
    assert codes(verdict) == (["former_role"] if stale else [])
    assert bool(verdict["restart"]) == stale


@pytest.mark.parametrize(("created", "stale"), [("2029-01-01T00:00:00Z", False), ("2028-12-31T23:59:59Z", True)])
def test_pods_from_before_an_association_was_made_anew_may_hold_the_former_role(created: str, stale: bool) -> None:
    made = dict.fromkeys(("created_at", "modified_at"), "2029-01-01T00:00:00.5+00:00")
    pods = tuple(
        replace(pod(name, lacking), node="n", created=created) for name, lacking in (("a", ()), ("b", ("app",)))
    )
    verdict = judge(proven(association={**ASSOCIATION, **made}, pods=pods[:1]))
    assert codes(verdict) == (["former_role"] if stale else [])
    assert codes(judge(proven(association={**ASSOCIATION, **made}, pods=pods))) == ["stale_pods"]


def test_what_can_be_restarted_is_the_workload_or_what_the_service_accounts_pods_belong_to() -> None:
    owners = [Owner("StatefulSet", "shop", "queue"), Owner("Job", "shop", "once"), Owner("Pod", "shop", "bare")]
    pods = tuple(pod(owner.name, (), owner) for owner in (*owners, owners[0]))
    account = Workload("all", Owner("ServiceAccount", "shop", "orders"), ROLE)
    coming = Template(OWNER, TEMPLATE.pod, "rendered")
    for evidence, names in (
        (Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a"),)), ["orders"]),
        (Evidence(WORKLOAD, coming, ASSOCIATION), []),
        (Evidence(WORKLOAD, None, ASSOCIATION), []),
        (Evidence(account, plain_template("shop", "orders"), ASSOCIATION, pods), ["queue"]),
    ):
        assert [each["name"] for each in judge(evidence)["restartable"]] == names


MADE = {**ASSOCIATION, "created_at": "2026-11-28T10:00:00+00:00"}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"webhook": "its rules leave out that pods are created"}, "webhook_missing", "lab: its rules leave out"),
        ({"tried_at": "2026-11-28T10:05:01Z"}, "webhook_missing", "as old as that of 2026-11-28T10:00:00Z"),
        ({"tried_at": "2026-11-28T10:04:59Z"}, "webhook_cold", "of 3 pods"),
        ({"tried_at": "2026-11-28T11:00:00Z", "tried": (False, True, False)}, "webhook_cold", "of 3 pods"),
        ({}, "webhook_cold", "of 3 pods"),
    ],
)
def test_a_webhook_that_will_not_inject_is_told_from_one_that_is_cold(more: t.Any, code: str, words: str) -> None:
    given = {"tried": (False, False, False), "around": AROUND, **more}
    verdict = judge(Evidence(WORKLOAD, TEMPLATE, MADE, (pod("a"),), **given))
    assert codes(verdict) == [code]
    assert words.lower() in verdict["findings"][0]["message"].lower()
    assert verdict["rungs"]["injected"] is False
    assert verdict["rung"] == "declared"


QUOTA = 'pods "orders-" is forbidden: exceeded quota: few'


@pytest.mark.parametrize(
    ("strategy", "more", "code", "untried"),
    [
        ("RollingUpdate", {"refusal": QUOTA}, "pod_refused", QUOTA),
        ("Recreate", {"refusal": QUOTA}, "pod_untried", ""),
        ("Recreate", {"refusal": "violates PodSecurity"}, "pod_refused", "violates PodSecurity"),
        ("RollingUpdate", {"untried": "violates PodSecurity"}, "pod_untried", ""),
    ],
)
def test_a_refusal_counts_where_a_restart_would_meet_it(strategy: str, more: t.Any, code: str, untried: str) -> None:
    object_ = {"kind": "Deployment", "spec": {"strategy": {"type": strategy}}}
    template = Template(OWNER, TEMPLATE.pod, workload=object_)
    verdict = judge(Evidence(WORKLOAD, template, ASSOCIATION, (pod("a"),), around=AROUND, **more))
    assert (codes(verdict), verdict["untried"]) == ([code], untried)
    assert verdict["rung"] == "injected"
    assert next(iter(more.values())) in verdict["findings"][0]["message"]


def test_a_container_that_another_webhook_added_is_an_info() -> None:
    template = Template(OWNER, {"spec": {"serviceAccountName": "orders", "containers": [{"name": "app"}]}})
    meshed = pod("a", ("istio-proxy",)).made_by(template)
    verdict = judge(Evidence(WORKLOAD, template, ASSOCIATION, (meshed,), (True,), around=AROUND))
    assert (codes(verdict), verdict["restart"], verdict["rungs"]["injected"]) == (["added_containers"], [], True)
    stale = pod("a", ("app", "istio-proxy")).made_by(template)
    verdict = judge(Evidence(WORKLOAD, template, ASSOCIATION, (stale,), (True,), around=AROUND))
    assert codes(verdict) == ["stale_pods", "added_containers"]


def test_keys_that_cannot_be_read_leave_the_rung_unknown() -> None:
    secret = {"valueFrom": {"secretKeyRef": {"name": "aws", "key": "id", "optional": True}}}
    containers = [{"name": "app", "env": [{"name": "AWS_ACCESS_KEY_ID", **secret}]}]
    template = Template(OWNER, {"spec": {"serviceAccountName": "orders", "containers": containers}})
    verdict = judge(proven(template=template, contents={("Secret", "aws"): None}))
    assert (verdict["rung"], verdict["rungs"]["issued"], codes(verdict)) == ("injected", None, [])
    assert "AWS_ACCESS_KEY_ID of Secret aws" in verdict["stopped_by"]
    assert judge(proven(template=template, contents={("Secret", "aws"): {}}))["rung"] == "allowed"


def test_what_keeps_a_restart_from_ending_is_said_beside_it() -> None:
    spec = {"paused": True, "strategy": {"type": "Recreate"}, "template": {"metadata": {"labels": {"app": "orders"}}}}
    live = {"kind": "Deployment", "metadata": {"namespace": "shop", "name": "orders"}, "spec": spec}
    template = Template(OWNER, TEMPLATE.pod, workload=live)
    budget = {
        "metadata": {"namespace": "shop", "name": "few"},
        "spec": {"selector": {"matchLabels": {"app": "orders"}}},
        "status": {"disruptionsAllowed": 0},
    }
    given: dict[str, t.Any] = {"owners": {OWNER: template}, "room": Room(budgets=(budget,))}
    verdict = judge(Evidence(WORKLOAD, template, ASSOCIATION, (pod("a", ("app",)),), **given))
    (restart,) = verdict["restart"]
    assert restart["obstacle"].startswith("Deployment shop/orders is paused")
    assert "PodDisruptionBudget few allows no disruption" in restart["note"]
    assert verdict["restartable"] == [restart]


def with_variables(*names: str) -> Template:
    env = [{"name": name, "value": "x"} for name in names]
    return Template(OWNER, {"spec": {"serviceAccountName": "orders", "containers": [{"name": "m", "env": env}]}})


@pytest.mark.parametrize(
    ("name", "code"),
    [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "other_source"), ("AWS_PROFILE", "profile_missing")],
)
def test_a_pod_that_answered_for_itself_is_believed(name: str, code: str) -> None:
    template = with_variables(name)
    verdict = judge(proven(template=template))
    assert (codes(verdict), verdict["rungs"]["issued"]) == ([code], False)
    assert codes(judge(proven(template=template, issued=Issued("exec", True)))) == []
    elsewhere = Issued("ephemeral_container", True)
    assert codes(judge(proven(template=template, issued=elsewhere))), "it has neither the variables nor the SDK"


def test_the_remedy_for_a_bare_pod_of_irsa_copies_no_variable_of_it() -> None:
    owner = Owner("Pod", "shop", "bare")
    for names, copied in ((("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"), False), ((), True)):
        template = replace(with_variables(*names), owner=owner)
        seen = Evidence(Workload("bare", owner, ROLE), template, ASSOCIATION, (pod("bare", ("m",), owner),), (True,))
        (stale,) = [each for each in judge(seen, "injected")["findings"] if each["code"] == "stale_pods"]
        assert ("kubectl replace" in stale["remedy"]) == copied


def test_a_misspelt_annotation_is_named_though_nobody_asked() -> None:
    account = {"metadata": {"annotations": {"eks.amazonaws.com/pod-identity-association": "a-1"}}}
    seen = Evidence(Workload("x", OWNER, asked=False), TEMPLATE, None, (pod("a", ("app",)),), account=account)
    verdict = judge(seen)
    assert codes(verdict) == ["misspelt_annotation"]
    assert verdict["findings"][0]["remedy"].endswith("eks.amazonaws.com/pod-identity-association-")


ISSUED = Issued("eks_auth", True, "arn:aws:sts::123456789012:assumed-role/orders/a", pod="a")
OTHER = "Pod a acts as arn:aws:sts::123456789012:assumed-role/node/i-1 instead of " + ROLE
SAID: dict[str, tuple[Issued, bool | None, list[str], bool]] = {
    "the same": (Issued("exec", True, ISSUED.assumed_role_arn, "python with boto3", "a"), True, [], True),
    "nothing to ask with": (Issued("", None, pod="a", message="The image has nothing."), None, [], True),
    "none, by curl": (Issued("exec", False, tool="curl", pod="a", message="None"), False, ["agent_unreachable"], False),
    "none, by a wget that may lack options": (Issued("exec", False, tool="wget", pod="a"), None, [], True),
    "another role": (
        Issued("exec", False, "arn:aws:sts::123456789012:assumed-role/node/i-1", "curl", "a", OTHER),
        False,
        ["other_identity"],
        False,
    ),
    "none, in an ephemeral container": (
        Issued("ephemeral_container", False, tool="curl in an ephemeral container", pod="a", message="None"),
        False,
        ["agent_unreachable"],
        False,
    ),
    "an old SDK": (
        Issued("exec", True, tool="python", pod="a", sdk_error="ValueError"),
        False,
        ["sdk_without_credentials"],
        True,
    ),
}
"""What a pod says, whether that agrees with EKS, what is found, and whether the rung issued holds."""


@pytest.mark.parametrize(("asked", "agrees", "expected", "holds"), SAID.values(), ids=SAID)
def test_what_the_pod_itself_says_is_compared_with_what_eks_issued(
    asked: Issued, agrees: bool | None, expected: list[str], holds: bool
) -> None:
    seen = Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (pod("a"),), (True,), issued=ISSUED, asked=asked)
    verdict = judge(seen, "issued")
    assert (codes(verdict), verdict["rungs"]["issued"]) == (expected, holds)
    assert verdict["pod_asked"] is not None
    assert (verdict["pod_asked"]["agrees"], verdict["issued"]["how"]) == (agrees, "eks_auth")
    assert verdict["pod_asked"]["how"] == asked.how


def test_what_the_pod_says_is_left_out_where_another_finding_explains_it() -> None:
    """Keys of its own, or no agent on its node."""
    asked = Issued("exec", False, tool="curl", pod="a")
    container = {"name": "app", "env": [{"name": "AWS_ACCESS_KEY_ID", "value": "A"}]}
    keys = Template(OWNER, {"spec": {"serviceAccountName": "orders", "containers": [container]}})
    placed = replace(pod("a"), node="n")
    bare = replace(AROUND, agent=Agent("ACTIVE", "v1", (), {"n": ("agent", False)}))
    seen = Evidence(WORKLOAD, TEMPLATE, ASSOCIATION, (placed,), (True,), issued=ISSUED, asked=asked, around=AROUND)
    assert codes(judge(seen, "issued")) == ["agent_unreachable"]
    assert codes(judge(replace(seen, around=bare), "issued")) == ["agent_not_on_node"]
    assert "agent_unreachable" not in codes(judge(replace(seen, template=keys), "issued"))
