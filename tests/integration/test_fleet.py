# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet over three accounts and two regions: found, brought to its declared state, whatever stops some of it."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.inventory.eks_clusters import EXAMPLES
from ansible_collections.enbuild.eks.tests.integration.fleet import REGIONS, ROLE, FleetOnLab, Member
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun

pytestmark = pytest.mark.lab

TWO, THREE, LOCKED = "222222222222", "333333333333", "444444444444"
US, EU = REGIONS
ALPHA, OTHER_ALPHA, BETA = f"prod-alpha.{US}.123456789012", f"prod-alpha.{US}.{TWO}", "prod-beta"
GONE, UNREACHABLE, STRANGER = "gamma", "delta", "epsilon"
HEALTHY = (ALPHA, OTHER_ALPHA, BETA)
MEMBERS = (
    Member(ALPHA, "prod-alpha", US, tags=(("Fleet", "yes"), ("Team", "shop"))),
    Member(BETA, "prod-beta", EU, auto_mode=True),
    Member(OTHER_ALPHA, "prod-alpha", US, TWO),
    Member(GONE, "gamma", EU, TWO),
    Member(UNREACHABLE, "delta", US, THREE),
    Member(STRANGER, "epsilon", EU, THREE, known=False),
)
SESSION_TOKEN = "FQoGZXIvYXdzE"


