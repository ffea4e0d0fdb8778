# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""diagnose.yml on the lab: the guide followed to the letter, by its own commands, mended by what diagnose prints."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration.guide import start_over
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

VALUES = """
lightning_features: {deploy_lightning: {ai_lightning: true}, secure_lightning: {ctf: true}}
enbuildAI: {serviceAccount: {create: true}}
enbuildCTF: {serviceAccount: {create: true}}
"""
TRUST = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "Service": "pods.eks.amazonaws.com" },
      "Action": ["sts:AssumeRole", "sts:TagSession"]
    }
  ]
}"""
SPECIFIC = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["bedrock:InvokeModel", "bedrock:ListFoundationModels"],
      "Resource": "arn:aws:bedrock:*::foundation-model/*"
    }
  ]
}"""
# The guide's steps 1 to 4, with the lab's cluster and account in the places that it leaves to its reader.
GUIDE = f"""
helm repo add enbuild "$CHARTS"
kubectl create namespace enbuild
helm upgrade --install enbuild enbuild/enbuild --namespace enbuild -f values.yaml

aws eks create-addon --cluster-name "$CLUSTER" --addon-name eks-pod-identity-agent

aws iam create-role --role-name enbuild-ai-bedrock --assume-role-policy-document '{TRUST}'
aws iam create-policy --policy-name enbuild-ai-bedrock-specific --policy-document '{SPECIFIC}'
aws iam attach-role-policy --role-name enbuild-ai-bedrock \
  --policy-arn "arn:aws:iam::$ACCOUNT:policy/enbuild-ai-bedrock-specific"
aws iam create-role --role-name enbuild-ctf-s3 --assume-role-policy-document '{TRUST}'
aws iam attach-role-policy --role-name enbuild-ctf-s3 --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess

aws eks create-pod-identity-association --cluster-name "$CLUSTER" --namespace enbuild \
  --service-account enbuild-ai --role-arn "arn:aws:iam::$ACCOUNT:role/enbuild-ai-bedrock"
aws eks create-pod-identity-association --cluster-name "$CLUSTER" --namespace enbuild \
  --service-account enbuild-ctf --role-arn "arn:aws:iam::$ACCOUNT:role/enbuild-ctf-s3"

kubectl rollout restart -n enbuild deployment/enbuild-enbuild-ai deployment/enbuild-enbuild-ctf
kubectl rollout status -n enbuild deployment/enbuild-enbuild-ai
kubectl rollout status -n enbuild deployment/enbuild-enbuild-ctf
"""
# What its step 5 expects of a pod: variables of IRSA, which no pod of Pod Identity has until somebody sets them.
EXPECTATION = """
kubectl set env -n enbuild deployment/enbuild-enbuild-ai AWS_ROLE_ARN="arn:aws:iam::$ACCOUNT:role/enbuild-ai-bedrock" \
  AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token
kubectl rollout status -n enbuild deployment/enbuild-enbuild-ai
"""

Report = dict[str, t.Any]


class Diagnosis(t.NamedTuple):
    """A run of diagnose.yml, and the report that it wrote."""

    run: PlaybookRun
    report: Report

    @property
    def found(self) -> dict[str, set[str]]:
        """Codes by the names of workloads; those of the cluster under ""."""
        by_name = {item["object"]: {each["code"] for each in item["findings"]} for item in self.report["workloads"]}
        return {name: codes for name, codes in {**by_name, "": self.codes(self.report)}.items() if codes}

    @staticmethod
    def codes(report: Report) -> set[str]:
        return {finding["code"] for finding in report["findings"]}

    def remedies(self) -> list[str]:
        every = [*self.report["findings"], *(each for item in self.report["workloads"] for each in item["findings"])]
        return list(dict.fromkeys(finding["remedy"] for finding in every))


@pytest.fixture(scope="module")
def shell(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[t.Callable[[str], str]]:
    """A shell on the lab, in a folder with the guide's values file; the account and the namespace are new."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "values.yaml").write_text(VALUES)
    start_over(lab)
    words = {"CHARTS": lab.chart_repository_url, "CLUSTER": lab.cluster_name, "ACCOUNT": lab.account_id}

    def run(script: str) -> str:
        environment = {**lab.environment(), "HELM_REPOSITORY_CONFIG": str(folder / "repositories.yaml"), **words}
        done = subprocess.run(
            ["bash", "-eu", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    yield run
    start_over(lab, wait=False)


@pytest.fixture
def diagnose(lab: Lab, tmp_path: Path) -> t.Callable[..., Diagnosis]:
    def run(**variables: t.Any) -> Diagnosis:
        given = {
            "eks_cluster_name": lab.cluster_name,
            "eks_region": lab.region,
            "pod_identity_report_dir": str(tmp_path),
            **variables,
        }
        done = run_playbook(["enbuild.eks.diagnose", "-e", json.dumps(given)], lab.environment())
        assert (tmp_path / f"{lab.cluster_name}.html").is_file(), done.output
        return Diagnosis(done, json.loads((tmp_path / f"{lab.cluster_name}.json").read_text()))

    return run


def test_the_guide_to_the_letter(shell: t.Any, diagnose: t.Any) -> None:
    shell(GUIDE)
    first = diagnose(pod_identity_diagnose_fail_from="error")
    assert first.found == {
        "enbuild-enbuild-ai": {"service_account_mismatch"},
        "enbuild-enbuild-ctf": {"service_account_mismatch"},
    }
    assert "and error or worse: service_account_mismatch." in first.run.failure
    assert first.run.changed == []
    assert "enbuild/enbuild-ai, under which nothing runs" in first.run.output

    for remedy in first.remedies():
        shell(remedy)
    shell(EXPECTATION)
    second = diagnose()
    assert second.run.returncode == 0, second.run.output
    assert second.found == {
        "enbuild-enbuild-ai": {"irsa_variables", "check_denied"},
        "enbuild-enbuild-ctf": {"stale_pods"},
    }
    assert "bedrock:ListFoundationModels" in second.run.output

    for remedy in second.remedies():
        shell(remedy)
    shell("kubectl rollout status -n enbuild deployment/enbuild-enbuild-ai")
    shell("kubectl rollout status -n enbuild deployment/enbuild-enbuild-ctf")
    last = diagnose(pod_identity_diagnose_fail_from="info")
    assert (last.run.returncode, last.found) == (0, {}), last.run.output
    assert last.report["summary"]["by_rung"]["allowed"] == 2
    assert last.report["summary"]["without_identity"] >= 4


def test_several_clusters_stand_beside_each_other(lab: Lab, shell: t.Any, tmp_path: Path) -> None:
    """One that can't be reached takes nothing from the others."""
    inventory = tmp_path / "inventory.yml"
    hosts = {"one": {"eks_cluster_name": lab.cluster_name}, "two": {"eks_cluster_name": "gone"}}
    variables = {"eks_region": lab.region, "pod_identity_report_dir": str(tmp_path)}
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    run = run_playbook(
        ["-i", str(inventory), "enbuild.eks.diagnose", "-e", "pod_identity_diagnose_namespaces=[kube-system]"],
        lab.environment(),
    )
    assert "two      stopped at Read the cluster" in run.output
    assert run.tasks["Report the run"].count("CLUSTER") == 1
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["one.html"]
