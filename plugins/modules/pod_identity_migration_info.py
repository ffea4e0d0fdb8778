#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_migration_info
version_added: 0.1.0
short_description: Plan the way from IRSA, or from the node's role, to EKS Pod Identity
description:
  - Finds the service accounts that are annotated with a role for IRSA (C(eks.amazonaws.com/role-arn)), whatever tool
    did that, and those of declared workloads, and says for each what leads to Pod Identity without an interval in which
    a pod has no credentials.
  - An annotation counts only where the role's trust policy lets that service account in by IRSA today, an association
    gives it that role already, or the role is declared for it.
  - Nothing is changed. The role P(enbuild.eks.pod_identity_migrate#role) acts on the plan.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  namespaces:
    description: Namespaces to look at. V(*) means all of the cluster.
    type: list
    elements: str
    default: ["*"]
  include:
    description: Patterns of C(NAMESPACE/SERVICE_ACCOUNT) with C(*) and C(?); only what one of them matches. All when
      empty.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns of what is left out, in the same form.
    type: list
    elements: str
    default: []
  workloads:
    description:
      - Declared workloads, as RV(enbuild.eks.pod_identity_declaration_info#module:workloads) has them. Their service
        accounts are looked at also without an annotation, for they may have their permissions from the node.
    type: list
    elements: dict
    default: []
  targets:
    description:
      - For a role of another account that an annotation names, the ARN of the role of the cluster's account by which it
        is reached, or a dictionary with C(role_arn) and C(service_accounts), a list of C(NAMESPACE/NAME). The other one
        becomes the association's target role.
      - The trust policy of another account can't be read from here. So a service account that no association gives the
        role yet has to be in C(service_accounts); else it is blocked.
    type: dict
    default: {}
  scope:
    description: How much a new statement of a trust policy lets in, as in P(enbuild.eks.pod_identity_trust#filter).
    type: str
    choices: [none, account, cluster, service_account]
    default: service_account
  trust_size:
    description: Characters that IAM takes of a role's trust policy (the quota ACLSizePerRole of the account).
    type: int
    default: 2048
  session_tags:
    description:
      - Whether EKS is to send session tags with new associations. They are passed on to every role that is assumed
        further on, which has to allow C(sts:TagSession).
      - Without them, O(scope) has to be wider than V(service_account).
    type: bool
    default: true
  unproven:
    description:
      - Service accounts (C(NAMESPACE/NAME)) whose old way goes although no pod is there to prove the new one, or
        although something may use it that was not looked at, such as a CronJob between runs, a workload at 0 replicas,
        or a SecretStore.
      - A pod that runs without the injection of Pod Identity keeps the old way all the same.
    type: list
    elements: str
    default: []
  host_network:
    description: Whether declared workloads are to leave their nodes' network in the end.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait while pods that use the old way are about to end (RV(accounts[].ending)); V(0) looks
        once. The result is the last look, and doesn't fail.
      - An EKS token in O(api_key) lives for 15 minutes.
    type: int
    default: 0
seealso:
  - module: enbuild.eks.pod_identity_workload_info
  - module: enbuild.eks.pod_identity_role_trust
"""

EXAMPLES = r"""
- name: What would a migration do
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
      description: What its pods get now - V(pod_identity), V(irsa), or nothing but their V(node).
      type: str
      sample: irsa
    state:
      description: V(to migrate), V(migrated) with an old way that is left, V(finished), V(blocked), or V(left alone).
      type: str
      sample: to migrate
    role_arn:
      description: The role that its pods have by Pod Identity in the end.
      type: str
      sample: arn:aws:iam::123456789012:role/shop-orders
    target_role_arn:
      description: The role of another account behind it; null for none.
      type: str
      sample: null
    steps:
      description: What is to be done, in order.
      type: list
      elements: str
      sample: [restart Deployment shop/orders]
    left:
      description: What takes the old way away, once the new one is proven.
      type: list
      elements: str
      sample: [take away the annotation eks.amazonaws.com/role-arn]
    stays:
      description: What keeps the old way in place - pods without the injection, whatever owns them, and whatever was
        not looked at. Empty where nothing does.
      type: str
      sample: "CronJob shop/report makes pods from time to time"
    ending:
      description: Whether pods on their way out are among that.
      type: bool
      sample: false
    problem:
      description: Why it is blocked, or left alone.
      type: str
      sample: ""
    stops:
      description:
        - Whether that stops a run before anything is changed.
        - What the owner of a namespace alone has written, such as an annotation, never does; such a service account is
          left as it is.
      type: bool
      sample: false
    warnings:
      description: What else there is to know.
      type: list
      elements: str
      sample: ["Helm release shop/orders holds the annotation of shop/orders: take it out there too, or it comes back"]
    act:
      description: What the role takes to act.
      type: dict
      sample: {}
    finish:
      description: What the role takes to finish.
      type: dict
      sample: {}
    back:
      description: What the role takes to go back.
      type: dict
      sample: {}
lines:
  description: The plan for people - a line for each service account, and one below it for each step, obstacle and note.
  returned: always
  type: list
  elements: str
  sample: ["shop/orders (IRSA): to migrate", "  1. restart Deployment shop/orders"]
trusts:
  description: The trust policies that are opened, as O(enbuild.eks.pod_identity_role_trust#module:roles) takes them -
    each role once, with all of its service accounts.
  returned: always
  type: list
  elements: dict
  sample:
    - role_arn: arn:aws:iam::123456789012:role/shop-orders
      service_accounts: [shop/orders]
      pod_identity: true
workloads:
  description: The service accounts that nothing stands in the way of, as C(pod_identity_workloads) takes them.
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
