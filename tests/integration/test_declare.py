# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""declare.yml on the lab: what another tool associated becomes a file that site.yml and drift.yml agree with.

Beside a namespace whose owner writes whatever may lead a playbook astray: none of them follows it.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.integration import agent, guide, hostile, namespaces
from ansible_collections.enbuild.eks.tests.integration.shop import LISTING, policy, trust
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

pytestmark = pytest.mark.lab

SPACES = ("shop", "elsewhere", hostile.SPACE)
ADMIN = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
NO_RELEASE = "No enbuild release was looked at: the declaration has workloads and names no release"
READS = ("Get", "List", "Describe")


@pytest.fixture(scope="module")
def role_arn(lab: Lab) -> t.Iterator[str]:
    """A role with associations, as Terraform makes them; one has a workload, one an owner, one nothing."""
    lab.reset()
    namespaces.renew(lab, *SPACES)
    agent.install(lab)
    eks = lab.aws("eks")
    made = lab.aws("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument=trust())
    lab.aws("iam").put_role_policy(RoleName="theirs", PolicyName="theirs", PolicyDocument=policy(LISTING))
    arn = str(made["Role"]["Arn"])
    admin = lab.aws("iam").create_role(RoleName="admin", AssumeRolePolicyDocument=ADMIN)
    for space, account in (("shop", "orders"), ("elsewhere", "old"), (hostile.SPACE, "web")):
        tags = {"terraform": "yes"}
        eks.create_pod_identity_association(
            clusterName=lab.cluster_name, namespace=space, serviceAccount=account, roleArn=arn, tags=tags
        )
    eks.create_addon(
        clusterName=lab.cluster_name,
        addonName="external-dns",
        configurationValues=json.dumps({"txtOwnerId": "declare"}),
        podIdentityAssociations=[{"serviceAccount": "external-dns", "roleArn": arn}],
    )
    _deploy(lab)
    hostile.fill(lab, str(admin["Role"]["Arn"]), arn)
    yield arn
    namespaces.leave(lab, *SPACES)
    agent.remove(lab)
    lab.reset()


def _deploy(lab: Lab) -> None:
    lab.kubectl("create", "serviceaccount", "orders", "-n", "shop")
    container = {"name": "main", "image": "registry.example.com/app"}
    template = {
        "metadata": {"labels": {"app": "orders"}},
        "spec": {"serviceAccountName": "orders", "containers": [container]},
    }
    spec = {"selector": {"matchLabels": {"app": "orders"}}, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "orders"}, "spec": spec}
    lab.kubectl("apply", "-n", "shop", "-f", "-", input=json.dumps(made))
    lab.kubectl("rollout", "status", "deployment/orders", "-n", "shop", "--timeout=60s")


def test_what_another_tool_made_is_declared_and_changes_nothing(lab: Lab, role_arn: str, tmp_path: Path) -> None:
    folder = tmp_path / "host_vars"
    file = folder / lab.cluster_name / "pod_identity.yml"
    lab.forget_calls()
    predicted = guide.run_guide(lab, "declare", "--check", "--diff", pod_identity_declare_dir=str(folder))
    assert (predicted.returncode, folder.exists()) == (0, False), predicted.output
    assert '+    deployment: "orders"' in predicted.output
    assert "would change 1 thing" in predicted.output
    run = guide.run_guide(lab, "declare", pod_identity_declare_dir=str(folder))
    assert run.returncode == 0, run.output
    assert f"created file {file}" in run.output
    assert [name for names in lab.calls()["calls"].values() for name in names if not name.startswith(READS)] == []
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    text = file.read_text()
    entries = [
        {"namespace": space, "deployment": name, "role_arn": role_arn}
        for space, name in ((hostile.SPACE, "web"), ("shop", "orders"))
    ]
    assert yaml.safe_load(text) == {"pod_identity_workloads": entries}
    assert "#   elsewhere/old: the service account doesn't exist\n" in text
    assert "#   external-dns/external-dns: add-on external-dns owns it; declare it with the add-on\n" in text
    site = guide.run_guide(lab, "site", "-e", f"@{file}")
    assert (site.returncode, site.recap("changed"), site.recap("skipped"), site.changed) == (0, 0, 0, []), site.output
    drift = guide.run_guide(lab, "drift", "-e", f"@{file}")
    assert drift.returncode == 0, drift.output
    assert ": as declared" in drift.output
    assert [each.output.count(NO_RELEASE) for each in (site, drift)] == [1, 1]
    assert lab.helm("list", "--all-namespaces", "--all", "--short").split() == []
    file.write_text(text.replace("orders", "mine"))
    refused = guide.run_guide(lab, "declare", pod_identity_declare_dir=str(folder))
    assert refused.returncode != 0
    assert "It would lose: Deployment shop/mine" in refused.output
    assert "mine" in file.read_text()
    runs = (predicted, run, site, drift, refused)
    assert [line for each in runs for line in hostile.followed(each.output)] == []
    assert hostile.followed(text) == []


def test_nothing_that_a_namespace_writes_is_followed(lab: Lab, role_arn: str, tmp_path: Path) -> None:
    """Its Deployment is declared, and gets the role that was declared; its pods are looked at, and what they say."""
    before, trusts = guide.associations(lab), _trusts(lab)
    sick = {"name": "sick", "namespace": hostile.SPACE, "deployment": "sick", "role_name": "declared"}
    orders = {"namespace": "shop", "deployment": "orders", "role_arn": role_arn}
    given: dict[str, t.Any] = {
        "pod_identity_workloads": [orders, {**sick, "policy": policy(LISTING)}],
        "pod_identity_report_dir": str(tmp_path),
    }
    runs = {name: guide.run_guide(lab, name, **given) for name in ("site", "verify", "drift")}
    runs["teardown"] = guide.run_guide(lab, "teardown", "--check")
    runs |= {name: guide.run_guide(lab, name, **given) for name in ("rotate", "diagnose")}
    assert guide.associations(lab) == {**before, f"{hostile.SPACE}/sick": "declared"}
    declared, expected = _trusts(lab).pop("declared"), {**trusts, "declared": {}}
    assert {**_trusts(lab), "declared": {}} == expected
    assert [each["Principal"] for each in declared["Statement"]] == [{"Service": "pods.eks.amazonaws.com"}]
    pages = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {"lab.html", "lab.json", "lab.drift.json"} <= set(pages)
    told = {**pages, **{name: run.output for name, run in runs.items()}}
    assert {name: lines for name, text in told.items() if (lines := hostile.followed(text))} == {}
    report = json.loads(pages["lab.json"])
    found = [each for item in report["workloads"] for each in item["findings"]]
    assert {"static_keys", "no_proxy", "profile_missing", "skip_containers"} <= {each["code"] for each in found}
    commands = [line for each in found for line in each["remedy"].splitlines() if line.startswith(("kubectl", "aws"))]
    assert [line for line in commands if "evil" in line] == []
    shown = {item["object"] for item in report["workloads"] if item["namespace"] == hostile.SPACE}
    assert shown == set(hostile.SHOWN)


def _trusts(lab: Lab) -> dict[str, t.Any]:
    """Each role's trust policy."""
    return {role["RoleName"]: role["AssumeRolePolicyDocument"] for role in lab.aws("iam").list_roles()["Roles"]}
