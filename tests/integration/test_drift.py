# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""drift.yml on the lab: every kind of drift at once, told apart, repaired by site.yml, and gone; nothing touched."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_policy import trust_policy
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.drift import CLASSES, OTHERS
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.integration.agent import AGENT
from ansible_collections.enbuild.eks.tests.integration.releases import set_status
from ansible_collections.enbuild.eks.tests.integration.shop import LISTING, policy, trust
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

SPACES = ("enbuild", "shop", "external-dns")
S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DENIED = {"code": "AccessDenied", "status": 403, "message": "User: x is not authorized to perform: iam:GetRole"}
READS = ("Get", "List", "Describe")
ORDERS = {"namespace": "shop", "role_name": "drift-orders"}
WORKLOADS: list[dict[str, t.Any]] = [
    {"name": "ai", "namespace": "enbuild", "deployment": "enbuild-enbuild-ai", "role_name": "drift-ai"},
    {"name": "ctf", "namespace": "enbuild", "deployment": "enbuild-enbuild-ctf", "role_name": "drift-ctf"},
    {"name": "orders", "deployment": "orders", **ORDERS},
    {"name": "late", "deployment": "late", **ORDERS, "allowed": ["s3:ListBuckets"]},
    {"name": "dns", "service_account": "external-dns", **ORDERS, "namespace": "external-dns"},
]
WORKLOADS[0]["policy"] = policy(LISTING)
WORKLOADS[1]["managed_policies"] = [S3]
DESCRIPTIONS = {"drift-ai": "ai", "drift-ctf": "ctf", "drift-orders": "orders, late, dns", "drift-other": "nobody"}


