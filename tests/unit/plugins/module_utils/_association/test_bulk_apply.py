# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.enbuild.eks.plugins.module_utils._association.api import EksAssociations
from ansible_collections.enbuild.eks.plugins.module_utils._association.bulk_apply import read, select, settle_all
from ansible_collections.enbuild.eks.plugins.module_utils._association.bulk_plan import query, request
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline
from ansible_collections.enbuild.eks.plugins.module_utils._core.converge import Item
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_eks import ACCOUNT, FakeEks

ROLE_A, ROLE_B = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in "ab")
CREATE, UPDATE, DELETE, DESCRIBE, LIST = (
    f"{verb}_pod_identity_association{plural}"
    for verb, plural in (("create", ""), ("update", ""), ("delete", ""), ("describe", ""), ("list", "s"))
)


def item(service_account: str, namespace: str = "shop", **options: t.Any) -> dict[str, t.Any]:
    """One entry of the option ``associations`` as Ansible hands it over."""
    unset = dict.fromkeys(("target_role_arn", "disable_session_tags", "policy", "tags"))
    return {
        **unset,
        "namespace": namespace,
        "service_account": service_account,
        "state": "present",
        "role_arn": ROLE_A,
        "purge_tags": True,
        **options,
    }


def params(*items: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    defaults = {"namespaces": None, "purge": "false", "concurrency": 1, "allow_addon_owned": False}
    return {"cluster_name": "prod", "associations": list(items), **defaults, **options}


def planned(fake: FakeEks, *items: dict[str, t.Any], **options: t.Any) -> list[Item]:
    return read(EksAssociations(fake.client, "prod"), request(params(*items, **options)))


def done(fake: FakeEks, *items: dict[str, t.Any], **options: t.Any) -> list[Item]:
    todo = planned(fake, *items, **options)
    return settle_all(EksAssociations(fake.client, "prod"), todo, 1, Deadline(0))


def put(fake: FakeEks, service_account: str, namespace: str = "shop", **more: t.Any) -> None:
    fake.put(**{"namespace": namespace, "serviceAccount": service_account, "roleArn": ROLE_A, **more})


def held(fake: FakeEks) -> set[str]:
    return {f"{one['namespace']}/{one['serviceAccount']}" for one in fake.associations.values()}


def test_a_set_is_created_then_left_alone() -> None:
    fake = FakeEks()
    items = [item("a"), item("b", tags={"team": "shop"})]
    assert [one.plan.calls for one in done(fake, *items)] == [[CREATE], [CREATE]]
    assert all(one["tags"]["enbuild.eks/managed-by"] == "enbuild.eks" for one in fake.associations.values())
    fake.calls.clear()
    assert [one.plan.calls for one in done(fake, *items)] == [[], []]
    assert fake.calls == [LIST, DESCRIBE, DESCRIBE]


def test_each_item_gets_only_what_it_needs() -> None:
    fake = FakeEks()
    put(fake, "same")
    put(fake, "other", roleArn=ROLE_B)
    put(fake, "gone")
    items = [item("same"), item("other"), item("new"), item("gone", state="absent"), item("never", state="absent")]
    assert [one.plan.calls for one in done(fake, *items)] == [[], [UPDATE], [CREATE], [DELETE], []]
    assert held(fake) == {"shop/same", "shop/other", "shop/new"}


def test_only_what_is_in_scope_is_described() -> None:
    fake = FakeEks()
    for n in range(150):
        put(fake, f"sa-{n}")
        put(fake, f"sa-{n}", namespace="other")
    planned(fake, item("sa-1"), item("sa-2"))
    assert fake.calls == [LIST, LIST, DESCRIBE, DESCRIBE]
    assert fake.requests[0]["namespace"] == "shop"
    fake.calls.clear()
    planned(fake, item("sa-1"), namespaces=["shop", "other"])
    assert fake.calls == [LIST, LIST, LIST, DESCRIBE]
    fake.calls.clear()
    planned(fake, namespaces=["other"], purge="true")
    assert (fake.calls.count(LIST), fake.calls.count(DESCRIBE)) == (2, 150)


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        ("false", {"shop/mine", "shop/foreign", "shop/owned", "web/mine"}),
        ("true", {"shop/foreign", "shop/owned", "web/mine"}),
        ("all", {"shop/owned", "web/mine"}),
    ],
)
@pytest.mark.parametrize("scope", [["shop"], ["shop", "empty"]])
def test_purge_stays_in_scope(purge: str, left: set[str], scope: list[str]) -> None:
    fake = FakeEks()
    put(fake, "mine", tags=MANAGED_BY)
    put(fake, "foreign", tags={"enbuild.eks/managed-by": "somebody"})
    put(fake, "owned", tags=MANAGED_BY, ownerArn=f"arn:aws:eks:eu-west-1:{ACCOUNT}:addon/prod/x/1")
    put(fake, "mine", namespace="web", tags=MANAGED_BY)
    done(fake, item("kept"), namespaces=scope, purge=purge)
    assert held(fake) == {*left, "shop/kept"}


def test_without_namespaces_the_whole_cluster_is_purged() -> None:
    fake = FakeEks()
    put(fake, "mine", tags=MANAGED_BY)
    put(fake, "mine", namespace="web", tags=MANAGED_BY)
    assert [one.name for one in done(fake, item("kept"), purge="true")] == ["shop/kept", "shop/mine", "web/mine"]
    assert held(fake) == {"shop/kept"}


