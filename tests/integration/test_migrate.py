# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""migrate.yml on the lab: from IRSA and the nodes' role to Pod Identity, with nobody without credentials meanwhile."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.integration import namespaces
from ansible_collections.enbuild.eks.tests.integration.boundaries import at_task_named
from ansible_collections.enbuild.eks.tests.integration.irsa import ANNOTATION, RELEASE, Irsa, install
from ansible_collections.enbuild.eks.tests.integration.poller import Poller, as_manifest
from ansible_collections.enbuild.eks.tests.integration.shop import policy
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

SPACE = "moving"
OTHER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/OTHER"
LISTING = [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]
POLICY = {"Version": "2012-10-17", "Statement": LISTING}
POD_IDENTITY = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
ELSEWHERE = {
    "Sid": "OtherCluster",
    "Effect": "Allow",
    "Principal": {"Federated": OTHER},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringEquals": {f"{OTHER.partition('/')[2]}:sub": f"system:serviceaccount:{SPACE}:api"}},
}
Object = dict[str, t.Any]


class Town:
    """A namespace whose pods have their AWS permissions by IRSA, and one by its node."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._irsa = Irsa(lab)
        namespaces.renew(lab, SPACE)

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self.lab.kubectl(*words, "-n", SPACE, input=given)

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.lab.account_id}:role/{role}"

    def irsa(self, *accounts: str) -> Object:
        """The statement that IRSA needs for these service accounts."""
        return self._irsa.statement(SPACE, *accounts)

    def role(self, name: str, *statements: Object) -> str:
        iam = self.lab.aws("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(*statements))
        iam.put_role_policy(RoleName=name, PolicyName="use", PolicyDocument=json.dumps(POLICY))
        return self.arn(name)

    def trust(self, name: str) -> list[Object]:
        """The statements of the role's trust policy."""
        document = self.lab.aws("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        return t.cast("list[Object]", document["Statement"])

    def set_trust(self, name: str, *statements: Object) -> None:
        self.lab.aws("iam").update_assume_role_policy(RoleName=name, PolicyDocument=policy(*statements))

    def apply(self, *objects: Object) -> None:
        self.kubectl("apply", "-f", "-", given=as_manifest(*objects))

    def associate(self, account: str, role: str) -> None:
        self.lab.aws("eks").create_pod_identity_association(
            clusterName=self.lab.cluster_name, namespace=SPACE, serviceAccount=account, roleArn=self.arn(role)
        )

    def associations(self) -> set[str]:
        listed = self.lab.aws("eks").list_pod_identity_associations(clusterName=self.lab.cluster_name)
        return {each["serviceAccount"] for each in listed["associations"] if each["namespace"] == SPACE}

    def annotated(self) -> set[str]:
        items = json.loads(self.kubectl("get", "serviceaccounts", "-o", "json"))["items"]
        return {i["metadata"]["name"] for i in items if ANNOTATION in i["metadata"].get("annotations", {})}

    def on_host_network(self) -> set[str]:
        items = json.loads(self.kubectl("get", "deployments", "-o", "json"))["items"]
        return {i["metadata"]["name"] for i in items if i["spec"]["template"]["spec"].get("hostNetwork")}

    def run(self, *arguments: str, on_line: t.Any = None, **variables: t.Any) -> PlaybookRun:
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "pod_identity_migrate_namespaces": [SPACE],
            "pod_identity_rollout_injection_timeout": 6,
            **variables,
        }
        return run_playbook(
            ["enbuild.eks.migrate", "-e", json.dumps(given), *arguments],
            {**self.lab.environment(), "ANSIBLE_SHOW_CUSTOM_STATS": "true"},
            on_line,
        )


def account(name: str, role_arn: str = "", **metadata: t.Any) -> Object:
    annotations = {ANNOTATION: role_arn} if role_arn else {}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "annotations": annotations, **metadata},
    }


def deployment(name: str, **spec: t.Any) -> Object:
    labels = {"app": name}
    ports = [{"containerPort": 8000}]
    pod = {
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "registry.example.com/app", "ports": ports}],
        **spec,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def cut_short(name: str) -> Object:
    """A Job whose pod runs on."""
    pod = {"serviceAccountName": name, "restartPolicy": "Never", "containers": [{"name": "main", "image": "app"}]}
    metadata = {"labels": {"app": name}, "annotations": {"lab.enbuild.eks/stuck": "true"}}
    template = {"metadata": metadata, "spec": pod}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template}}


