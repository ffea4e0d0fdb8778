# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's AWS and its real API server, joined up: tokens of live pods, and the agent add-on."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.integration.agent import AGENT
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from botocore.exceptions import ClientError

pytestmark = pytest.mark.lab

AUDIENCE = "pods.eks.amazonaws.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": AUDIENCE},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-service-account": "orders"}},
    },
}
S3_ONLY = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}


class Orders:
    """Pods of the service account ``orders`` in a namespace of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        created = lab.kubernetes_call("/api/v1/namespaces", "POST", {"metadata": {"generateName": "shop-"}})
        self.namespace = str(created["metadata"]["name"])
        self._path = f"/api/v1/namespaces/{self.namespace}"
        lab.kubernetes_call(f"{self._path}/serviceaccounts", "POST", {"metadata": {"name": "orders"}})

    def associate(self) -> None:
        """Give it a role that may list buckets and nothing else."""
        iam = self.lab.aws("iam")
        role = iam.create_role(RoleName="orders", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="orders", PolicyName="s3", PolicyDocument=json.dumps(S3_ONLY))
        address = {"clusterName": self.lab.cluster_name, "namespace": self.namespace, "serviceAccount": "orders"}
        self.lab.aws("eks").create_pod_identity_association(**address, roleArn=role)

    def run(self, name: str) -> t.Any:
        """Create a pod and return it as it was admitted."""
        container = {"name": "main", "image": "registry.example.com/none"}
        spec = {"serviceAccountName": "orders", "containers": [container], "terminationGracePeriodSeconds": 0}
        pod = self.lab.kubernetes_call(f"{self._path}/pods", "POST", {"metadata": {"name": name}, "spec": spec})
        self.lab.kubectl("wait", f"pod/{name}", "-n", self.namespace, "--for=condition=Ready", "--timeout=60s")
        return pod

    def token(self, pod: t.Any, audience: str = AUDIENCE) -> str:
        """Return the very token that the agent would send for ``pod``."""
        bound = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        spec = {"audiences": [audience], "expirationSeconds": 600, "boundObjectRef": bound}
        path = f"{self._path}/serviceaccounts/orders/token"
        return str(self.lab.kubernetes_call(path, "POST", {"spec": spec})["status"]["token"])

    def exchange(self, token: str) -> t.Any:
        """Ask EKS Auth for the credentials of ``token``."""
        return self.lab.aws("eks-auth").assume_role_for_pod_identity(clusterName=self.lab.cluster_name, token=token)


@pytest.fixture
def orders(aws_clean: Lab) -> t.Iterator[Orders]:
    """A namespace and a service account, gone afterwards (Kubernetes takes its time for that)."""
    made = Orders(aws_clean)
    yield made
    namespaces.leave(aws_clean, made.namespace)


def refused(call: t.Callable[..., t.Any], *given: t.Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*given)
    return str(caught.value.response["Error"]["Code"])


def test_a_live_pod_gets_its_role_and_no_more(orders: Orders) -> None:
    orders.associate()
    answer = orders.exchange(orders.token(orders.run("first")))
    assert answer["subject"] == {"namespace": orders.namespace, "serviceAccount": "orders"}
    assert ":assumed-role/orders/eks-" in answer["assumedRoleUser"]["arn"]
    names = {"accessKeyId": "aws_access_key_id", "secretAccessKey": "aws_secret_access_key"}
    names["sessionToken"] = "aws_session_token"
    credentials = {option: answer["credentials"][name] for name, option in names.items()}
    arn = orders.lab.aws("sts", **credentials).get_caller_identity()["Arn"]
    assert arn == answer["assumedRoleUser"]["arn"]
    assert "Buckets" in orders.lab.aws("s3", **credentials).list_buckets()
    assert refused(orders.lab.aws("bedrock", **credentials).list_foundation_models) == "AccessDeniedException"


def test_tokens_that_are_not_of_a_live_pod_for_eks(orders: Orders) -> None:
    pod = orders.run("first")
    good = orders.token(pod)
    assert refused(orders.exchange, good) == "ResourceNotFoundException"
    orders.associate()
    orders.exchange(good)
    assert refused(orders.exchange, orders.token(pod, "sts.amazonaws.com")) == "InvalidTokenException"
    head, body, signature = good.split(".")
    assert refused(orders.exchange, f"{head}.{body}.{signature[::-1]}") == "InvalidTokenException"
    orders.lab.kubectl("delete", "pod", "first", "-n", orders.namespace, "--now")
    assert refused(orders.exchange, good) == "InvalidTokenException"


def test_only_pods_born_with_the_association_are_injected(orders: Orders) -> None:
    assert "eks-pod-identity-token" not in json.dumps(orders.run("before"))
    orders.associate()
    after = orders.run("after")
    assert after["metadata"]["labels"]["eks.amazonaws.com/pod-identity"] == "enabled"
    names = [variable["name"] for variable in after["spec"]["containers"][0]["env"]]
    assert names.count("AWS_CONTAINER_CREDENTIALS_FULL_URI") == 1


@pytest.fixture
def agentless(aws_clean: Lab) -> t.Iterator[Lab]:
    """The lab without an agent, before and after."""
    agent.remove(aws_clean)
    yield aws_clean
    agent.remove(aws_clean)


def status_of(lab: Lab) -> str:
    shown = lab.aws("eks").describe_addon(clusterName=lab.cluster_name, addonName=AGENT)["addon"]
    return str(shown["status"])


def test_agent_add_on_is_a_daemon_set_and_its_health(agentless: Lab) -> None:
    agentless.weather(health_grace_seconds=1)
    eks = agentless.aws("eks")
    eks.create_addon(clusterName=agentless.cluster_name, addonName=AGENT)
    listed = ("get", "daemonset", AGENT, "-n", "kube-system", "-o", "name", "--ignore-not-found")
    assert AGENT in agentless.kubectl(*listed)
    assert eventually(lambda: status_of(agentless), lambda status: status == "ACTIVE") == "ACTIVE"
    nobody = {"spec": {"template": {"metadata": {"annotations": {"lab.enbuild.eks/stuck": "true"}}}}}
    agentless.kubectl("patch", "daemonset", AGENT, "-n", "kube-system", "-p", json.dumps(nobody))
    assert eventually(lambda: status_of(agentless), lambda status: status == "DEGRADED") == "DEGRADED"
    eks.delete_addon(clusterName=agentless.cluster_name, addonName=AGENT)
    assert agentless.kubectl(*listed) == ""


def install_by_hand(lab: Lab, labels: dict[str, str]) -> None:
    agent.remove(lab)
    container = {"name": "agent", "image": "registry.example.com/none"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    manifest = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": AGENT}, "spec": spec}
    lab.kubectl("create", "-n", "kube-system", "-f", "-", input=json.dumps(manifest))


@pytest.mark.parametrize(
    ("labels", "conflicts", "status", "issue"),
    [
        ({"app": "agent"}, "NONE", "CREATE_FAILED", "ConfigurationConflict"),
        # A selector can't be changed, so an agent with another one can't be taken over.
        ({"app": "agent"}, "OVERWRITE", "CREATE_FAILED", "AdmissionRequestDenied"),
        ({"app.kubernetes.io/name": AGENT, "app.kubernetes.io/instance": AGENT}, "OVERWRITE", "ACTIVE", None),
    ],
)
def test_agent_that_somebody_else_installed(
    agentless: Lab, labels: dict[str, str], conflicts: str, status: str, issue: str | None
) -> None:
    install_by_hand(agentless, labels)
    eks, address = agentless.aws("eks"), {"clusterName": agentless.cluster_name, "addonName": AGENT}
    eks.create_addon(**address, resolveConflicts=conflicts)
    assert eventually(lambda: status_of(agentless), lambda found: found == status) == status
    issues = eks.describe_addon(**address)["addon"]["health"]["issues"]
    assert [found["code"] for found in issues] == ([issue] if issue else [])
    eks.delete_addon(**address)
    left = agentless.kubectl("get", "daemonset", AGENT, "-n", "kube-system", "-o", "name", "--ignore-not-found")
    assert bool(left) == (issue is not None), "what the add-on didn't make stays"
