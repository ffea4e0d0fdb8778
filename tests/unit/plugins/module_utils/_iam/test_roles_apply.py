# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles in every state are driven to what is declared; those of somebody else only gain, or stop everything."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline, explain
from ansible_collections.enbuild.eks.plugins.module_utils._core.converge import Item
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.plugins.module_utils._iam.roles_apply import Roles
from ansible_collections.enbuild.eks.plugins.module_utils._iam.roles_model import request
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_policy import trust_policy
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_iam import ACCOUNT, FakeIam

Options = dict[str, t.Any]

PROD, TEST = (f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/{name}" for name in ("prod", "test"))
TRUST = trust_policy(PROD, "cluster")
OTHER_TRUST = trust_policy(TEST, "cluster")
GUIDE = trust_policy(PROD, "none")
S3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
CREATE, TRUSTING, PUT, ATTACH = "create_role", "update_assume_role_policy", "put_role_policy", "attach_role_policy"


def policy(*actions: str) -> Options:
    statements = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in actions]
    return {"Version": "2012-10-17", "Statement": statements}


def item(name: str = "shop", **options: t.Any) -> Options:
    """One entry of the option ``roles`` as Ansible passes it."""
    texts = ("path", "description", "policy", "policy_name", "boundary")
    unset = dict.fromkeys((*texts, "managed_policies", "service_accounts", "tags"))
    flags = {"purge_tags": True, "purge_policies": False}
    return {**unset, **flags, "role_name": name, "trust_policy": TRUST, **options}


def roles(fake: FakeIam, *items: Options, seconds: float = 60, **options: t.Any) -> Roles:
    quotas = {"trust_policy_quota": 2048, "managed_policies_quota": 10}
    params = {"roles": list(items), "state": "present", "adopt": False, "report_unlisted": False, **quotas, **options}
    now = [0.0]
    deadline = Deadline(seconds, lambda: now[0], lambda pause: now.__setitem__(0, now[0] + pause))
    return Roles(fake.client, request(params), deadline)


def done(fake: FakeIam, *items: Options, **options: t.Any) -> list[Item]:
    each = roles(fake, *items, **options)
    return each.apply(each.items())


def calls(items: list[Item]) -> list[list[str]]:
    return [one.plan.calls for one in items]


STATES: dict[str, Options] = {
    "plain": {},
    "other trust": {"trust_policy": OTHER_TRUST},
    "policy": {"policy": policy("s3:*")},
    "other policy": {"policy": policy("s3:GetObject", "s3:ListBucket")},
    "named policy": {"policy": policy("s3:*"), "policy_name": "use"},
    "attached": {"managed_policies": [S3, ADMIN]},
    "other attached": {"managed_policies": [ADMIN]},
    "tagged": {"tags": {"team": "shop"}},
    "all": {"tags": {"team": "web"}, "managed_policies": [S3], "policy": policy("s3:*"), "boundary": BOUNDARY},
}


@pytest.mark.parametrize("first", STATES)
@pytest.mark.parametrize("second", STATES)
def test_every_state_becomes_every_other_and_then_nothing_changes(first: str, second: str) -> None:
    fake = FakeIam()
    exact: Options = {"purge_policies": True}
    (made,) = done(fake, item(**STATES[first], **exact))
    assert made.plan.calls[0] == CREATE
    predicted = roles(fake, item(**STATES[second], **exact)).items()
    (after,) = done(fake, item(**STATES[second], **exact))
    assert (after.error, after.plan.calls, after.plan.after) == (None, predicted[0].plan.calls, predicted[0].plan.after)
    held, wanted = fake.roles["shop"], STATES[second]
    assert held["AssumeRolePolicyDocument"] == wanted.get("trust_policy", TRUST)
    assert held["policies"] == ({wanted.get("policy_name", "shop"): wanted["policy"]} if "policy" in wanted else {})
    assert sorted(held["attached"]) == sorted(wanted.get("managed_policies", []))
    fake.calls.clear()
    assert calls(done(fake, item(**wanted, **exact))) == [[]]
    assert fake.writes() == []