RUNNING = ("api", "bad", "done", "feed", "net")
FAR = "arn:aws:iam::210987654321:role/far"
NEVER = {"StringEquals": {"aws:RequestTag/kubernetes-pod-name": "nobody"}}
"""A condition that only EKS Auth can judge, for a very pod."""
NET = {
    "name": "net",
    "namespace": SPACE,
    "deployment": "net",
    "role_name": "net",
    "policy": POLICY,
    "allowed": "s3:ListBuckets",
}
BAD_DAY: list[Object] = [
    {"service": "eks", "operation": "*", "code": "ThrottlingException", "status": 429, "every": 4, "times": 1000},
    {"service": "iam", "operation": "*", "code": "Throttling", "status": 400, "every": 4, "times": 1000},
    {"service": "eks", "operation": "CreatePodIdentityAssociation", "when": "after"},
    {"service": "iam", "operation": "UpdateAssumeRolePolicy", "when": "after"},
]
BOTH = {"pod_identity_migrate_act": True, "pod_identity_migrate_finish": True}
WEB, CONTAINER, NODE = "assume-role-with-web-identity", "container-role", "iam-role"


@pytest.fixture(scope="module")
def town(prepared: Lab) -> t.Iterator[Town]:
    """Two service accounts that share a role, one half migrated, a Job's, one of another account's role, and so on."""
    made = Town(prepared)
    shared = made.role("shared", ELSEWHERE, made.irsa("api", "feed"))
    done = made.role("done", POD_IDENTITY, made.irsa("done"))
    night = made.role("night", made.irsa("night"))
    bad = made.role("bad", {**POD_IDENTITY, "Condition": NEVER}, made.irsa("bad"))
    cut = made.role("cut", made.irsa("cut"))
    labels = {"app.kubernetes.io/managed-by": "eksctl"}
    made.apply(
        *(account("api", shared), account("feed", shared, labels=labels), account("night", night), account("bad", bad)),
        *(account("done", done), account("net"), account("far", FAR), account("cut", cut)),
        *(deployment(name) for name in ("api", "bad", "done", "feed", "cut")),
        *(deployment("net", hostNetwork=True), cut_short("night")),
    )
    for name in (*RUNNING, "cut"):
        made.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    made.associate("done", "done")
    yield made
    namespaces.leave(prepared, SPACE)


@pytest.fixture(scope="module")
def poller(town: Town) -> t.Iterator[Poller]:
    """Asks in every pod, from before the first change until after the last."""
    with Poller(town.lab, SPACE) as asking:
        asking.await_answers(RUNNING)
        yield asking


def migrate(town: Town, *arguments: str, **variables: t.Any) -> PlaybookRun:
    """Migrate all but what is kept for another test."""
    declared = {"pod_identity_workloads": [NET], "pod_identity_migrate_exclude": ["*/cut"]}
    return town.run(*arguments, **declared, **variables)


def methods(poller: Poller, app: str) -> list[str]:
    """How its pods found credentials, each once, in the order of time."""
    return list(dict.fromkeys(answer.method for answer in poller.of(app)))


def test_a_plan_alone(town: Town, poller: Poller) -> None:
    run = migrate(town)
    assert "skipping: " not in run.output
    assert (run.returncode, run.changed) == (0, []), run.output
    for line in (
        "moving/api (IRSA): to migrate",
        "  1. add a statement for Pod Identity to the trust policy of role arn:aws:iam::123456789012:role/shared",
        "moving/done (Pod Identity): to migrate",
        "  1. restart Deployment moving/done",
        "moving/far (IRSA): left alone",
        "  note: eksctl holds the annotation of moving/feed: take it out there too, or it comes back",
        "moving/net (node's role): to migrate",
        "  note: Job moving/night ends as it began; its next run gets Pod Identity",
    ):
        assert any(each.startswith(line) for each in run.output.splitlines()), line
    assert '"pod_identity_migration"' in run.output


def test_the_first_that_fails_its_proof_stops_and_keeps_its_old_way(town: Town, poller: Poller) -> None:
    run = migrate(town, pod_identity_migrate_act=True)
    assert run.returncode != 0
    assert "moving/bad keeps its old way, and what comes after it was not touched" in run.failure
    assert "EKS refuses credentials to pods of service account moving/bad" in run.failure
    assert town.associations() == {"api", "done"}
    assert town.annotated() == {"api", "bad", "cut", "done", "far", "feed", "night"}
    poller.await_answers(RUNNING)
    assert [methods(poller, app) for app in RUNNING] == [[WEB, CONTAINER], [WEB], [WEB], [WEB], [NODE]]


