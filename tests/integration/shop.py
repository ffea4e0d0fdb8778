# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Deployment with all that it needs to have its role, to take something away from."""

from __future__ import annotations

import itertools
import json
import subprocess
import typing as t

from ansible_collections.enbuild.eks.tests.integration.module_call import look_at
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

TRUST: dict[str, t.Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "EksPodIdentity",
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
LISTING = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
NUMBERS = itertools.count()


def policy(*statements: t.Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(**more: t.Any) -> str:
    """The guide's trust, narrowed by ``more``."""
    return json.dumps({**TRUST, "Statement": [{**TRUST["Statement"][0], **more}]})


class Shop:
    """One Deployment ``orders`` with all that it needs, in a namespace and under a role of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.asking = False
        """Whether the pods are asked, too."""
        self.namespace = f"shop-{next(NUMBERS)}"
        self.role_name = f"{self.namespace}-orders"
        self.role_arn = f"arn:aws:iam::{lab.account_id}:role/{self.role_name}"
        self.asked: dict[str, t.Any] = {"deployment": "orders", "role_arn": self.role_arn, "allowed": "s3:ListBuckets"}
        self._kept: tuple[str, str, str] | None = None
        self.kubectl("create", "namespace", self.namespace)

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self.lab.kubectl(*words, "-n", self.namespace, input=given)

    def role(self, document: str | None = None, statement: t.Any = None, bare: bool = False) -> None:
        """Make its role, with the guide's trust and one statement; a ``bare`` one has no policy."""
        iam = self.lab.aws("iam")
        iam.create_role(RoleName=self.role_name, AssumeRolePolicyDocument=document or trust())
        if not bare:
            document = policy(statement or LISTING)
            iam.put_role_policy(RoleName=self.role_name, PolicyName="use", PolicyDocument=document)

    def trust(self, document: str) -> None:
        self.lab.aws("iam").update_assume_role_policy(RoleName=self.role_name, PolicyDocument=document)

    def associate(self, account: str = "orders", **more: t.Any) -> str:
        made = self.lab.aws("eks").create_pod_identity_association(
            clusterName=self.lab.cluster_name,
            namespace=self.namespace,
            serviceAccount=account,
            **{"roleArn": self.role_arn, **more},
        )
        return str(made["association"]["associationId"])

    def account(self, name: str = "orders") -> None:
        self.kubectl("create", "serviceaccount", name)

    def deploy(self, spec: t.Any = None, container: t.Any = None, **metadata: t.Any) -> None:
        """Deploy ``orders``, with more in its template, and wait for its pods."""
        main = {"name": "main", "image": "registry.example.com/orders", **(container or {})}
        template = {
            "metadata": {"labels": {"app": "orders", **metadata.pop("labels", {})}, **metadata},
            "spec": {
                "serviceAccountName": "orders",
                "terminationGracePeriodSeconds": 0,
                "containers": [main],
                **(spec or {}),
            },
        }
        manifest = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "orders"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "orders"}}, "template": template},
        }
        self.kubectl("apply", "-f", "-", given=json.dumps(manifest))

    def prepare(self) -> None:
        """All but the Deployment."""
        self.role()
        self.account()
        self.associate()

    def healthy(self, **deployment: t.Any) -> None:
        self.prepare()
        self.deploy(**deployment)

    def settle(self) -> None:
        """Wait until the pods are those that the Deployment wants, and no others."""
        self.kubectl("rollout", "status", "deployment/orders", "--timeout=60s")
        assert eventually(lambda: [pod["metadata"].get("deletionTimestamp") for pod in self.pods()] == [None])

    def injects(self) -> bool:
        """Whether a pod created now would be injected."""
        spec = {
            "serviceAccountName": "orders",
            "containers": [{"name": "main", "image": "registry.example.com/orders"}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try"}, "spec": spec}
        made = self.kubectl("create", "-f", "-", "--dry-run=server", "-o", "json", given=json.dumps(pod))
        return "eks-pod-identity-token" in made

    def refuses(self, words: str) -> bool:
        """Whether a pod created now would be refused with these words."""
        try:
            self.injects()
        except subprocess.CalledProcessError as error:
            return words in error.stderr
        return False

    def keep(self, kind: str, name: str) -> None:
        """Remember an object of the whole cluster as it is, to bring it back with ``restore``."""
        found = json.loads(self.lab.kubectl("get", kind, name, "-o", "json"))
        found["metadata"] = {"name": name}
        self._kept = (kind, name, json.dumps(found))

    def restore(self) -> None:
        """Bring back what was kept."""
        if self._kept:
            kind, name, kept = self._kept
            self.lab.kubectl("delete", kind, name, "--ignore-not-found")
            self.lab.kubectl("create", "-f", "-", input=kept)
            self._kept = None
            assert eventually(self.injects)

    def pods(self) -> list[t.Any]:
        return list(json.loads(self.kubectl("get", "pods", "-o", "json"))["items"])

    def look(self) -> tuple[list[dict[str, str]], str]:
        """All findings, and the rung that ``orders`` reaches."""
        seen = look_at(self.lab, workloads=[{"namespace": self.namespace, **self.asked}], ask_pods=self.asking)
        (workload,) = seen["workloads"]
        return [*seen["findings"], *workload["findings"]], workload["rung"]
