# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""migrate.yml over a zoo of owners, and beside whatever the owner of a namespace can write.

No role follows an annotation that the role's trust policy doesn't, and no pod that had credentials lacks them.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration import hostile, namespaces
from ansible_collections.enbuild.eks.tests.integration.irsa import ANNOTATION, Irsa
from ansible_collections.enbuild.eks.tests.integration.poller import Poller, as_manifest
from ansible_collections.enbuild.eks.tests.integration.shop import policy
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

SPACE = "zoo"
LISTING = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
RUNNING = ("fine", "corp", "replicas", "custom", "pod", "several", "paused", "parted")
"""Service accounts whose pods run, and have their role by IRSA."""
IDLE = ("job", "cron", "zero", "empty", "store")
PLANNED_ONLY = ("suspended", "pending", "mounts", "scaled")
"""Service accounts whose plan says all."""
WRITTEN = {"tenant", "reader", "broken", "reversed"}
"""Service accounts of the hostile fixture that have IRSA's annotation."""
Object = dict[str, t.Any]


def labelled(name: str) -> Object:
    return {"labels": {"app": name}}


def spec(name: str, **more: t.Any) -> Object:
    containers = [{"name": "main", "image": "registry.example.com/app"}]
    return {"serviceAccountName": name, "terminationGracePeriodSeconds": 0, "containers": containers, **more}


def template(name: str, **more: t.Any) -> Object:
    return {"metadata": labelled(name), "spec": spec(name, **more)}


def kept(kind: str, name: str, replicas: int = 1, **more: t.Any) -> Object:
    """A Deployment or a ReplicaSet."""
    made = template(name, **more)
    wanted = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": made}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": wanted}


def pod(name: str, account: str, *owners: Object, **more: t.Any) -> Object:
    meta = {"name": name, **labelled(account), "ownerReferences": list(owners)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec(account, **more)}


def stuck_job(name: str) -> Object:
    made = template(name, restartPolicy="Never")
    made["metadata"]["annotations"] = {"lab.enbuild.eks/stuck": "true"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": made}}


def cron_job(name: str, suspend: bool = False) -> Object:
    job = {"spec": {"template": template(name, restartPolicy="Never")}}
    wanted = {"schedule": "0 0 29 2 *", "jobTemplate": job, "suspend": suspend}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": wanted}


def parted(name: str) -> Object:
    """A StatefulSet that a person rolls out in parts, and has none begun."""
    made = kept("StatefulSet", name)
    made["spec"]["updateStrategy"] = {"rollingUpdate": {"partition": 1}}
    return made


ROLLOUT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "custom", "uid": "x", "controller": True}
GROUPS = {
    "SecretStore": ("secretstores", "external-secrets.io"),
    "SecretProviderClass": ("secretproviderclasses", "secrets-store.csi.x-k8s.io"),
    "TriggerAuthentication": ("triggerauthentications", "keda.sh"),
    "ScaledObject": ("scaledobjects", "keda.sh"),
}
"""Kinds whose controllers read the annotation of a service account."""


def definition(kind: str) -> Object:
    plural, group = GROUPS[kind]
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    wanted = {"group": group, "names": {"kind": kind, "plural": plural}, "scope": "Namespaced", "versions": [version]}
    metadata = {"name": f"{plural}.{group}"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": wanted,
    }


def custom(kind: str, spec: Object) -> Object:
    """An object of these kinds, called ``aws``."""
    return {"apiVersion": f"{GROUPS[kind][1]}/v1", "kind": kind, "metadata": {"name": "aws"}, "spec": spec}


READERS = [
    custom("SecretStore", {"provider": {"aws": {"auth": {"jwt": {"serviceAccountRef": {"name": "store"}}}}}}),
    custom("SecretProviderClass", {"provider": "aws"}),
    custom("TriggerAuthentication", {"podIdentity": {"provider": "aws", "identityOwner": "workload"}}),
    custom(
        "ScaledObject", {"scaleTargetRef": {"name": "scaled"}, "triggers": [{"authenticationRef": {"name": "aws"}}]}
    ),
]
MOUNTED = {"driver": "secrets-store.csi.k8s.io", "readOnly": True, "volumeAttributes": {"secretProviderClass": "aws"}}