class World:
    """A cluster and an account, and playbooks to run on them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.lab.account_id}:role/{role}"

    def run(self, playbook: str, *arguments: str, **variables: t.Any) -> PlaybookRun:
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "enbuild_release_chart_repository_url": self.lab.chart_repository_url,
            "pod_identity_workloads": WORKLOADS,
            **variables,
        }
        given = {name: value for name, value in given.items() if value is not None}
        settings = {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_PRIVATE_ROLE_VARS": "true"}
        environment = {**self.lab.environment(), **settings}
        return run_playbook([f"enbuild.eks.{playbook}", "-e", json.dumps(given), *arguments], environment)

    def role(self, name: str, document: t.Any = None) -> None:
        cluster = f"arn:aws:eks:{self.lab.region}:{self.lab.account_id}:cluster/{self.lab.cluster_name}"
        self.lab.aws("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=document or json.dumps(trust_policy(cluster)),
            Description=f"EKS Pod Identity of {DESCRIPTIONS[name]}",
            Tags=[{"Key": key, "Value": value} for key, value in MANAGED_BY.items()],
        )

    def associate(self, namespace: str, account: str, role: str, ours: bool = True) -> None:
        self.lab.aws("eks").create_pod_identity_association(
            clusterName=self.lab.cluster_name,
            namespace=namespace,
            serviceAccount=account,
            roleArn=self.arn(role),
            tags=MANAGED_BY if ours else {},
        )

    def deploy(self, name: str) -> None:
        self.lab.kubectl("create", "serviceaccount", name, "-n", "shop")
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"serviceAccountName": name, "containers": [{"name": "main", "image": "registry.example.com/app"}]},
        }
        spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
        made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        self.lab.kubectl("apply", "-n", "shop", "-f", "-", input=json.dumps(made))
        self.lab.kubectl("rollout", "status", f"deployment/{name}", "-n", "shop", "--timeout=60s")

    def versions(self) -> dict[str, str]:
        """The resource version of each object that somebody could have touched."""
        kinds = "deployments,replicasets,daemonsets,pods,serviceaccounts,secrets,configmaps,namespaces"
        items = json.loads(self.lab.kubectl("get", kinds, "-A", "-o", "json"))["items"]
        return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in items}

    def writes(self) -> list[str]:
        """The AWS calls since the last count that do more than read."""
        calls = self.lab.calls()["calls"]
        return [name for names in calls.values() for name in names if not name.startswith(READS)]


@pytest.fixture(scope="module")
def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    """A release, roles and associations, each but one or two as site.yml would have them."""
    lab.reset()
    made = World(lab, tmp_path_factory.mktemp("reports"))
    namespaces.renew(lab, *SPACES)
    switches = ("lightning_features.deploy_lightning.ai_lightning", "lightning_features.secure_lightning.ctf")
    on = [word for name in (*switches, "enbuildCTF.serviceAccount.create") for word in ("--set", f"{name}=true")]
    lab.helm("install", "enbuild", "enbuild", "--repo", lab.chart_repository_url, "-n", "enbuild", "--wait", *on)
    lab.kubectl("create", "serviceaccount", "builder", "-n", "enbuild")
    lab.kubectl("create", "serviceaccount", "external-dns", "-n", "external-dns")
    made.role("drift-ai", trust())
    made.role("drift-ctf")
    made.role("drift-orders")
    made.role("drift-other")
    iam = lab.aws("iam")
    iam.put_role_policy(
        RoleName="drift-ai", PolicyName="drift-ai", PolicyDocument=policy({**LISTING, "Action": "s3:*"})
    )
    iam.attach_role_policy(RoleName="drift-ctf", PolicyArn=ADMINISTRATOR)
    made.associate("enbuild", "enbuild-enbuild-ai", "drift-ai")
    made.associate("shop", "orders", "drift-other")
    made.associate("default", "default", "drift-other")
    made.associate("default", "stranger", "drift-other", ours=False)
    made.associate("enbuild", "builder", "drift-other", ours=False)
    made.associate("gone", "app", "drift-other")
    lab.aws("eks").create_addon(
        clusterName=lab.cluster_name,
        addonName="external-dns",
        configurationValues=json.dumps({"txtOwnerId": "drift"}),
        podIdentityAssociations=[{"serviceAccount": "external-dns", "roleArn": made.arn("drift-other")}],
    )
    made.deploy("orders")
    made.deploy("late")
    made.associate("shop", "late", "drift-orders")
    yield made
    namespaces.leave(lab, *SPACES)
    agent.remove(lab)
    lab.reset()


def test_every_kind_of_drift_is_told_apart_and_nothing_is_touched(lab: Lab, world: World) -> None:
    lab.forget_calls()
    before = world.versions()
    run = world.run("drift", pod_identity_report_dir=str(world.folder), pod_identity_drift_others=True)
    assert run.returncode != 0, run.output
    assert world.writes() == []
    assert world.versions() == before
    report = world.folder / "lab.drift.json"
    assert report.is_file(), run.output
    made = json.loads(report.read_text())
    assert run.stats["pod_identity_drift"] == {"lab": made}
    pod = made["items"][7].pop("what")[0]
    assert pod.startswith("1 of 1 running pods lack AWS_CONTAINER_CREDENTIALS_FULL_URI"), pod
    other, orders = world.arn("drift-other"), world.arn("drift-orders")
    steps = {"addon": "agent", "managed_policy": "iam", "role": "iam", "policy": "iam", "association": "associations"}
    expected = [
        ("missing", "addon", AGENT, ["version v1.3.10-eksbuild.3"]),
        ("missing", "managed_policy", "drift-ctf/AmazonS3ReadOnlyAccess", [S3]),
        ("missing", "association", "enbuild/enbuild-enbuild-ctf", [f"role_arn {world.arn('drift-ctf')}"]),
        ("different", "release", "enbuild/enbuild", ["value enbuildAI.serviceAccount.create"]),
        ("different", "role", "drift-ai", ["trust policy"]),
        ("different", "policy", "drift-ai/drift-ai", []),
        ("different", "association", "shop/orders", [f"role_arn {other} -> {orders}"]),
        ("different", "workload", "Deployment shop/late", None),
        ("extra", "managed_policy", "drift-ctf/AdministratorAccess", [ADMINISTRATOR]),
        ("extra", "association", "default/default", [f"role_arn {other}"]),
        ("extra", "association", "enbuild/builder", [f"role_arn {other}", OTHERS]),
        (
            *("owned_by_addon", "association", "external-dns/external-dns"),
            ["add-on external-dns", f"role_arn {other} -> {orders}"],
        ),
        ("orphaned", "association", "gone/app", [f"role_arn {other}"]),
    ]
    assert [(each["class"], each["kind"], each["name"], each.get("what")) for each in made["items"]] == expected
    assert {each["kind"]: each["step"] for each in made["items"]} == {
        **{kind: f"pod_identity_{step}" for kind, step in steps.items()},
        "release": "enbuild_release",
        "workload": "pod_identity_rollout",
    }
    assert made["counts"] == {**dict.fromkeys(CLASSES, 1), "missing": 3, "different": 5, "extra": 3, "unhealthy": 0}
    assert (made["drift"], made["not_compared"]) == (True, [])
    assert "lab: 3 missing, 5 different, 3 extra, 1 owned by an add-on, 1 orphaned" in run.failure


def test_site_repairs_it_and_says_what_it_changed_though_it_stops(lab: Lab, world: World) -> None:
    """It stops at the proof: the declared policies don't allow what the workload ``late`` asks for."""
    eks = lab.aws("eks")
    eks.delete_addon(clusterName=lab.cluster_name, addonName="external-dns")
    run = world.run("site")
    assert "check_denied" in run.output or "no policy" in run.output, run.output
    assert run.returncode != 0
    changed = [(each["action"], each["kind"], each["name"]) for each in run.stats["pod_identity_changes"]["lab"]]
    assert changed == [
        ("update", "release", "enbuild/enbuild"),
        ("create", "addon", AGENT),
        ("update", "role", "drift-ai"),
        ("create", "managed_policy", "drift-ctf/AmazonS3ReadOnlyAccess"),
        ("update", "policy", "drift-ai/drift-ai"),
        ("create", "association", "enbuild/enbuild-enbuild-ctf"),
        ("update", "association", "shop/orders"),
        ("create", "association", "external-dns/external-dns"),
        *(("restart", "workload", f"Deployment {name}") for name in _restarted(run)),
    ]
    assert {"shop/orders", "shop/late"} <= set(_restarted(run))
    assert "lab: changed" in run.output
    lab.aws("iam").detach_role_policy(RoleName="drift-ctf", PolicyArn=ADMINISTRATOR)
    for each in eks.list_pod_identity_associations(clusterName=lab.cluster_name)["associations"]:
        if each["serviceAccount"] in ("default", "builder", "app"):
            eks.delete_pod_identity_association(clusterName=lab.cluster_name, associationId=each["associationId"])
    again = world.run("drift", "--check")
    assert (again.returncode, again.stats["pod_identity_drift"]["lab"]["items"]) == (0, []), again.output
    assert "lab: as declared" in again.output


