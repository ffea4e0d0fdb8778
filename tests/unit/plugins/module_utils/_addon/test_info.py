# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What eks_addon_info and eks_cluster_info return, and what a mistyped cluster's name leads to."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._addon.api import EksAddons
from ansible_collections.enbuild.eks.plugins.module_utils._addon.info import query, read_addons
from ansible_collections.enbuild.eks.plugins.module_utils._cluster.model import arn_of, missing, view
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.tests.unit.plugins.fake_addons import FakeAddons

ARN = "arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/prod"


def ask(fake: FakeAddons, **options: t.Any) -> t.Any:
    params = {
        "cluster_name": "prod",
        "names": None,
        "kubernetes_version": None,
        "versions": False,
        "pod_identity": False,
    }
    fake.calls.clear()
    return read_addons(EksAddons(fake.client, "prod"), query({**params, **options}))


def test_all_installed_addons_are_read_in_their_order() -> None:
    fake = FakeAddons()
    for name in ("other", "coredns"):
        fake.create_addon(name, addonVersion="v1")
    answer = ask(fake)
    assert [addon["name"] for addon in answer.addons] == ["other", "coredns"]
    assert answer.offers == []
    assert sorted(fake.calls) == ["describe_addon", "describe_addon", "list_addons"]


def test_offers_are_for_the_cluster_s_kubernetes_version_or_another() -> None:
    fake = FakeAddons()
    answer = ask(fake, names=["coredns"], versions=True)
    assert answer.addons == []
    assert answer.offers[0]["latest_version"] == "v1.9.3-eksbuild.10"
    assert answer.offers[0]["default_version"] == "v1.9.3-eksbuild.9"
    other = ask(fake, names=["coredns"], versions=True, kubernetes_version="1.35").offers[0]
    assert [version["version"] for version in other["versions"]] == ["v1.10.1-eksbuild.1", "v1.9.3-eksbuild.10"]
    assert "describe_cluster" not in fake.calls
    assert ask(fake, names=["coredns"], versions=True, kubernetes_version="1.20").offers[0]["default_version"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": ["cordns"], "versions": True}, "Near it: coredns"),
        ({"names": ["a/b"]}, "name 'a/b' is not"),
        ({"cluster_name": ""}, "cluster_name '' is not"),
        ({"kubernetes_version": "v1"}, "kubernetes_version 'v1'"),
    ],
)
def test_bad_questions_are_refused(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        ask(FakeAddons(), **options)


def test_a_cluster_that_is_being_created_is_shown_as_far_as_it_is_known() -> None:
    cluster = view({"name": "prod", "arn": ARN, "status": "CREATING"})
    assert (cluster["partition"], cluster["region"], cluster["account_id"]) == (
        "aws-us-gov",
        "us-gov-west-1",
        "123456789012",
    )
    assert (cluster["endpoint"], cluster["certificate_authority"], cluster["auto_mode"]) == (None, None, False)


def test_auto_mode_and_the_rest_are_read_where_aws_puts_them() -> None:
    raw = {
        "name": "prod",
        "arn": ARN,
        "status": "ACTIVE",
        "certificateAuthority": {"data": "TUlJQg=="},
        "computeConfig": {"enabled": True},
        "kubernetesNetworkConfig": {"ipFamily": "ipv6"},
        "identity": {"oidc": {"issuer": "https://oidc"}},
        "accessConfig": {"authenticationMode": "API"},
        "tags": {"CostCenter": "42"},
    }
    seen = {"certificate_authority": "TUlJQg==", "auto_mode": True, "ip_family": "ipv6", "oidc_issuer": "https://oidc"}
    assert seen.items() <= view(raw).items()
    assert view(raw)["tags"] == {"CostCenter": "42"}
    assert str(arn_of(view(raw))) == str(arn_of(ARN)) == ARN


@pytest.mark.parametrize(
    ("account", "names", "words"),
    [
        ("", None, "in region eu-west-1. Check"),
        ("123456789012", [], "of account 123456789012. There is no cluster at all. Check"),
        ("", ["dev", "prod", "a", "b", "c", "d", "production"], "Clusters there: prod, production, "),
    ],
)
def test_an_unknown_cluster_is_told_with_what_there_is(account: str, names: list[str] | None, words: str) -> None:
    text = missing("prodd", "eu-west-1", account, names)
    assert text.startswith("No EKS cluster named 'prodd' in region eu-west-1")
    assert words in text
    assert text.count(",") <= 6