def test_only_what_is_compared_is_read() -> None:
    fake = FakeIam()
    items = [item("ai", policy=policy("bedrock:*")), item("ctf", managed_policies=[S3])]
    made = done(fake, *items)
    assert calls(made) == [[CREATE, PUT], [CREATE, ATTACH]]
    assert made[0].plan.after["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/ai"
    fake.calls.clear()
    assert calls(done(fake, *items)) == [[], []]
    assert sorted(fake.calls) == ["get_role", "get_role", "get_role_policy", "list_attached_role_policies"]


def test_a_new_role_carries_all_that_is_declared() -> None:
    fake = FakeIam()
    (made,) = done(fake, item(path="/pods/", description="Shop", boundary=BOUNDARY, tags={"team": "shop"}))
    held = fake.roles["shop"]
    assert (held["Path"], held["Description"]) == ("/pods/", "Shop")
    assert held["PermissionsBoundary"] == {"PermissionsBoundaryArn": BOUNDARY}
    assert {tag["Key"]: tag["Value"] for tag in held["Tags"]} == {**MANAGED_BY, "team": "shop"}
    assert made.plan.after["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/pods/shop"


def test_what_others_put_on_a_role_of_ours_stays_unless_purged() -> None:
    fake = FakeIam()
    more: Options = {"policies": {"theirs": policy("ec2:*")}, "attached": [ADMIN]}
    fake.put("shop", TRUST, {**MANAGED_BY, "cost": "7"}, **more)
    declared: Options = {"managed_policies": [S3], "policy": policy("s3:*"), "tags": {"team": "shop"}}
    (kept,) = done(fake, item(**declared, purge_tags=False))
    assert kept.plan.calls == ["tag_role", ATTACH, PUT]
    held = fake.roles["shop"]
    assert (sorted(held["policies"]), held["attached"]) == (["shop", "theirs"], [ADMIN, S3])
    (purged,) = done(fake, item(**declared, purge_policies=True))
    assert purged.plan.calls == ["untag_role", "detach_role_policy", "delete_role_policy"]
    assert [each["what"] for each in purged.words["differences"]] == [["tags.cost"], [ADMIN], []]


def test_differences_name_what_a_run_changes() -> None:
    fake = FakeIam()
    fake.put("shop", OTHER_TRUST, {**MANAGED_BY, "team": "web"}, policies={"shop": policy("s3:GetObject")})
    wanted = [
        item(policy=policy("s3:*"), managed_policies=[S3], boundary=BOUNDARY, tags={"team": "shop"}),
        item("new", managed_policies=[S3, ADMIN], policy=policy("s3:*")),
    ]
    each = roles(fake, *wanted)
    planned = each.items()
    told = each.summary(planned)["differences"]
    assert told == [
        {
            "kind": "role",
            "name": "shop",
            "action": "update",
            "what": ["trust policy", f"boundary none -> {BOUNDARY}", "tags.team"],
        },
        {"kind": "managed_policy", "name": "shop/AmazonS3FullAccess", "action": "create", "what": [S3]},
        {"kind": "role", "name": "new", "action": "create", "what": [S3, ADMIN]},
        {"kind": "policy", "name": "shop/shop", "action": "update", "what": []},
        {"kind": "policy", "name": "new/new", "action": "create", "what": []},
    ]
    assert each.summary(each.apply(planned))["differences"] == told


def test_unlisted_policies_of_a_role_of_ours_are_told() -> None:
    fake = FakeIam()
    more: Options = {"policies": {"theirs": policy("ec2:*"), "ours": policy("s3:*")}, "attached": [ADMIN, S3]}
    fake.put("ours", TRUST, MANAGED_BY, **more)
    fake.put("theirs", TRUST, **more)
    declared = [item(name, policy=policy("s3:*"), managed_policies=[S3]) for name in ("ours", "theirs")]
    found = roles(fake, declared[0], {**declared[1], "policy": None}, report_unlisted=True).items()
    assert [each.words["unlisted"] for each in found] == [
        [
            {"kind": "policy", "name": "ours/theirs", "what": []},
            {"kind": "managed_policy", "name": "ours/AdministratorAccess", "what": [ADMIN]},
        ],
        [],
    ]


# Roles of somebody else.


def test_one_that_is_as_declared_is_left_alone() -> None:
    fake = FakeIam()
    mixed = {**TRUST, "Statement": [EC2, *TRUST["Statement"]]}
    fake.put("shop", mixed, policies={"shop": policy("s3:*", "ec2:*")}, attached=[ADMIN, S3])
    wanted = item(policy=policy("s3:*"), managed_policies=[S3])
    assert calls(done(fake, wanted)) == [[]]
    assert calls(done(fake, wanted, adopt=True)) == [[]]


def test_one_for_pods_alone_only_gains() -> None:
    fake = FakeIam()
    fake.put(
        "shop", GUIDE, {"team": "theirs"}, policies={"shop": policy("ec2:*"), "x": policy("x:*")}, attached=[ADMIN]
    )
    wanted = item(policy=policy("s3:*"), managed_policies=[S3], tags={"team": "ours", "more": "1"}, purge_policies=True)
    (made,) = done(fake, wanted)
    assert made.plan.calls == [TRUSTING, "tag_role", ATTACH, PUT]
    held = fake.roles["shop"]
    assert held["AssumeRolePolicyDocument"]["Statement"] == [
        *GUIDE["Statement"],
        {**TRUST["Statement"][0], "Sid": "EksPodIdentity1"},
    ]
    assert held["policies"] == {"shop": policy("ec2:*", "s3:*"), "x": policy("x:*")}
    assert held["attached"] == [ADMIN, S3]
    assert held["Tags"] == [{"Key": "team", "Value": "theirs"}, {"Key": "more", "Value": "1"}]
    assert calls(done(fake, wanted)) == [[]]


STRANGERS = {
    "an instance's": ([EC2], "ec2.amazonaws.com"),
    "an instance's and a pod's": ([EC2, *GUIDE["Statement"]], "ec2.amazonaws.com, pods.eks.amazonaws.com"),
    "one for all but pods": (
        [{"Effect": "Allow", "NotPrincipal": GUIDE["Statement"][0]["Principal"], "Action": "sts:AssumeRole"}],
        "pods.eks.amazonaws.com",
    ),
    "anybody's": ([{**EC2, "Principal": "*"}], r"\*"),
    "nobody's": ([{**EC2, "Effect": "Deny"}], "nobody"),
}


@pytest.mark.parametrize(("statements", "users"), STRANGERS.values(), ids=STRANGERS)
def test_any_other_stops_all_and_is_named_with_who_uses_it(statements: list[t.Any], users: str) -> None:
    fake = FakeIam()
    fake.put("shop", {"Version": "2012-10-17", "Statement": statements})
    wanted = [item("new"), item()]
    with pytest.raises(Refused, match=rf"^No role was changed\. Role shop was .* lets in {users}\. .*adopt"):
        done(fake, *wanted)
    assert fake.writes() == []
    assert calls(done(fake, *wanted, adopt=True)) == [[CREATE], [TRUSTING]]
    assert fake.roles["shop"]["AssumeRolePolicyDocument"]["Statement"][: len(statements)] == statements


def account(name: str, cluster: str = PROD, namespace: str = "shop", session_tags: bool = True) -> Options:
    return {
        "cluster_arn": cluster,
        "namespace": namespace,
        "service_account": name,
        "session_tags": session_tags,
    }


def test_one_that_lets_the_service_accounts_in_gets_no_statement() -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE)
    assert calls(done(fake, item(service_accounts=[account("a"), account("b", TEST, "x", False)]))) == [[]]


def test_it_is_opened_for_the_service_accounts_alone_that_it_keeps_out() -> None:
    fake = FakeIam()
    theirs = trust_policy(PROD, "service_account", namespace="shop", service_account="a")
    fake.put("shop", theirs)
    wanted = item(service_accounts=[account("a"), account("b"), account("c"), account("d", TEST, "x")])
    assert calls(done(fake, wanted)) == [[TRUSTING]]
    first, here, there = fake.roles["shop"]["AssumeRolePolicyDocument"]["Statement"]
    assert [first] == theirs["Statement"]
    tags = "aws:RequestTag/kubernetes-"
    assert here["Condition"] == {
        "ArnEquals": {"aws:SourceArn": PROD},
        "StringEquals": {
            "aws:SourceAccount": ACCOUNT,
            "aws:RequestTag/eks-cluster-arn": PROD,
            f"{tags}namespace": "shop",
            f"{tags}service-account": ["b", "c"],
        },
    }
    assert there["Condition"]["ArnEquals"] == {"aws:SourceArn": TEST}
    assert there["Condition"]["StringEquals"][f"{tags}service-account"] == "d"
    assert calls(done(fake, wanted)) == [[]]


def test_without_session_tags_it_is_opened_for_the_cluster() -> None:
    fake = FakeIam()
    fake.put("shop", OTHER_TRUST)
    wanted = item(service_accounts=[account("a", session_tags=False)])
    assert calls(done(fake, wanted)) == [[TRUSTING]]
    added = fake.roles["shop"]["AssumeRolePolicyDocument"]["Statement"][1]
    assert added["Condition"] == TRUST["Statement"][0]["Condition"]
    assert calls(done(fake, wanted)) == [[]]


def test_one_that_denies_the_service_account_stops_all() -> None:
    fake = FakeIam()
    denying = {**GUIDE["Statement"][0], "Sid": "No", "Effect": "Deny"}
    fake.put("shop", {**GUIDE, "Statement": [*GUIDE["Statement"], denying]})
    with pytest.raises(Refused, match=r"can't be adopted: .* for shop/a: .* denies sts:AssumeRole .*\(No\)\.$"):
        done(fake, item(service_accounts=[account("a")]))
    assert fake.writes() == []


def test_a_role_of_ours_has_the_declared_trust_whoever_is_let_in() -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE, MANAGED_BY)
    assert calls(done(fake, item("new", service_accounts=[account("a")]))) == [[CREATE]]
    assert calls(done(fake, item(service_accounts=[account("a")]))) == [[TRUSTING]]
    for name in ("new", "shop"):
        assert fake.roles[name]["AssumeRolePolicyDocument"]["Statement"] == TRUST["Statement"]


