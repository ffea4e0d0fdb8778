#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_migration_info
version_added: 1.0.0
short_description: Plan a migration from IRSA or the node's role to EKS Pod Identity
description:
  - Finds the service accounts with an IRSA annotation (C(eks.amazonaws.com/role-arn)), whatever tool wrote it, and
    those of declared workloads. Returns for each the steps to Pod Identity. No pod is without credentials at any
    time.
  - An annotation counts only if the role's trust policy lets that service account in by IRSA today, if an association
    gives it that role already, or if the role is declared for it.
  - Changes nothing. The role P(enbuild.eks.pod_identity_migrate#role) carries out the plan.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  namespaces:
    description: Namespaces to read. V(*) means all namespaces of the cluster.
    type: list
    elements: str
    default: ["*"]
  include:
    description: Patterns of C(NAMESPACE/SERVICE_ACCOUNT) to include, with C(*) and C(?). All when empty.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns of C(NAMESPACE/SERVICE_ACCOUNT) to exclude.
    type: list
    elements: str
    default: []
  workloads:
    description:
      - Declared workloads, as RV(enbuild.eks.pod_identity_declaration_info#module:workloads) has them. Their service
        accounts are included without an annotation too, because their pods may use the node's role.
    type: list
    elements: dict
    default: []
  targets:
    description:
      - For each role of another account that an annotation names, the ARN of a role of the cluster's account that can
        assume it, or a dictionary with C(role_arn) and C(service_accounts), a list of C(NAMESPACE/NAME). The role of
        the other account becomes the association's target role.
      - The module can't read a trust policy of another account. So a service account must be in C(service_accounts),
        unless an association gives it the role already. Otherwise it is blocked.
    type: dict
    default: {}
  scope:
    description: Scope of a new statement in a trust policy, as in P(enbuild.eks.pod_identity_trust#filter).
    type: str
    choices: [none, account, cluster, service_account]
    default: service_account
  trust_size:
    description: Maximum characters of a role's trust policy (the account's quota ACLSizePerRole).
    type: int
    default: 2048
  session_tags:
    description:
      - Whether EKS sends session tags with new associations. They are passed on to every role that the role assumes
        in turn, which must allow C(sts:TagSession).
      - Without session tags, O(scope) must be wider than V(service_account).
    type: bool
    default: true
  unproven:
    description:
      - Service accounts (C(NAMESPACE/NAME)) to finish even if no pod runs to prove Pod Identity, or if something that
        can't be looked at may use IRSA, such as a CronJob between runs, a workload with 0 replicas, or a SecretStore.
      - A pod that runs without the injection of Pod Identity still prevents that.
    type: list
    elements: str
    default: []
  host_network:
    description: Whether finishing removes C(hostNetwork) from declared workloads.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait while pods that use IRSA are terminating (RV(accounts[].ending)). V(0) reads once. The task
        returns what it read last, and doesn't fail.
      - An EKS token in O(api_key) is valid for 15 minutes.
    type: int
    default: 0
seealso:
  - module: enbuild.eks.pod_identity_workload_info
  - module: enbuild.eks.pod_identity_role_trust
"""

EXAMPLES = r"""
- name: See what a migration would do
  enbuild.eks.pod_identity_migration_info:
    cluster_name: production
    namespaces: [shop]
    exclude: ["shop/legacy-*"]
  register: migration

- name: Show it
  ansible.builtin.debug:
    msg: "{{ migration.lines }}"
"""

RETURN = r"""
accounts:
  description: One entry for each service account, by namespace and name.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Namespace and name.
      type: str
      sample: shop/orders
    namespace:
      description: Namespace of the service account.
      type: str
      sample: shop
    service_account:
      description: Name of the service account.
      type: str
      sample: orders
    way:
      description: What its pods use now - V(pod_identity), V(irsa), or their V(node)'s role.
      type: str
      sample: irsa
    state:
      description: V(to migrate), V(migrated) with IRSA still in place, V(finished), V(blocked), or V(left alone).
      type: str
      sample: to migrate
    role_arn:
      description: ARN of the role that its pods get by Pod Identity.
      type: str
      sample: arn:aws:iam::123456789012:role/shop-orders
    target_role_arn:
      description: The role of another account behind it; null for none.
      type: str
      sample: null
    steps:
      description: The steps of the migration, in order.
      type: list
      elements: str
      sample: [restart Deployment shop/orders]
    left:
      description: The steps that remove IRSA or C(hostNetwork), once Pod Identity is proven.
      type: list
      elements: str
      sample: [take away the annotation eks.amazonaws.com/role-arn]
    stays:
      description: What prevents that removal - pods without the injection, whatever owns them, and what couldn't be
        looked at. Empty if nothing does.
      type: str
      sample: "CronJob shop/report makes pods from time to time"
    ending:
      description: Whether terminating pods are among that.
      type: bool
      sample: false
    problem:
      description: Why it is blocked or left alone.
      type: str
      sample: ""
    stops:
      description:
        - Whether that stops a run before it changes anything.
        - What only a namespace's owner has written, such as an annotation, never does. Such a service account is not
          changed.
      type: bool
      sample: false
    warnings:
      description: Further warnings.
      type: list
      elements: str
      sample: ["Helm release shop/orders holds the annotation of shop/orders: take it out there too, or it comes back"]
    act:
      description: Data for the role P(enbuild.eks.pod_identity_migrate#role) to migrate.
      type: dict
      sample: {}
    finish:
      description: Data for that role to finish.
      type: dict
      sample: {}
    back:
      description: Data for that role to go back.
      type: dict
      sample: {}
lines:
  description: The plan for people - a line for each service account, and one below it for each step, obstacle and note.
  returned: always
  type: list
  elements: str
  sample: ["shop/orders (IRSA): to migrate", "  1. restart Deployment shop/orders"]
trusts:
  description: The trust policies that get a statement, as O(enbuild.eks.pod_identity_role_trust#module:roles) takes
    them -
    each role once, with all of its service accounts.
  returned: always
  type: list
  elements: dict
  sample:
    - role_arn: arn:aws:iam::123456789012:role/shop-orders
      service_accounts: [shop/orders]
      pod_identity: true
workloads:
  description: The service accounts that can be migrated, as C(pod_identity_workloads) takes them.
  returned: always
  type: list
  elements: dict
  sample:
    - name: shop/orders
      namespace: shop
      service_account: orders
      role_arn: arn:aws:iam::123456789012:role/shop-orders
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._core.converge import run
from ..module_utils._core.poll import look_until
from ..module_utils._migration.read import read_accounts
from ..module_utils._migration.summary import summary

ARGUMENT_SPEC = {
    **AUTH_ARG_SPEC,
    "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]},
    "cluster_name": {"type": "str", "required": True},
    "namespaces": {"type": "list", "elements": "str", "default": ["*"]},
    "include": {"type": "list", "elements": "str", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "workloads": {"type": "list", "elements": "dict", "default": []},
    "targets": {"type": "dict", "default": {}},
    "scope": {
        "type": "str",
        "choices": ["none", "account", "cluster", "service_account"],
        "default": "service_account",
    },
    "trust_size": {"type": "int", "default": 2048},
    "session_tags": {"type": "bool", "default": True},
    "unproven": {"type": "list", "elements": "str", "default": []},
    "host_network": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 0},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(changed=False, **summary(_settled(module))))


def _settled(module: AnsibleAWSModule) -> list[dict[str, t.Any]]:
    """The accounts once no pod of theirs is about to end, or when time is up."""
    timeout = module.params["wait_timeout"]
    return look_until(lambda: read_accounts(module), lambda accounts: not any(map(_ending, accounts)), timeout)


def _ending(account: dict[str, t.Any]) -> bool:
    return bool(account["ending"])


if __name__ == "__main__":
    main()
