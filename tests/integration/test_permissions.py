# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of permissions/: they suffice for all that each playbook does, grant nothing else, and say no in words."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import parliament  # type: ignore[import-untyped]
import pytest
from ansible_collections.enbuild.eks.tests.integration import guide
from ansible_collections.enbuild.eks.tests.integration.module_call import look_at
from ansible_collections.enbuild.eks.tests.integration.operators import (
    FOLDER,
    PLAYBOOKS,
    SPACE,
    Operator,
    act,
    iam_file,
    rbac_file,
)
from ansible_collections.enbuild.eks.tests.integration.shop import policy
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools import permissions
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

pytestmark = pytest.mark.lab

OF_AWS = "'arn:aws:iam::aws:policy/*'"
"""The one ARN that parliament complains of: it doesn't know that AWS's own policies belong to the account aws."""
LARGEST = 6144
"""Characters of a managed policy, blanks not counted."""
Acted = dict[str, tuple[Operator, list[PlaybookRun]]]


@pytest.fixture(scope="module")
def acted(lab: Lab) -> t.Iterator[Acted]:
    """Every playbook's scenario, done with the permissions of its files."""
    yield act(lab)
    for playbook in PLAYBOOKS:
        lab.kubectl("delete", "-f", str(rbac_file(playbook)), "--ignore-not-found", "--wait=false")
    guide.start_over(lab, wait=False)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_nothing_is_denied_and_nothing_is_granted_that_is_not_used(acted: Acted, playbook: str) -> None:
    operator, _runs = acted[playbook]
    assert operator.denials() == []
    assert permissions.as_json(operator.iam()) == iam_file(playbook).read_text(), "make permissions writes it anew"
    assert permissions.as_yaml(operator.rbac()) == rbac_file(playbook).read_text(), "make permissions writes it anew"


def test_every_file_belongs_to_a_playbook() -> None:
    wanted = {path.name for playbook in PLAYBOOKS for path in (iam_file(playbook), rbac_file(playbook))}
    assert {path.name for path in FOLDER.iterdir()} == wanted


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_policies_are_fit_to_attach(playbook: str) -> None:
    somewhere = permissions.Place("aws", "eu-west-1", "123456789012", "production")
    text = permissions.filled_in(iam_file(playbook).read_text(), somewhere)
    found = parliament.analyze_policy_string(text).findings
    assert [str(each) for each in found if OF_AWS not in str(each)] == []
    assert len("".join(text.split())) <= LARGEST


@pytest.mark.parametrize("playbook", ["verify", "diagnose", "rotate"])
def test_those_who_look_see_what_an_administrator_sees(lab: Lab, acted: Acted, playbook: str) -> None:
    operator, runs = acted[playbook]
    seen = json.loads((operator.reports / f"{lab.cluster_name}.json").read_text())["workloads"]
    rungs = {f"{each['namespace']}/{each['object']}": each["rung"] for each in seen}
    found = look_at(lab, namespaces=["*"], checks=[])["workloads"] if playbook == "diagnose" else []
    everything = {f"{each['namespace']}/{each['object']}": each["rung"] for each in found}
    assert rungs == {**everything, "enbuild/enbuild-enbuild-ai": "allowed", "enbuild/enbuild-enbuild-ctf": "issued"}
    assert "denies s3:ListAllMyBuckets" in runs[0].output


@pytest.mark.parametrize("playbook", PLAYBOOKS)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "bare", "--image=registry.example.com/any"], "may create pods as a dry run only"),
        (["create", "token", "enbuild-enbuild-ctf"], "may make tokens for pods.eks.amazonaws.com only"),
    ],
    ids=["pod", "token"],
)
def test_a_proof_s_rights_are_good_for_nothing_else(
    lab: Lab, acted: Acted, playbook: str, words: list[str], said: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        lab.kubectl(*words, "-n", SPACE, "--as=somebody", f"--as-group=enbuild-eks-{playbook}")
    limited = f"enbuild-eks-{playbook} {said}"
    granted = limited in rbac_file(playbook).read_text()
    assert (limited if granted else 'User "somebody" cannot create resource') in refused.value.stderr


X = {"name": "x", "namespace": SPACE, "service_account": "x"}
STEPS = "pod_identity_agent,pod_identity_iam,pod_identity_associations"
DENIED: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "add-on": (
        {"pod_identity_agent_configuration_values": {"resources": {"limits": {"memory": "32Mi"}}}},
        "eks:UpdateAddon on resource: arn:aws:eks:us-east-1:123456789012:addon/lab/eks-pod-identity-agent/",
        "user/enbuild-eks-site is not authorized",
    ),
    "role": (
        {
            "pod_identity_workloads": [
                {"name": "x", "namespace": SPACE, "service_account": "x", "role_name": "unlisted"}
            ]
        },
        "iam:CreateRole on resource: arn:aws:iam::123456789012:role/unlisted",
        "user/enbuild-eks-site is not authorized",
    ),
    "pass": (
        {"pod_identity_workloads": [{**X, "role_arn": "arn:aws:iam::123456789012:role/lab-node"}]},
        "iam:PassRole on resource: arn:aws:iam::123456789012:role/lab-node",
        "user/enbuild-eks-site is not authorized",
    ),
    "namespace": (
        {"pod_identity_workloads": [{"name": "x", "namespace": "kube-system", "deployment": "x", "role_name": "x"}]},
        'cannot list resource "deployments" in API group "apps" in the namespace "kube-system"',
        'User "arn:aws:iam::123456789012:user/enbuild-eks-site"',
    ),
}


def test_a_missing_permission_is_named_with_who_lacks_it_and_on_what(lab: Lab, acted: Acted, tmp_path: Path) -> None:
    """Each stops at its own. They are one cluster, which a run takes once."""
    operator, _runs = acted["site"]
    taken = {"Effect": "Deny", "Action": "eks:UpdateAddon", "Resource": "*"}
    lab.aws("iam").put_user_policy(UserName=operator.group, PolicyName="taken", PolicyDocument=policy(taken))
    given = {"eks_cluster_name": lab.cluster_name, "eks_region": lab.region}
    hosts = {name: {**given, **variables} for name, (variables, _what, _who) in DENIED.items()}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    for name, (_variables, what, who) in DENIED.items():
        arguments = ["-i", str(inventory), "--limit", name, "enbuild.eks.site", "--tags", STEPS]
        run = run_playbook(arguments, operator.environment())
        assert f"{name} stopped at" in run.failure
        assert what in run.failure, run.failure
        assert who in run.failure, run.failure


def test_helm_says_what_it_may_not_read(lab: Lab, acted: Acted) -> None:
    run = acted["site"][0].run("--tags", "enbuild_release", enbuild_release_namespace="other")
    said = 'User "arn:aws:iam::123456789012:user/enbuild-eks-site" cannot list resource "secrets"'
    assert said in run.failure.replace("\\", ""), run.output