@pytest.fixture(scope="module")
def fleet(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[FleetOnLab]:
    lab.reset()
    made = FleetOnLab(lab, tmp_path_factory.mktemp("fleet"), MEMBERS)
    made.deploy()
    yield made
    made.clear()
    lab.reset()


def listed(fleet: FleetOnLab, folder: Path | None = None, **environment: str) -> tuple[t.Any, str]:
    """The inventory as ansible-inventory shows it, and what it warns of."""
    command = ["ansible-inventory", "-i", str(fleet.inventory), "--list"]
    given = {**fleet.lab.environment(), **environment}
    done = subprocess.run(command, env=given, cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(done.stdout, object_hook=plain), " ".join(done.stderr.split())


def graph(fleet: FleetOnLab) -> str:
    """The groups and hosts as ansible-inventory draws them."""
    command = ["ansible-inventory", "-i", str(fleet.inventory), "--graph"]
    return subprocess.run(command, env=fleet.lab.environment(), check=True, capture_output=True, text=True).stdout


def plain(given: dict[str, t.Any]) -> t.Any:
    """What ansible-inventory marks as text that is no template, as the text."""
    return given.get("__ansible_unsafe", given)


def test_the_inventory_finds_the_fleet_and_asks_for_no_more(fleet: FleetOnLab, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path)}
    fleet.configure(exclude=["lab"], keyed_groups=[{"key": "eks_cluster.tags.Team", "prefix": "team"}], **cache)
    fleet.lab.forget_calls()
    found, warned = listed(fleet)
    assert fleet.lab.calls()["calls"] == {
        "eks": {"DescribeCluster": len(MEMBERS), "ListClusters": 6},
        "sts": {"AssumeRole": 2},
    }
    assert not warned
    variables = found["_meta"]["hostvars"]
    assert set(variables) == {member.host for member in MEMBERS}
    assert {
        name: value for name, value in variables[GONE].items() if name.startswith("eks_") and name != "eks_cluster"
    } == {
        "eks_cluster_name": "gamma",
        "eks_region": EU,
        "eks_assume_role_arn": f"arn:aws:iam::{TWO}:role/operator",
        "eks_assume_role_external_id": "acme",
    }
    groups = {name: set(group.get("hosts", ())) for name, group in found.items() if name != "_meta"}
    assert groups["account_222222222222"] == {OTHER_ALPHA, GONE}
    assert groups["region_us_east_1"] == {ALPHA, OTHER_ALPHA, UNREACHABLE}
    assert (groups["team_shop"], groups["tag_Team_shop"], groups["auto_mode"]) == ({ALPHA}, {ALPHA}, {BETA})
    assert groups["status_ACTIVE"] == groups["version_1_36"] == set(variables)
    assert SESSION_TOKEN not in "".join(path.read_text() for path in tmp_path.iterdir())
    fleet.lab.forget_calls()
    assert listed(fleet) == (found, "")
    assert f"@account_222222222222:\n  |  |--{GONE}\n  |  |--{OTHER_ALPHA}" in graph(fleet)
    assert fleet.lab.calls()["total"] == 0


@pytest.mark.parametrize(("number", "hosts"), [(0, {"lab", "prod-alpha", "prod-beta"}), (1, set(HEALTHY))])
def test_the_examples_run(fleet: FleetOnLab, tmp_path: Path, number: int, hosts: set[str]) -> None:
    keys = {"aws_access_key_id": fleet.lab.access_key_id, "aws_secret_access_key": fleet.lab.secret_access_key}
    lines = [f"{name} = {value}" for name, value in keys.items()]
    (tmp_path / "credentials").write_text("\n".join(["[platform]", *lines]))
    fleet.inventory.write_text(EXAMPLES.split("---\n")[number])
    found, warned = listed(fleet, tmp_path, AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"))
    assert (set(found["_meta"]["hostvars"]), warned) == (hosts, "")
    if number:
        assert set(found["team_shop"]["hosts"]) == {ALPHA}
        assert set(found["usable"]["hosts"]) == hosts
        assert found["_meta"]["hostvars"][ALPHA]["eks_profile"] == "platform"
        assert found["_meta"]["hostvars"][OTHER_ALPHA]["enbuild_ctf_buckets"] == [f"ctf-{TWO}"]


def test_an_account_that_lets_nobody_in_is_named_and_the_others_are_found(fleet: FleetOnLab) -> None:
    locked = f"arn:aws:iam::{LOCKED}:role/operator"
    fleet.configure(accounts=[{"assume_role_arn": locked}, {"profile": ""}], regions=[US], include=["prod-alpha"])
    found, warned = listed(fleet)
    assert set(found["_meta"]["hostvars"]) == {"prod-alpha"}
    assert f"Nothing of account {LOCKED} (role {locked}) is in the inventory" in warned
    assert "is not authorized to perform: sts:AssumeRole" in warned
    fleet.configure(accounts=[{"assume_role_arn": locked}, {"profile": ""}], regions=[US], strict_accounts=True)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        listed(fleet, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert LOCKED in failed.value.stderr


@pytest.fixture(scope="module")
def site(fleet: FleetOnLab) -> PlaybookRun:
    """One site.yml over the fleet: a cluster out of reach, one that knows nobody, one that is deleted on the way."""
    fleet.configure()
    fleet.lab.change_cluster(fleet.arns[UNREACHABLE], reachable=False)
    deleted = {"service": "eks", "operation": "CreateAddon", "deletes": fleet.arns[GONE]}
    fleet.lab.faults([deleted, {"service": "iam", "operation": "CreateRole", "when": "after"}])
    fleet.lab.forget_calls()
    return fleet.run("site")


def test_those_that_can_be_reached_end_in_the_declared_state(fleet: FleetOnLab, site: PlaybookRun) -> None:
    assert site.returncode == 2, site.output[-5000:]
    for host in HEALTHY:
        member = fleet.member(host)
        arn = f"arn:aws:iam::{member.account or fleet.lab.account_id}:role/{ROLE}"
        assert fleet.associated(host) == {f"{member.namespace}/orders": arn}, site.output[-5000:]
    roles = fleet.lab.calls()["calls"]["iam"]
    assert roles["CreateRole"] in (3, 4), (
        "one for each account that has a cluster that got so far, and again where a reply was lost"
    )


def test_the_summary_tells_which_stopped_and_why(site: PlaybookRun) -> None:
    summary = site.tasks["Report the run"]
    assert 'gamma stopped at "' in summary
    assert "No cluster found for name: gamma" in summary or "No EKS cluster named 'gamma'" in summary
    assert 'delta stopped at "' in summary
    assert 'epsilon stopped at "Find the service accounts of the declared workloads": ' in summary, summary
    assert "Unauthorized" in summary
    assert not [host for host in HEALTHY if f"{host} stopped" in summary], summary


def test_a_second_run_changes_nothing_and_leaks_nothing(fleet: FleetOnLab, site: PlaybookRun, tmp_path: Path) -> None:
    fleet.configure(include=["prod-*"])
    fleet.lab.forget_calls()
    cache = {"ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path)}
    again = fleet.run("site", "-vvv", environment=cache)
    assert (again.returncode, again.recap("changed")) == (0, 0), again.output[-5000:]
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert SESSION_TOKEN not in again.output + kept
    calls = fleet.lab.calls()["calls"]
    assert calls["sts"]["AssumeRole"] == 3, "one for each role by the inventory, and one by the host that has one"


def test_roles_that_clusters_would_take_from_each_other_are_refused(fleet: FleetOnLab, site: PlaybookRun) -> None:
    fleet.configure(include=["prod-*"])
    before = fleet.lab.aws("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    run = fleet.run("site", "--tags", "pod_identity_iam", "-e", "pod_identity_iam_trust=cluster")
    assert run.returncode == 2
    words = f"Role {ROLE} of account 123456789012 is one role, and {BETA} and {ALPHA} declare it with a different trust"
    assert words in run.output
    assert fleet.lab.aws("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"] == before


def test_hosts_with_one_cluster_are_refused_by_name_before_anything_changes(fleet: FleetOnLab) -> None:
    """As with a cluster in a survey, where the inventory has hosts."""
    fleet.configure(include=["prod-*"])
    run = fleet.run("site", "-e", "eks_cluster_name=prod-beta", "-e", f"eks_region={EU}")
    assert (run.returncode, run.recap("changed")) == (2, 0), run.output[-5000:]
    assert run.failure.count(f"are one cluster, arn:aws:eks:{EU}:123456789012:cluster/prod-beta") == 2, run.failure
    assert [host for host in (ALPHA, BETA) if f"{host} stopped at" not in run.failure] == []


def test_a_role_that_lets_nobody_in_stops_the_cluster_and_is_named(fleet: FleetOnLab) -> None:
    locked = f"arn:aws:iam::{LOCKED}:role/operator"
    run = fleet.run("verify", "--limit", BETA, "-e", f"eks_assume_role_arn={locked}")
    assert run.returncode == 2
    assert f"Cluster prod-beta: Failed to assume role {locked}: " in run.failure
    assert "is not authorized to perform: sts:AssumeRole" in run.failure


def test_a_session_about_to_end_is_renewed(fleet: FleetOnLab, site: PlaybookRun) -> None:
    fleet.configure(include=["prod-*"])
    fleet.lab.forget_calls()
    run = fleet.run("verify", "--limit", OTHER_ALPHA, "-e", "eks_cluster_renew_from=99999999999")
    assert run.returncode == 0, run.output[-5000:]
    assert fleet.lab.calls()["calls"]["sts"]["AssumeRole"] > 3 + 1, "each task by itself, after the first"
