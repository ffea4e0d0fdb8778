# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated accounts: the operator's at the start and again at each reset, others when a test opens them."""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path

from moto.core.base_backend import BackendDict
from moto.iam.models import IAMBackend, iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from . import bedrock, eks, iam, sts
from .config import Config, Node
from .kubernetes_api import KubernetesApi
from .state import Lab

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
"""The operator has an account of the same number and key in each: a caller's partition is never a guess."""

ADMINISTRATOR = "arn:{partition}:iam::aws:policy/AdministratorAccess"

ACCOUNT_ID = re.compile(r"\d{12}")
OPERATOR_ROLE = "operator"
"""In each account that is opened for the operator."""

NODE_POLICY = "arn:{partition}:iam::aws:policy/AmazonEKSWorkerNodePolicy"
NODE_SESSION_SECONDS = 10 * 365 * 24 * 3600
"""A real one lives for hours and is renewed; this one has to outlive the lab."""


def build(config: Config) -> Lab:
    """Return a lab with its operator and clusters, served by moto's backends in this process."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    _load_managed_policies_once()
    token = Path(config.control_token_file).read_text(encoding="utf-8").strip()
    lab = Lab(config, KubernetesApi(config.kubernetes), token)
    eks.install(lab)
    bedrock.install()
    iam.install()
    sts.install()
    populate(lab)
    return lab


def reset(lab: Lab) -> None:
    """Forget everything in AWS and start over; Kubernetes objects stay."""
    BackendDict.reset()
    fresh = Lab(lab.config, lab.kubernetes)
    lab.weather, lab.faults, lab.calls = fresh.weather, fresh.faults, fresh.calls
    lab.throttles = fresh.throttles
    populate(lab)


def populate(lab: Lab) -> None:
    """Make the operator, and the operator's clusters."""
    lab.creators, lab.access_entries = {}, []
    for partition in PARTITIONS:
        _make_operator(lab.config, partition)
    if lab.config.node:
        _make_node_role(lab.config, lab.config.node)
    for cluster in lab.config.clusters:
        eks.make_cluster(lab, cluster, _operator_arn(lab.config, get_partition(cluster.region)))


def open_account(lab: Lab, account_id: str, external_id: str) -> str:
    """Let the operator into another account, as its administrator, and return the role to assume; ValueError."""
    if not ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"an account is 12 digits, not {account_id!r}")
    partition = get_partition(lab.config.region)
    trust: dict[str, t.Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": _operator_arn(lab.config, partition)},
        "Action": "sts:AssumeRole",
    }
    if external_id:
        trust["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    backend = iam_backends[account_id][partition]
    role = backend.create_role(OPERATOR_ROLE, _document(trust), "/", None, "", [], "3600")
    backend.attach_role_policy(ADMINISTRATOR.format(partition=partition), OPERATOR_ROLE)
    return str(role.arn)


def _operator_arn(config: Config, partition: str) -> str:
    return f"arn:{partition}:iam::{config.account_id}:user/{config.operator.user_name}"


def _document(statement: dict[str, t.Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _load_managed_policies_once() -> None:
    """Let new IAM backends copy AWS's 1,500 policies: moto reads them anew for each backend, 0.1 s each."""
    policies = {partition: IAMBackend(partition, "aws").aws_managed_policies for partition in PARTITIONS}

    def of_partition(backend: IAMBackend) -> list[t.Any]:
        return [_copied(policy) for policy in policies.get(backend.partition, ())]

    IAMBackend._init_aws_policies = of_partition


def _copied(policy: t.Any) -> t.Any:
    """Return a shallow copy, several times as fast as ``copy.copy``: a reset makes some thousands."""
    new = object.__new__(type(policy))
    new.__dict__.update(policy.__dict__)
    return new


def _make_operator(config: Config, partition: str) -> None:
    backend = iam_backends[config.account_id][partition]
    operator = config.operator
    backend.create_user(partition, operator.user_name)
    key = backend.create_access_key(operator.user_name)
    del backend.access_keys[key.access_key_id]
    key.access_key_id, key.secret_access_key = operator.access_key_id, operator.secret_access_key
    backend.access_keys[key.access_key_id] = key
    backend.attach_user_policy(ADMINISTRATOR.format(partition=partition), operator.user_name)


def _make_node_role(config: Config, node: Node) -> None:
    """Make the nodes' role and the one session of it that all nodes share."""
    partition = get_partition(config.region)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    backend = iam_backends[config.account_id][partition]
    role = backend.create_role(node.role_name, _document(trust), "/", None, "", [], "3600")
    backend.attach_role_policy(NODE_POLICY.format(partition=partition), node.role_name)
    session = sts_backends[config.account_id][partition].assume_role(
        config.region, "i-00000000000000000", role.arn, "", NODE_SESSION_SECONDS, ""
    )
    session.access_key_id, session.secret_access_key = node.access_key_id, node.secret_access_key
    session.session_token = node.session_token