def test_a_boundary_is_never_put_on_it() -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE)
    with pytest.raises(Refused, match=f"boundary is none, not {BOUNDARY}.*set it yourself"):
        done(fake, item(boundary=BOUNDARY), adopt=True)


# What IAM would refuse halfway.


def test_a_trust_policy_that_is_too_long_stops_all() -> None:
    fake = FakeIam()
    grown = trust_policy(PROD, "service_account", namespace="shop", service_account="a")
    statement = grown["Statement"][0]
    long = {**grown, "Statement": [{**statement, "Sid": f"S{n}"} for n in range(6)]}
    with pytest.raises(Refused, match=r"would have 2,\d\d\d characters \(it has 0\), and IAM allows 2,048"):
        done(fake, item("fine"), item(trust_policy=long))
    assert fake.writes() == []
    assert calls(done(fake, item(trust_policy=long), trust_policy_quota=4096)) == [[CREATE]]
    assert calls(done(fake, item(trust_policy=long))) == [[]]


def test_a_trust_policy_that_grows_too_long_by_adoption_stops_all() -> None:
    fake = FakeIam()
    statement = trust_policy(PROD, "service_account", namespace="shop", service_account="a")["Statement"][0]
    fake.put("shop", {**TRUST, "Statement": [{**statement, "Sid": f"S{n}"} for n in range(4)]})
    for wanted in (item(), item(service_accounts=[account("b", TEST)])):
        words = r"would have 2,\d\d\d characters \(it has 1,\d\d\d\), and IAM allows 2,048 .*statement of your own"
        with pytest.raises(Refused, match=words):
            done(fake, wanted)
    assert fake.writes() == []