def test_one_failure_hides_nothing() -> None:
    fake = FakeEks()
    fake.refuse(CREATE, "AccessDeniedException", "Not you.")
    first, second = done(fake, item("a"), item("b"))
    assert first.row("association")["failed"]
    assert "Failed to create the association of service account shop/a" in first.row("association")["msg"]
    assert second.row("association")["changed"]
    assert held(fake) == {"shop/b"}


def test_what_cannot_be_described_is_neither_changed_nor_purged() -> None:
    fake = FakeEks()
    put(fake, "a", roleArn=ROLE_B, tags=MANAGED_BY)
    put(fake, "b", tags=MANAGED_BY)
    fake.refuse(DESCRIBE, "AccessDeniedException", "Not you.", times=2)
    items = done(fake, item("a"), item("c"), purge="true")
    assert [(one.name, one.row("association")["failed"]) for one in items] == [
        ("shop/a", True),
        ("shop/c", False),
        ("shop/b", True),
    ]
    assert held(fake) == {"shop/a", "shop/b", "shop/c"}


def test_refusals_come_together_before_any_change() -> None:
    fake = FakeEks()
    put(fake, "a", ownerArn=f"arn:aws:eks:eu-west-1:{ACCOUNT}:addon/prod/ebs/1")
    put(fake, "b")
    with pytest.raises(Refused) as refused:
        planned(fake, item("a"), item("b", role_arn="arn:aws:iam::210987654321:role/x"), item("c"))
    assert "shop/a in cluster prod is owned by add-on ebs" in str(refused.value)
    assert f"shop/b: role_arn arn:aws:iam::210987654321:role/x is not of account {ACCOUNT}" in str(refused.value)


def test_the_account_is_known_for_new_associations_from_others() -> None:
    fake = FakeEks()
    put(fake, "other")
    with pytest.raises(Refused, match=f"is not of account {ACCOUNT}"):
        planned(fake, item("new", role_arn="arn:aws:iam::210987654321:role/x"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (params(item("a"), item("b"), item("a")), "associations[0] and associations[2] are both shop/a"),
        (params(item("a"), item("b", role_arn="x")), "associations[1].role_arn 'x' is not the ARN"),
        (params(item("a"), namespaces=["web"]), "associations[0] shop/a is outside of the namespaces web"),
        (params(namespaces=["We_b"]), "namespaces 'We_b' is not a Kubernetes namespace"),
        (params(concurrency=0), "concurrency 0 is not between 1 and 64"),
        ({**params(), "cluster_name": "-"}, "cluster_name '-' is not the name of an EKS cluster"),
    ],
)
def test_bad_sets_are_refused(wrong: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        request(wrong)
    assert words in str(refused.value)


def test_select_is_complete_at_the_limit_of_a_cluster() -> None:
    fake = FakeEks()
    for n in range(5000):
        put(fake, f"sa-{n}")
    assert len({one["association_id"] for one in select(EksAssociations(fake.client, "prod"), asked())}) == 5000
    assert (fake.calls.count(LIST), fake.calls.count(DESCRIBE)) == (50, 5000)


def asked(**options: t.Any) -> t.Any:
    unset = dict.fromkeys(("namespace", "service_account", "association_id", "role_arn"))
    return query({"cluster_name": "prod", "concurrency": 4, **unset, **options})


def test_who_has_a_role_directly_or_by_a_target_role() -> None:
    fake = FakeEks()
    first, second = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("first", "second"))
    put(fake, "a", roleArn=first)
    put(fake, "b", roleArn=second, targetRoleArn=first)
    put(fake, "c", roleArn=second)
    last = "a-00000000000000003"
    eks = EksAssociations(fake.client, "prod")

    def names(**options: t.Any) -> list[str]:
        return [one["service_account"] for one in select(eks, asked(**options))]

    assert names(role_arn=first) == ["a", "b"]
    assert names(role_arn=second) == ["b", "c"]
    assert names(role_arn=first, service_account="c") == []
    assert names(role_arn=first, association_id=last) == []
    assert names(role_arn=second, association_id=last) == ["c"]
    assert names(role_arn="") == ["a", "b", "c"]


def test_select() -> None:
    fake = FakeEks()
    for namespace in ("web", "shop"):
        for name in ("b", "a"):
            put(fake, name, namespace=namespace)
    eks = EksAssociations(fake.client, "prod")

    def names(**options: t.Any) -> list[str]:
        return [f"{one['namespace']}/{one['service_account']}" for one in select(eks, asked(**options))]

    assert names() == ["shop/a", "shop/b", "web/a", "web/b"]
    assert names(namespace="shop", service_account="") == ["shop/a", "shop/b"]
    assert names(service_account="a") == ["shop/a", "web/a"]
    assert names(association_id="a-00000000000000001") == ["web/b"]
    assert names(association_id="a-00000000000000001", namespace="shop") == []
    assert names(association_id="a-00000000000000009") == []
    with pytest.raises(Refused, match="association_id 'x' is not the id"):
        asked(association_id="x")
    with pytest.raises(Refused, match="role_arn 'x' is not the ARN"):
        asked(role_arn="x")
    fake.refuse(DESCRIBE, "AccessDeniedException", "Not you.")
    with pytest.raises(AnsibleAWSError, match="Not you"):
        names()
