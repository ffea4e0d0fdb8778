#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_role_trust
version_added: 1.0.0
short_description: Let pods have IAM roles by EKS Pod Identity or by IRSA, without touching who else may
description:
  - Adds a statement for EKS Pod Identity to the trust policies of roles, where they don't let it in yet, and adds or
    takes away what lets service accounts in by the cluster's OIDC provider (IRSA).
  - All other statements stay as they are, in their order.
  - IAM knows no dry run. Before several roles are changed, each of them is written with the trust policy that it has,
    so that a role that the caller may not change is named before anything has changed.
  - IAM has no conditional write either. Each policy is read again right before it is written, and the change is planned
    again if somebody else has changed it. The policy is read once more a second later, and written again if another run
    has overwritten it.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
options:
  cluster_name:
    description: Name of the EKS cluster whose pods are to have the roles.
    type: str
    required: true
  roles:
    description: The roles, each once.
    type: list
    elements: dict
    required: true
    suboptions:
      role_arn:
        description: ARN of the role.
        type: str
        required: true
      service_accounts:
        description: The service accounts that it is about, each as C(NAMESPACE/NAME).
        type: list
        elements: str
        required: true
      pod_identity:
        description:
          - Whether EKS Pod Identity is let in for them.
          - V(false) leaves that as it is.
        type: bool
        default: false
      irsa:
        description:
          - Whether the cluster's OIDC provider is let in for them.
          - V(false) takes away what names them exactly. Other subjects of the same statement stay, and so do statements
            with wildcards or further conditions, and those of other clusters.
          - Unset leaves that as it is.
        type: bool
      statements:
        description:
          - Statements of IRSA, each for one of O(roles[].service_accounts) alone.
          - With O(roles[].irsa=true) they are put back as they are, in place of one with the usual audience.
          - With O(roles[].irsa=false) nothing else is taken away.
        type: list
        elements: dict
  scope:
    description:
      - How much a new statement for Pod Identity lets in, as in P(enbuild.eks.pod_identity_trust#filter).
    type: str
    choices: [none, account, cluster, service_account]
    default: account
  trust_size:
    description:
      - Characters that IAM takes of a role's trust policy (the account's quota ACLSizePerRole).
      - A policy that would have more is refused before any role is changed.
    type: int
    default: 2048
seealso:
  - plugin: enbuild.eks.pod_identity_trust
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Let Pod Identity in, beside IRSA
  enbuild.eks.pod_identity_role_trust:
    cluster_name: production
    roles:
      - role_arn: arn:aws:iam::123456789012:role/shop-orders
        service_accounts: [shop/orders, shop/refunds]
        pod_identity: true

- name: Take IRSA away from one of them
  enbuild.eks.pod_identity_role_trust:
    cluster_name: production
    roles:
      - role_arn: arn:aws:iam::123456789012:role/shop-orders
        service_accounts: [shop/orders]
        irsa: false
"""

RETURN = r"""
roles:
  description: What happened to each role, in the order of O(roles).
  returned: unless the input is refused
  type: list
  elements: dict
  contains:
    role_arn:
      description: ARN of the role.
      type: str
      returned: always
      sample: arn:aws:iam::123456789012:role/shop-orders
    role:
      description: The role's C(role_arn) and its C(trust_policy) as it then is.
      type: dict
      returned: always
      sample: {role_arn: "arn:aws:iam::123456789012:role/shop-orders", trust_policy: {Version: "2012-10-17"}}
    changed:
      description: Whether it was changed.
      type: bool
      returned: always
      sample: true
    changes:
      description: The API operations that were made for it, or would be made in check mode.
      type: list
      elements: str
      returned: always
      sample: [update_assume_role_policy]
    failed:
      description: Always false; a role that can't be changed fails the task.
      type: bool
      returned: always
      sample: false
changes:
  description: The API operations that were made, or would be made in check mode.
  returned: unless the input is refused
  type: list
  elements: str
  sample: [update_assume_role_policy]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._cluster.api import read_cluster
from ..module_utils._core.aws import aws_client
from ..module_utils._core.converge import converge_all, run
from ..module_utils._iam.role_trust_apply import RoleTrusts
from ..module_utils._iam.role_trust_plan import desired_trusts

ROLE_SPEC = {
    "role_arn": {"type": "str", "required": True},
    "service_accounts": {"type": "list", "elements": "str", "required": True},
    "pod_identity": {"type": "bool", "default": False},
    "irsa": {"type": "bool"},
    "statements": {"type": "list", "elements": "dict"},
}
ARGUMENT_SPEC = {
    "cluster_name": {"type": "str", "required": True},
    "roles": {"type": "list", "elements": "dict", "required": True, "options": ROLE_SPEC},
    "scope": {"type": "str", "choices": ["none", "account", "cluster", "service_account"], "default": "account"},
    "trust_size": {"type": "int", "default": 2048},
}


def ensure(module: AnsibleAWSModule) -> None:
    wanted = desired_trusts(module.params)
    trusts = RoleTrusts(aws_client(module, "iam"))
    items = trusts.items(wanted, read_cluster(module, module.params["cluster_name"]))
    converge_all(module, ("role", "roles"), items, trusts.apply)


def main() -> None:
    run(AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), ensure)


if __name__ == "__main__":
    main()