def test_other_limits_stop_all() -> None:
    fake = FakeIam()
    with pytest.raises(Refused, match=r"has 1\d,\d\d\d characters, and IAM allows 10,240"):
        done(fake, item(policy=policy(*(f"s3:Action{n:040}" for n in range(150)))))
    arns = [f"arn:aws:iam::{ACCOUNT}:policy/p{n}" for n in range(11)]
    with pytest.raises(Refused, match=r"would have 11 managed policies \(it has 0\), and IAM allows 10"):
        done(fake, item(managed_policies=arns))
    fake.put("shop", TRUST, MANAGED_BY, Path="/pods/")
    with pytest.raises(Refused, match="exists under the path /pods/, not /"):
        done(fake, item(path="/"))
    assert fake.writes() == []


# Others who write at the same time, and what IAM doesn't show yet.


def add(fake: FakeIam, document: Options) -> None:
    held = fake.roles["shop"]["AssumeRolePolicyDocument"]
    fake.roles["shop"]["AssumeRolePolicyDocument"] = {**held, "Statement": [*held["Statement"], *document["Statement"]]}


@pytest.mark.parametrize("tags", [MANAGED_BY, {}], ids=["ours", "somebody else's"])
def test_two_runs_at_once_end_with_both_statements(tags: t.Any) -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE, tags)
    each = roles(fake, item())
    planned = each.items()
    done(fake, item(trust_policy=OTHER_TRUST))
    (made,) = each.apply(planned)
    assert made.plan.calls == [TRUSTING]
    arns = str(fake.roles["shop"]["AssumeRolePolicyDocument"])
    assert (PROD in arns, TEST in arns) == (True, True)