def test_once_that_is_mended_the_rest_goes_to_its_end(town: Town, poller: Poller, tmp_path: Path) -> None:
    town.set_trust("bad", POD_IDENTITY, town.irsa("bad"))
    predicted = migrate(town, "--check", "--diff", **BOTH)
    assert predicted.returncode == 0, predicted.output
    assert town.associations() == {"api", "done"}
    run = migrate(town, **BOTH, pod_identity_migrate_declare=True, pod_identity_declare_dir=str(tmp_path))
    assert run.returncode == 0, run.output
    assert predicted.changed == [change for change in run.changed if "pod_identity_declare" not in change]
    (written,) = tmp_path.glob("*/pod_identity.yml")
    declared = yaml.safe_load(written.read_text())["pod_identity_workloads"]
    assert {each["role_arn"] for each in declared if each["namespace"] == SPACE} >= {
        town.arn("bad"),
        town.arn("shared"),
    }
    assert town.associations() == {*RUNNING, "night"}
    assert (town.annotated(), town.on_host_network()) == ({"cut", "far", "night"}, set())
    assert "pod moving/night-" in run.output, "a Job's pod without the injection keeps the old way"
    assert [each.get("Sid") for each in town.trust("shared")] == ["OtherCluster", "EksPodIdentity", "EksPodIdentity1"]
    assert all(each["Principal"] == POD_IDENTITY["Principal"] for role in ("bad", "done") for each in town.trust(role))
    again = migrate(town, **BOTH)
    assert (again.returncode, again.changed) == (0, []), again.output
    poller.await_answers(RUNNING)
    assert [methods(poller, app) for app in RUNNING] == [[WEB, CONTAINER]] * 4 + [[NODE, CONTAINER]]
    assert {answer.role for answer in poller.of("net")} == {"lab-node", "net"}


def test_the_way_back(town: Town, poller: Poller) -> None:
    run = migrate(town, pod_identity_migrate_back=True, pod_identity_migrate_back_associations=True)
    assert run.returncode == 0, run.output
    assert town.annotated() == {"api", "bad", "cut", "done", "far", "feed", "night"}
    assert (town.on_host_network(), town.associations()) == ({"net"}, {"done"})
    poller.await_answers(RUNNING)
    assert {app: poller.of(app)[-1].method for app in RUNNING} == {
        **dict.fromkeys(RUNNING, WEB),
        "done": CONTAINER,
        "net": NODE,
    }
    without = [answer for answer in poller.answers if answer.method == "none"]
    assert without == [], "pods without credentials for a while"


def test_cut_off_between_two_changes_the_next_run_goes_on(town: Town) -> None:
    """Killed between tasks that change something, with EKS throttling and its webhook cold for a while.

    ``make test-boundaries`` does it at every task.
    """
    town.lab.weather(webhook_cold_seconds=2)
    town.lab.faults(BAD_DAY)
    only = {"pod_identity_migrate_include": ["moving/cut"], **BOTH}
    for task in ("Associate moving/cut", "Restart Deployment", "Prove once more"):
        cut = town.run(on_line=at_task_named(task, lambda: True), **only)
        assert cut.returncode == -9, cut.output
    last = town.run(**only)
    assert last.returncode == 0, last.output
    town.lab.faults([])
    assert "cut" in town.associations()
    assert "cut" not in town.annotated()
    assert [each["Principal"] for each in town.trust("cut")] == [POD_IDENTITY["Principal"]]


@pytest.fixture
def released(lab: Lab, town: Town) -> t.Iterator[str]:
    """An enbuild release whose CTF service is in its node's network, in its values too; its Deployment's name."""
    # A pod in its node's network has the node's port 8000 to itself, and a rollout needs a node where it is free.
    town.kubectl("delete", "deployment", "net", "--cascade=foreground")
    namespaces.renew(lab, RELEASE)
    install(lab, RELEASE, "ctf")
    yield f"{RELEASE}-enbuild-ctf"
    namespaces.leave(lab, RELEASE)


def test_the_guides_host_network_goes_and_comes_back(lab: Lab, town: Town, released: str) -> None:
    """The chart's templates don't read the value, and the workload is patched beside it."""

    def state() -> tuple[bool, bool]:
        values = json.loads(lab.helm("get", "values", RELEASE, "-n", RELEASE, "-o", "json"))
        found = json.loads(lab.kubectl("get", "deployment", released, "-n", RELEASE, "-o", "json"))
        return values["enbuildCTF"]["hostNetwork"], found["spec"]["template"]["spec"].get("hostNetwork", False)

    given = {
        "pod_identity_migrate_namespaces": [RELEASE],
        "enbuild_release_chart_repository_url": lab.chart_repository_url,
    }
    run = town.run(**given, **BOTH)
    assert run.returncode == 0, run.output
    assert state() == (False, False)
    back = town.run(**given, pod_identity_migrate_back=True)
    assert back.returncode == 0, back.output
    assert state() == (True, True)