class Zoo:
    """A namespace with one of each."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.iam = lab, lab.aws("iam")
        self.irsa = Irsa(lab)
        self.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=self.irsa.arn, ClientID="corp")
        namespaces.renew(lab, SPACE)
        namespaces.renew(lab, hostile.SPACE)
        self.before = {name: self.statement(name) for name in (*RUNNING, *IDLE, *PLANNED_ONLY)}
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
        definitions = as_manifest(*map(definition, GROUPS))
        self.lab.kubectl("apply", "-f", "-", input=definitions)
        self.lab.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", "-", input=definitions)
        own = {name: {ANNOTATION: self.arn(name)} for name in self.before}
        own["corp"]["eks.amazonaws.com/audience"] = "corp"
        written = hostile.service_accounts(self.arn("admin"), self.arn("fine"))
        accounts = [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "annotations": notes}}
            for name, notes in {**own, **written}.items()
        ]
        self.kubectl("apply", "-f", "-", given=as_manifest(*accounts))
        workloads = [kept("Deployment", name) for name in ("fine", "corp", "several", "paused")]
        workloads += [kept("Deployment", name, 0) for name in ("zero", "scaled")]
        workloads += [kept("Deployment", "mounts", 0, volumes=[{"name": "aws", "csi": MOUNTED}])]
        workloads += [
            parted("parted"),
            kept("ReplicaSet", "replicas"),
            stuck_job("job"),
            cron_job("cron"),
            cron_job("suspended", True),
        ]
        pods = [pod("pod", "pod"), pod("custom", "custom", ROLLOUT), pod("beside", "several")]
        pods += [pod("pending", "pending", nodeSelector={"nobody": "has"})]
        self.kubectl("apply", "-f", "-", given=as_manifest(*READERS, *workloads, *pods))
        self.kubectl("rollout", "status", "deployment/paused", "--timeout=60s")
        self.kubectl("rollout", "pause", "deployment/paused")
        hostile.fill(self.lab, self.arn("admin"), self.arn("fine"))

    def annotated(self) -> dict[str, str]:
        items = json.loads(self.kubectl("get", "serviceaccounts", "-o", "json"))["items"]
        notes = {each["metadata"]["name"]: each["metadata"].get("annotations", {}) for each in items}
        return {name: each[ANNOTATION] for name, each in notes.items() if ANNOTATION in each}

    def associations(self) -> set[str]:
        listed = self.lab.aws("eks").list_pod_identity_associations(clusterName=self.lab.cluster_name, namespace=SPACE)
        return {each["serviceAccount"] for each in listed["associations"]}

    def run(self, acts: bool = True, **variables: t.Any) -> PlaybookRun:
        # What is declared by default is another release's, which isn't there.
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "pod_identity_migrate_namespaces": [SPACE, hostile.SPACE],
            "pod_identity_migrate_exclude": [f"{SPACE}/{name}" for name in (PLANNED_ONLY if acts else ())],
            "pod_identity_rollout_injection_timeout": 6,
            **variables,
        }
        return run_playbook(["enbuild.eks.migrate", "-e", json.dumps(given)], self.lab.environment())


@pytest.fixture
def zoo(prepared: Lab) -> t.Iterator[Zoo]:
    made = Zoo(prepared)
    made.fill()
    yield made
    namespaces.leave(prepared, SPACE, hostile.SPACE)
    prepared.kubectl("delete", "--wait=false", "-f", "-", input=as_manifest(*map(definition, GROUPS)))


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
    "has 0 replicas; SecretProviderClass zoo/aws of the Secrets Store CSI driver reads its annotation",
    "has 0 replicas; ScaledObject zoo/aws of KEDA reads its annotation",
    "the old way stays: CronJob zoo/suspended is suspended",
    "the old way stays: pod zoo/pending",
    "note: Deployment zoo/paused is paused: it isn't restarted, and its pods keep the old way",
    "note: StatefulSet zoo/parted keeps pods as they are (rollingUpdate.partition): it isn't restarted, and its",
)


def test_nothing_that_a_namespace_writes_decides_and_no_pod_lacks_its_credentials(zoo: Zoo) -> None:
    with Poller(zoo.lab, SPACE) as poller:
        poller.await_answers(RUNNING)
        planned = zoo.run(acts=False)
        assert (planned.returncode, planned.changed) == (0, []), planned.output
        assert [line for line in PLANNED if line not in planned.output] == [], planned.output
        assert hostile.followed(planned.output) == []

        run = zoo.run(pod_identity_migrate_act=True, pod_identity_migrate_finish=True)
        assert run.returncode != 0
        assert "All others are done." in run.failure
        assert zoo.associations() == {*RUNNING, *IDLE}
        stays = {*RUNNING, *IDLE, *PLANNED_ONLY, *WRITTEN} - {"fine", "corp"}
        assert hostile.followed(run.output) == []
        assert set(zoo.annotated()) == stays
        assert len(zoo.trust("admin")) == 1
        for name in ("replicas", "custom", "pod", "several", "paused", "parted", *IDLE):
            assert zoo.trust(name)[0] == zoo.before[name], "IRSA's statement stays for whoever uses it"
        assert [each["Principal"] for each in zoo.trust("corp")] == [{"Service": "pods.eks.amazonaws.com"}]
        poller.await_answers(RUNNING)

        named: dict[str, t.Any] = {
            "pod_identity_migrate_include": ["zoo/empty", "zoo/pod"],
            "pod_identity_migrate_finish": True,
        }
        answered = zoo.run(**named, pod_identity_migrate_finish_unproven=["zoo/empty", "zoo/pod"])
        assert answered.returncode == 0, answered.output
        assert set(zoo.annotated()) == stays - {"empty"}, "a pod that runs without it is no matter of opinion"

        back = zoo.run(pod_identity_migrate_back=True)
        assert hostile.followed(back.output) == []
        assert zoo.trust("corp")[-1] == zoo.before["corp"], back.output
        assert set(zoo.annotated()) == {*stays, "fine", "corp", "empty"}, back.output
        assert len(zoo.trust("admin")) == 1
        poller.await_answers(RUNNING)
    assert [answer for answer in poller.answers if answer.method == "none"] == []