@pytest.mark.parametrize("tags", [MANAGED_BY, {}], ids=["ours", "somebody else's"])
def test_a_statement_that_another_run_overwrites_is_written_again(tags: t.Any) -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE, tags)
    theirs = {**GUIDE, "Statement": [*GUIDE["Statement"], *OTHER_TRUST["Statement"]]}
    each = roles(fake, item())
    planned = each.items()
    fake.first("get_role", lambda: None)
    fake.first("get_role", lambda: fake.roles["shop"].update(AssumeRolePolicyDocument=theirs))
    (made,) = each.apply(planned)
    assert (made.error, made.plan.calls) == (None, [TRUSTING, TRUSTING])
    arns = str(fake.roles["shop"]["AssumeRolePolicyDocument"])
    assert (PROD in arns, TEST in arns) == (True, True)


def test_two_runs_that_create_one_role_end_with_both_statements() -> None:
    fake = FakeIam()
    each = roles(fake, item())
    planned = each.items()
    done(fake, item(trust_policy=OTHER_TRUST))
    (made,) = each.apply(planned)
    assert (made.error, made.plan.calls) == (None, [TRUSTING])
    assert {PROD, TEST} == {
        one["Condition"]["ArnEquals"]["aws:SourceArn"]
        for one in fake.roles["shop"]["AssumeRolePolicyDocument"]["Statement"]
    }


def test_a_statement_that_is_revoked_meanwhile_does_not_come_back() -> None:
    fake = FakeIam()
    fake.put("shop", {**GUIDE, "Statement": [*GUIDE["Statement"], *OTHER_TRUST["Statement"]]})
    each = roles(fake, item())
    planned = each.items()
    fake.roles["shop"]["AssumeRolePolicyDocument"] = GUIDE
    each.apply(planned)
    assert TEST not in str(fake.roles["shop"]["AssumeRolePolicyDocument"])