def _restarted(run: PlaybookRun) -> list[str]:
    return [change.rpartition(" ")[2] for change in run.changed if ": Restart Deployment" in change]


def test_what_cannot_be_compared_hides_nothing_else(lab: Lab, world: World) -> None:
    """Steps that stop, and a cluster that isn't there, beside each other; of three steps, by their tags."""
    hosts = {"production": {"eks_cluster_name": lab.cluster_name}, "nowhere": {"eks_cluster_name": "nowhere"}}
    inventory = world.folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    eks = lab.aws("eks")
    eks.delete_addon(clusterName=lab.cluster_name, addonName=AGENT)
    lab.faults(
        [
            {"addon": AGENT, "outcome": "CREATE_FAILED"},
            {"service": "iam", "operation": "GetRole", **DENIED, "times": 9},
        ]
    )
    eks.create_addon(clusterName=lab.cluster_name, addonName=AGENT)
    lab.kubectl("delete", "deployment", "late", "-n", "shop")
    set_status(lab, "enbuild", "pending-upgrade")
    skipped = "pod_identity_associations,pod_identity_rollout"
    run = world.run("drift", "-i", str(inventory), "--skip-tags", skipped, eks_cluster_name=None)
    assert run.returncode != 0, run.output
    made = run.stats["pod_identity_drift"]["production"]
    assert [(each["class"], each["kind"], each["name"]) for each in made["items"]] == [
        ("missing", "workload", "Deployment shop/late"),
        ("unhealthy", "release", "enbuild/enbuild"),
        ("unhealthy", "addon", AGENT),
    ]
    assert [stop["step"] for stop in made["not_compared"]] == ["pod_identity_iam"]
    assert DENIED["message"] in made["not_compared"][0]["message"]
    assert set(run.stats["pod_identity_stopped"]) == {"production", "nowhere"}
    assert "nowhere" in run.stats["pod_identity_stopped"]["nowhere"]["message"]
