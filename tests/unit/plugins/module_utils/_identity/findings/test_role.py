# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A remedy for a trust policy adds one statement, as narrow as can be, and takes nothing away."""

from __future__ import annotations

import json
import shlex
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._iam.trust_policy import trust_policy
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Cluster, Evidence, Surroundings
from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings import role as role_findings
from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings.codes import Finding
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Template
from ansible_collections.enbuild.eks.plugins.module_utils._workload.model import Workload

ACCOUNT = "123456789012"
ARN = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/lab"
ROLE, TARGET = f"arn:aws:iam::{ACCOUNT}:role/orders", "arn:aws:iam::210987654321:role/target"
OWNER = Owner("Deployment", "shop", "orders")
TEMPLATE = Template(OWNER, {"spec": {"serviceAccountName": "orders"}})
EC2 = {"Sid": "Ec2", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
ELSEWHERE = trust_policy(ARN, "service_account", namespace="elsewhere", service_account="orders")["Statement"][0]
DENIAL = {"Sid": "No", "Effect": "Deny", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
OTHERS_DENIAL = {**DENIAL, "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "elsewhere"}}}
Document = dict[str, t.Any]


def found(*statements: Document, arn: str = ARN, target: Role | None = None, **association: t.Any) -> Finding:
    role = Role(ROLE, True, {"Version": "2012-10-17", "Statement": list(statements)})
    around = Surroundings(Cluster("lab", arn=arn))
    given = {"association_id": "a-1", "role_arn": ROLE, **association}
    seen = Evidence(Workload("orders", OWNER), TEMPLATE, given, around=around, role=role, target=target)
    (finding,) = role_findings.of_roles(seen)
    return finding


def written(finding: Finding) -> list[Document]:
    """The statements that the remedy writes."""
    words = shlex.split(finding.remedy)
    assert words[:3] == ["aws", "iam", "update-assume-role-policy"]
    document = json.loads(words[words.index("--policy-document") + 1])
    return list(document["Statement"])


@pytest.mark.parametrize("kept", [[EC2], [ELSEWHERE], [EC2, OTHERS_DENIAL]], ids=["others", "elsewhere", "denial"])
def test_one_statement_for_this_service_account_is_added(kept: list[Document]) -> None:
    finding = found(*kept)
    *before, new = written(finding)
    assert (finding.code, before) == ("trust_excludes", kept)
    assert new["Condition"] == {
        "ArnEquals": {"aws:SourceArn": ARN},
        "StringEquals": {
            "aws:SourceAccount": ACCOUNT,
            "aws:RequestTag/eks-cluster-arn": ARN,
            "aws:RequestTag/kubernetes-namespace": "shop",
            "aws:RequestTag/kubernetes-service-account": "orders",
        },
    }


def test_what_is_denied_is_for_a_person_to_decide() -> None:
    finding = found(EC2, DENIAL)
    assert finding.code == "trust_excludes"
    assert finding.remedy.startswith("Change the statement that denies in the trust policy of role orders, or give")


def test_without_session_tags_the_cluster_is_let_in() -> None:
    finding = found(ELSEWHERE, disable_session_tags=True)
    *_before, new = written(finding)
    assert new["Condition"] == {
        "ArnEquals": {"aws:SourceArn": ARN},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }


def test_where_the_cluster_is_not_known_its_account_is() -> None:
    *_before, new = written(found(EC2, arn=""))
    assert new["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_target_role_that_denies_gets_no_statement() -> None:
    denial = {**DENIAL, "Principal": {"AWS": ROLE}}
    target = Role(TARGET, True, {"Version": "2012-10-17", "Statement": [denial]})
    open_to_us = trust_policy(ARN, "cluster")["Statement"][0]
    finding = found(open_to_us, target=target, target_role_arn=TARGET)
    assert finding.code == "target_role_excludes"
    assert finding.remedy.startswith("Change the statement that denies in the trust policy of role target")
