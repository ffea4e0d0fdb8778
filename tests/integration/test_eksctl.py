# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real eksctl beside the collection, on one cluster: each sees what the other made, and leaves or takes it.

``make test-eksctl`` runs this: eksctl takes 20 minutes to build, once. It gets an AWS client's variables and no others.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.integration import agent, guide, irsa, namespaces
from ansible_collections.enbuild.eks.tests.integration.shop import LISTING, policy, trust
from ansible_collections.enbuild.eks.tests.lab import binaries, programs
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

pytestmark = [pytest.mark.lab, pytest.mark.eksctl]

SPACE = "shop"
MANAGED = "arn:aws:iam::aws:policy"
S3, SQS = f"{MANAGED}/AmazonS3ReadOnlyAccess", f"{MANAGED}/AmazonSQSReadOnlyAccess"
TIMEOUT = 120
"""Seconds for one command; EKS's add-ons take eksctl 10."""
_CLUSTER = {"get cluster": "--name"}
"""The option that names the cluster, where it isn't --cluster."""


class Eksctl:
    """Commands of eksctl on the lab's cluster, from a home folder of its own."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self.lab = lab
        self._program = binaries.provide(print, programs.EKSCTL).paths["eksctl"]
        client = {name: value for name, value in lab.environment().items() if name.startswith("AWS_")}
        self._environment = {**client, "HOME": str(home)}

    def __call__(self, command: str, *options: str, config: t.Any = None, fails: bool = False) -> str:
        """Return what it printed; how it ended is checked. It works on the lab's cluster, or on that of ``config``."""
        where = ["--config-file", "-"] if config else [_CLUSTER.get(command, "--cluster"), self.lab.cluster_name]
        given = json.dumps(config) if config else None
        done = subprocess.run(
            [str(self._program), *command.split(), *where, *options],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails else done.stdout

    def associations(self) -> dict[str, str]:
        """The name of the role of each service account, by its own account."""
        found = json.loads(self("get podidentityassociation", "--output", "json"))
        return {f"{each['Namespace']}/{each['ServiceAccountName']}": _name(each["RoleARN"]) for each in found}

    def associate(self, account: str, *options: str) -> None:
        self("create podidentityassociation", *_account(account), *options)

    def config(self, account: str, **association: t.Any) -> dict[str, t.Any]:
        """A configuration file with one association."""
        made = {"namespace": SPACE, "serviceAccountName": account, **association}
        return {
            "apiVersion": "eksctl.io/v1alpha5",
            "kind": "ClusterConfig",
            "metadata": {"name": self.lab.cluster_name, "region": self.lab.region},
            "iam": {"podIdentityAssociations": [made]},
        }


@pytest.fixture(scope="module")
def eksctl(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Eksctl]:
    lab.reset()
    agent.remove(lab)
    yield Eksctl(lab, tmp_path_factory.mktemp("home"))
    namespaces.leave(lab, SPACE)
    agent.remove(lab)
    lab.reset()


@pytest.fixture
def clean(lab: Lab, eksctl: Eksctl) -> None:
    """An empty namespace and an account with nothing but the agent, which eksctl installs."""
    lab.reset()
    namespaces.renew(lab, SPACE)
    agent.remove(lab)
    eksctl("create addon", "--name", agent.AGENT)
    agent.await_ready(lab)


def test_the_cluster_and_the_agent_are_what_both_say(lab: Lab, eksctl: Eksctl) -> None:
    clusters = json.loads(eksctl("get cluster", "--output", "json"))
    assert [(each["Name"], each["Status"], each["Version"]) for each in clusters] == [("lab", "ACTIVE", "1.36")]
    assert eksctl("get podidentityassociation").split() == ["No", "podidentityassociations", "found"]
    refused = eksctl("create podidentityassociation", *_account("orders"), "--role-arn", _arn(lab, "none"), fails=True)
    assert f"eksctl create addon --cluster={lab.cluster_name} --name={agent.AGENT}" in refused
    agent.install(lab)
    addons = json.loads(eksctl("get addon", "--output", "json"))
    assert [(each["Name"], each["Status"], each["Issues"]) for each in addons] == [(agent.AGENT, "ACTIVE", None)]
    assert eksctl("create addon", "--name", agent.AGENT).count("already present") == 1


@pytest.mark.usefixtures("clean")
def test_what_eksctl_made_is_declared_and_left_alone(lab: Lab, eksctl: Eksctl, tmp_path: Path) -> None:
    arn = _role(lab, "theirs")
    lab.kubectl("create", "serviceaccount", "orders", "-n", SPACE)
    eksctl.associate("orders", "--role-arn", arn)
    options = ("--permission-policy-arns", S3, "--well-known-policies", "externalDNS", "--tags", "team=shop")
    eksctl.associate("bills", *options, "--create-service-account")
    for name in ("orders", "bills"):
        _deploy(lab, name)
    made = _made(lab)
    assert eksctl.associations() == guide.associations(lab)
    assert [stack["StackStatus"] for stack in made["stacks"]] == ["CREATE_COMPLETE"]
    file = _declare(lab, tmp_path)
    bills = made["stacks"][0]["Outputs"][0]["OutputValue"]
    entries = yaml.safe_load(file.read_text())["pod_identity_workloads"]
    assert {entry["deployment"]: entry["role_arn"] for entry in entries} == {"bills": bills, "orders": arn}
    assert {each["service_account"]: each["role_arn"] for each in _read(lab)} == {"bills": bills, "orders": arn}
    for name in ("site", "drift", "teardown"):
        run = guide.run_guide(lab, name, "-e", f"@{file}")
        assert (run.returncode, run.changed) == (0, []), run.output
    assert _made(lab) == made
    eksctl("update podidentityassociation", config=eksctl.config("bills", permissionPolicyARNs=[SQS]))
    assert _managed(lab, _name(bills)) == [SQS]
    eksctl("update podidentityassociation", *_account("bills"), "--role-arn", bills)
    assert _managed(lab, _name(bills)) == []
    _role(lab, "other")
    eksctl("update podidentityassociation", *_account("orders"), "--role-arn", _arn(lab, "other"))
    eksctl("delete podidentityassociation", *_account("bills"))
    assert [eksctl.associations(), _made(lab)["stacks"]] == [{f"{SPACE}/orders": "other"}, []]
    drift = guide.run_guide(lab, "drift", "-e", f"@{file}")
    assert drift.returncode == 2, drift.output
    assert f"DIFFERENT association {SPACE}/orders: role_arn" in drift.output
    assert f"MISSING association {SPACE}/bills" in drift.output


@pytest.mark.usefixtures("clean")
def test_what_site_made_is_eksctl_s_to_see_and_to_delete(lab: Lab, eksctl: Eksctl) -> None:
    lab.kubectl("create", "serviceaccount", "orders", "-n", SPACE)
    _deploy(lab, "orders")
    declared = _declared(role_name="ours", policy=policy(LISTING))
    assert guide.run_guide(lab, "site", **declared).returncode == 0
    assert eksctl.associations() == {f"{SPACE}/orders": "ours"}
    changed = ("--role-arn", _arn(lab, "ours"), "--disable-session-tags")
    eksctl("update podidentityassociation", *_account("orders"), *changed)
    drift = guide.run_guide(lab, "drift", **declared)
    assert "lab: 1 different\n" in drift.output, drift.output
    assert "running pods" in drift.output, drift.output
    assert "are older than the last change of association" in drift.output, drift.output
    eksctl("delete podidentityassociation", *_account("orders"))
    assert [eksctl("get podidentityassociation").split()[0], _roles(lab)] == ["No", ["ours"]]
    site = guide.run_guide(lab, "site", **declared)
    assert [change.partition(" : ")[2] for change in site.changed][:1] == ["Bind the service accounts to their roles"]
    assert eksctl.associations() == {f"{SPACE}/orders": "ours"}


@pytest.mark.usefixtures("clean")
def test_a_policy_that_site_adds_keeps_a_stack_from_its_end(lab: Lab, eksctl: Eksctl) -> None:
    """What the documentation warns of: a role of eksctl's that is declared by its name, and not by its ARN."""
    eksctl.associate("orders", "--permission-policy-arns", S3, "--role-name", "theirs", "--create-service-account")
    _deploy(lab, "orders")
    site = guide.run_guide(lab, "site", **_declared(role_name="theirs", managed_policies=[SQS]))
    assert site.returncode == 0, site.output
    assert _managed(lab, "theirs") == [S3, SQS]
    assert "Failure" in eksctl("delete podidentityassociation", *_account("orders"), fails=True)
    assert [(stack["StackStatus"], _roles(lab)) for stack in _made(lab)["stacks"]] == [("DELETE_FAILED", ["theirs"])]


@pytest.mark.usefixtures("clean")
def test_what_eksctl_moved_from_irsa_is_declared_too(lab: Lab, eksctl: Eksctl, tmp_path: Path) -> None:
    irsa.Irsa(lab)
    eksctl("create iamserviceaccount", "--namespace", SPACE, "--name", "orders", "--attach-policy-arn", S3, "--approve")
    eksctl("utils migrate-to-pod-identity", "--approve", "--remove-oidc-provider-trust-relationship")
    _deploy(lab, "orders")
    (role,) = _roles(lab)
    assert eksctl.associations() == {f"{SPACE}/orders": role}
    file = _declare(lab, tmp_path)
    assert yaml.safe_load(file.read_text())["pod_identity_workloads"][0]["role_arn"] == _arn(lab, role)
    site = guide.run_guide(lab, "site", "-e", f"@{file}")
    assert (site.returncode, site.changed) == (0, []), site.output


def _account(name: str) -> list[str]:
    return ["--namespace", SPACE, "--service-account-name", name]


def _declared(**entry: t.Any) -> dict[str, t.Any]:
    return {"pod_identity_workloads": [{"namespace": SPACE, "deployment": "orders", **entry}]}


def _declare(lab: Lab, folder: Path) -> Path:
    run = guide.run_guide(lab, "declare", pod_identity_declare_dir=str(folder))
    assert run.returncode == 0, run.output
    return folder / lab.cluster_name / "pod_identity.yml"


def _read(lab: Lab) -> t.Any:
    """The associations, as the collection's own module shows them."""
    module = "enbuild.eks.pod_identity_association_info"
    given = json.dumps({"cluster_name": lab.cluster_name, "region": lab.region})
    command = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", module, "-a", given]
    done = subprocess.run(command, env=lab.environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout.partition("=> ")[2])["associations"]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _arn(lab: Lab, role: str) -> str:
    return f"arn:aws:iam::{lab.account_id}:role/{role}"


def _role(lab: Lab, name: str) -> str:
    made = lab.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    lab.aws("iam").put_role_policy(RoleName=name, PolicyName="use", PolicyDocument=policy(LISTING))
    return str(made["Role"]["Arn"])


def _roles(lab: Lab) -> list[str]:
    return [role["RoleName"] for role in lab.aws("iam").list_roles()["Roles"] if role["RoleName"] != "lab-node"]


def _managed(lab: Lab, role: str) -> list[str]:
    found = lab.aws("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return sorted(each["PolicyArn"] for each in found)


def _made(lab: Lab) -> dict[str, t.Any]:
    """The stacks, roles and associations in full, as AWS shows them."""
    eks, iam = lab.aws("eks"), lab.aws("iam")
    listed = eks.list_pod_identity_associations(clusterName=lab.cluster_name)["associations"]
    ids = [{"clusterName": lab.cluster_name, "associationId": each["associationId"]} for each in listed]
    return {
        "stacks": lab.aws("cloudformation").describe_stacks()["Stacks"],
        "roles": [(iam.get_role(RoleName=name)["Role"], _managed(lab, name)) for name in _roles(lab)],
        "associations": [eks.describe_pod_identity_association(**each)["association"] for each in ids],
    }


def _deploy(lab: Lab, name: str) -> None:
    """A Deployment under the service account of its name."""
    container = {"name": "main", "image": "registry.example.com/app"}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"serviceAccountName": name, "terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    lab.kubectl("apply", "-n", SPACE, "-f", "-", input=json.dumps(made))
    lab.kubectl("rollout", "status", f"deployment/{name}", "-n", SPACE, "--timeout=60s")