def test_a_role_that_turns_into_somebody_else_s_is_not_changed() -> None:
    fake = FakeIam()
    each = roles(fake, item(), item("new"))
    planned = each.items()
    fake.put("shop", {**GUIDE, "Statement": [EC2]})
    first, second = each.apply(planned)
    assert "lets in ec2.amazonaws.com" in str(first.error)
    assert fake.roles["shop"]["AssumeRolePolicyDocument"]["Statement"] == [EC2]
    assert (second.error, second.plan.calls) == (None, [CREATE])


def test_a_role_that_others_keep_changing_is_given_up() -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE, MANAGED_BY)
    each = roles(fake, item())
    planned = each.items()
    for _number in range(50):
        fake.first("get_role", lambda: add(fake, policy(f"sts:{len(fake.calls)}")))
    (made,) = each.apply(planned)
    assert "was changed by somebody else each time" in explain(t.cast(AnsibleAWSError, made.error))["msg"]
    assert fake.writes() == []


@pytest.mark.parametrize("code", ["ConcurrentModification", "ConcurrentModificationException"])
def test_a_busy_role_is_waited_for(code: str) -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE, MANAGED_BY)
    fake.refuse(TRUSTING, code, times=3)
    assert calls(done(fake, item())) == [[TRUSTING]]


def test_what_a_new_role_s_first_calls_do_not_see_is_waited_for() -> None:
    fake = FakeIam()
    for call in (PUT, ATTACH):
        fake.refuse(call, "NoSuchEntity", "The role with name shop cannot be found.", times=2)
    (made,) = done(fake, item(policy=policy("s3:*"), managed_policies=[S3]))
    assert (made.error, made.plan.calls) == (None, [CREATE, ATTACH, PUT])


def test_a_policy_that_is_not_there_is_not_waited_for() -> None:
    fake = FakeIam()
    fake.refuse(ATTACH, "NoSuchEntity", f"Policy {S3} does not exist or is not attachable.", times=99)
    (made,) = done(fake, item(managed_policies=[S3]))
    assert made.row("role")["msg"] == (
        f"Failed to attach {S3} to role shop: Policy {S3} does not exist or is not attachable."
    )
    assert fake.calls.count(ATTACH) == 1


def test_a_role_that_is_taken_and_not_yet_seen_is_looked_for_again() -> None:
    fake = FakeIam()
    each = roles(fake, item())
    planned = each.items()
    fake.put("shop", TRUST, MANAGED_BY)
    fake.refuse("get_role", "NoSuchEntity", times=2)
    (made,) = each.apply(planned)
    assert (made.error, made.plan.calls, made.plan.after["role_arn"]) == (None, [], fake.roles["shop"]["Arn"])


def test_a_role_that_was_created_though_the_answer_was_lost_is_our_change() -> None:
    fake = FakeIam()
    each = roles(fake, item(policy=policy("s3:*")))
    planned = each.items()
    fake.first(CREATE, lambda: fake.put("shop", TRUST, MANAGED_BY))
    fake.refuse(CREATE, "EntityAlreadyExists", retried=1)
    (made,) = each.apply(planned)
    assert made.plan.calls == [CREATE, PUT]


def test_a_role_that_is_deleted_meanwhile_is_created_again() -> None:
    fake = FakeIam()
    fake.put("shop", GUIDE, MANAGED_BY)
    each = roles(fake, item())
    planned = each.items()
    del fake.roles["shop"]
    (made,) = each.apply(planned)
    assert (made.error, made.plan.calls) == (None, [CREATE])


# One role's failure hides neither the others nor what was changed of it.


def test_a_role_that_cannot_be_read_fails_alone() -> None:
    fake = FakeIam()
    fake.refuse("get_role", "AccessDenied", "Not you.")
    first, second = done(fake, item("a"), item("b"))
    failed, made = sorted([first, second], key=lambda each: each.error is None)
    assert (failed.row("role")["failed"], failed.row("role")["changes"]) == (True, [])
    assert "Not you" in failed.row("role")["msg"]
    assert made.plan.calls == [CREATE]


