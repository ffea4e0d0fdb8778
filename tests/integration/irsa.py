# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was there before Pod Identity: roles by IRSA, and an enbuild release whose services do without it."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.enbuild.eks.tests.integration.shop import policy
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

ANNOTATION = "eks.amazonaws.com/role-arn"
RELEASE = "enbuild"
SWITCHES = {
    "ai": ("lightning_features.deploy_lightning.ai_lightning", "enbuildAI.serviceAccount.create"),
    "ctf": ("lightning_features.secure_lightning.ctf", "enbuildCTF.serviceAccount.create", "enbuildCTF.hostNetwork"),
}
"""What a service of the release needs in its values."""


class Irsa:
    """The cluster's OIDC provider in IAM."""

    def __init__(self, lab: Lab) -> None:
        cluster = lab.aws("eks").describe_cluster(name=lab.cluster_name)["cluster"]
        self._issuer = cluster["identity"]["oidc"]["issuer"].removeprefix("https://")
        made = lab.aws("iam").create_open_id_connect_provider(
            Url=f"https://{self._issuer}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
        )
        self.arn = str(made["OpenIDConnectProviderArn"])

    def statement(self, namespace: str, *accounts: str) -> dict[str, t.Any]:
        """The statement by which a trust policy lets these service accounts in."""
        subjects = [f"system:serviceaccount:{namespace}:{name}" for name in accounts]
        return {
            "Effect": "Allow",
            "Principal": {"Federated": self.arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{self._issuer}:aud": "sts.amazonaws.com", f"{self._issuer}:sub": subjects}
            },
        }


def install(lab: Lab, namespace: str, *services: str) -> None:
    """Install the release with these services; CTF is patched into its node's network, where the chart can't put it."""
    on = ",".join(f"{switch}=true" for service in services for switch in SWITCHES[service])
    lab.helm("install", RELEASE, "enbuild", "--repo", lab.chart_repository_url, "-n", namespace, "--set", on)
    if "ctf" in services:
        patch = {"spec": {"template": {"spec": {"hostNetwork": True}}}}
        lab.kubectl("patch", "deployment", f"{RELEASE}-enbuild-ctf", "-n", namespace, "-p", json.dumps(patch))
    for service in services:
        _await(lab, namespace, service)


def install_with_irsa(lab: Lab, namespace: str, role: str) -> None:
    """Install it with both services, AI with ``role``, which lists Bedrock's models, by IRSA."""
    account = f"{RELEASE}-enbuild-ai"
    listing = {"Effect": "Allow", "Action": "bedrock:ListFoundationModels", "Resource": "*"}
    iam, trust = lab.aws("iam"), policy(Irsa(lab).statement(namespace, account))
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="models", PolicyDocument=policy(listing))
    install(lab, namespace, "ai", "ctf")
    lab.kubectl("annotate", "serviceaccount", account, "-n", namespace, f"{ANNOTATION}={arn}")
    lab.kubectl("rollout", "restart", f"deployment/{account}", "-n", namespace)
    _await(lab, namespace, "ai")


def _await(lab: Lab, namespace: str, service: str) -> None:
    lab.kubectl("rollout", "status", f"deployment/{RELEASE}-enbuild-{service}", "-n", namespace, "--timeout=60s")
