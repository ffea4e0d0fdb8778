# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""migrate.yml on the lab: from IRSA and the nodes' role to Pod Identity, with nobody without credentials meanwhile."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration.poller import Poller, as_manifest
from ansible_collections.enbuild.eks.tests.integration.shop import await_agent, install_agent
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import TASK, PlaybookRun, run_playbook

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
        self.issuer = lab.aws("eks").describe_cluster(name=lab.cluster_name)["cluster"]["identity"]["oidc"]["issuer"]
        self.provider = f"arn:aws:iam::{lab.account_id}:oidc-provider/{self.issuer.removeprefix('https://')}"
        lab.aws("iam").create_open_id_connect_provider(
            Url=self.issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
        )
        lab.kubectl("create", "namespace", SPACE)

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self.lab.kubectl(*words, "-n", SPACE, input=given)

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.lab.account_id}:role/{role}"

    def irsa(self, *accounts: str) -> Object:
        """The statement that IRSA needs for these service accounts."""
        key = self.issuer.removeprefix("https://")
        subjects = [f"system:serviceaccount:{SPACE}:{name}" for name in accounts]
        return {
            "Effect": "Allow",
            "Principal": {"Federated": self.provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{key}:aud": "sts.amazonaws.com", f"{key}:sub": subjects}},
        }

    def role(self, name: str, *statements: Object) -> str:
        iam = self.lab.aws("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(*statements))
        iam.put_role_policy(RoleName=name, PolicyName="use", PolicyDocument=json.dumps(POLICY))
        return self.arn(name)

    def trust(self, name: str) -> list[Object]:
        """The statements of the role's trust policy."""
        document = self.lab.aws("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        return t.cast("list[Object]", document["Statement"])

    def set_trust(self, name: str, *statements: Object) -> None:
        self.lab.aws("iam").update_assume_role_policy(RoleName=name, PolicyDocument=_document(*statements))

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
        wanted = "eks.amazonaws.com/role-arn"
        return {i["metadata"]["name"] for i in items if wanted in i["metadata"].get("annotations", {})}

    def on_host_network(self) -> set[str]:
        items = json.loads(self.kubectl("get", "deployments", "-o", "json"))["items"]
        return {i["metadata"]["name"] for i in items if i["spec"]["template"]["spec"].get("hostNetwork")}

    def run(self, *arguments: str, on_line: t.Any = lambda _line: None, **variables: t.Any) -> PlaybookRun:
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


def _document(*statements: Object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def account(name: str, role_arn: str = "", **metadata: t.Any) -> Object:
    annotations = {"eks.amazonaws.com/role-arn": role_arn} if role_arn else {}
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


NIGHT = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "night"},
    "spec": {
        "template": {
            "metadata": {"labels": {"app": "night"}, "annotations": {"lab.enbuild.eks/stuck": "true"}},
            "spec": {
                "serviceAccountName": "night",
                "restartPolicy": "Never",
                "containers": [{"name": "main", "image": "registry.example.com/app"}],
            },
        }
    },
}
RUNNING = ("api", "bad", "done", "feed", "net")
FAR = "arn:aws:iam::210987654321:role/far"
NEVER = {"StringEquals": {"aws:SourceOrgID": "o-0000000000"}}
"""A condition that a reader of the trust policy can't judge, and that EKS Auth finds unmet."""
NET = {
    "name": "net",
    "namespace": SPACE,
    "deployment": "net",
    "role_name": "net",
    "policy": POLICY,
    "allowed": "s3:ListBuckets",
}


@pytest.fixture(scope="module")
def town(lab: Lab) -> t.Iterator[Town]:
    """Two service accounts that share a role, one that is half migrated, a Job's, one of another account's role, and so on."""
    lab.reset()
    install_agent(lab)
    made = Town(lab)
    shared = made.role("shared", ELSEWHERE, made.irsa("api", "feed"))
    done = made.role("done", POD_IDENTITY, made.irsa("done"))
    night = made.role("night", made.irsa("night"))
    bad = made.role("bad", {**POD_IDENTITY, "Condition": NEVER}, made.irsa("bad"))
    labels = {"app.kubernetes.io/managed-by": "eksctl"}
    made.apply(
        *(account("api", shared), account("feed", shared, labels=labels), account("night", night), account("bad", bad)),
        *(account("done", done), account("net"), account("far", FAR)),
        *(deployment(name) for name in ("api", "bad", "done", "feed")),
        *(deployment("net", hostNetwork=True), NIGHT),
    )
    for name in RUNNING:
        made.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    made.associate("done", "done")
    yield made
    lab.kubectl("delete", "namespace", SPACE, "--wait=false")
    lab.reset()


def test_plan(town: Town) -> None:
    run = town.run(pod_identity_workloads=[NET])
    print(run.output)
    run = town.run("--check", "--diff", pod_identity_workloads=[NET], pod_identity_migrate_act=True)
    print(run.output)
    with Poller(town.lab, SPACE) as poller:
        poller.await_answers(RUNNING)
        run = town.run("--diff", pod_identity_workloads=[NET], pod_identity_migrate_act=True)
        print(run.output)
        for app in RUNNING:
            print(app, poller.longest_silence(app), {(a.method, a.role) for a in poller.of(app)}, len(poller.of(app)))
    assert 0