def test_a_role_that_is_half_made_says_so() -> None:
    fake = FakeIam()
    fake.refuse(PUT, "AccessDenied", "Not you.")
    (failed,) = done(fake, item(policy=policy("s3:*")))
    row = failed.row("role")
    assert (row["failed"], row["changed"], row["changes"]) == (True, True, [CREATE])
    assert row["differences"] == [{"kind": "role", "name": "shop", "action": "create", "what": []}]
    assert row["msg"].startswith("Failed to write policy shop of role shop: Not you.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"role_name": "a b"}, "role_name 'a b' is not what IAM takes"),
        ({"path": "pods"}, "path 'pods' is not what IAM takes"),
        ({"boundary": "x"}, "boundary 'x' is not what IAM takes (the ARN of a policy)"),
        ({"managed_policies": ["AmazonS3FullAccess"]}, "managed_policies 'AmazonS3FullAccess' is not what IAM takes"),
        ({"policy": "{nonsense"}, "policy: The policy is not JSON"),
        ({"trust_policy": "{}"}, "trust_policy: The policy has no Statement"),
        ({"description": "x" * 1001}, "description has 1001 characters, and IAM takes 1,000"),
        ({"tags": {"aws:x": "1"}}, "reserved for AWS"),
    ],
)
def test_bad_input_is_refused_before_any_call(options: Options, words: str) -> None:
    fake = FakeIam()
    with pytest.raises(Refused) as refused:
        done(fake, item("first"), item(**options))
    assert str(refused.value).startswith("roles[1].")
    assert words in str(refused.value)
    assert fake.calls == []


def test_a_role_is_named_once() -> None:
    with pytest.raises(Refused, match="names Shop, shop more than once"):
        roles(FakeIam(), item("shop"), item("Shop"))


@pytest.mark.parametrize("first", STATES)
def test_a_role_of_ours_goes_from_any_state_and_then_nothing_changes(first: str) -> None:
    fake = FakeIam()
    done(fake, item(**STATES[first]))
    fake.roles["shop"]["policies"]["theirs"] = policy("ec2:*")
    gone = item(trust_policy=None)
    predicted = roles(fake, gone, state="absent").items()
    (after,) = done(fake, gone, state="absent")
    assert (after.error, after.plan.calls, after.plan.after) == (None, predicted[0].plan.calls, {})
    assert after.plan.calls[-1] == "delete_role"
    assert [(row["kind"], row["action"]) for row in after.words["differences"]] == [("role", "delete")]
    assert fake.roles == {}
    assert calls(done(fake, gone, state="absent")) == [[]]


def test_a_role_that_somebody_else_deletes_meanwhile_is_gone_too() -> None:
    fake = FakeIam()
    done(fake, item())
    fake.first("delete_role", lambda: fake.roles.pop("shop"))
    (after,) = done(fake, item(), state="absent")
    assert (after.error, fake.roles) == (None, {})


def test_no_role_is_deleted_where_one_is_somebody_elses() -> None:
    fake = FakeIam()
    done(fake, item())
    fake.put("theirs", TRUST)
    with pytest.raises(Refused, match="Role theirs was not created"):
        done(fake, item(), item("theirs"), state="absent")
    assert set(fake.roles) == {"shop", "theirs"}


def test_a_role_that_goes_leaves_its_instance_profile_first() -> None:
    fake = FakeIam()
    done(fake, item())
    fake.profiles = ["web"]
    assert calls(done(fake, item(), state="absent")) == [["remove_role_from_instance_profile", "delete_role"]]
    assert fake.profiles == []


def test_a_role_that_is_present_needs_a_trust_policy() -> None:
    with pytest.raises(Refused, match=r"roles\[0\].trust_policy is missing"):
        roles(FakeIam(), item(trust_policy=None))
