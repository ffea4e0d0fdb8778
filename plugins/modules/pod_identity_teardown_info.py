#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_teardown_info
version_added: 1.0.0
short_description: Report what this collection created in a cluster, and what still uses it
description:
  - Returns the associations of a cluster, the roles of those that this collection created, the running pods that hold
    credentials from them, the associations of the account's clusters that use the same roles, and why a role stays.
  - What this collection created has the tag C(enbuild.eks/managed-by).
  - Changes nothing. The role P(enbuild.eks.pod_identity_teardown#role) uses the result.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  namespaces:
    description: Namespaces whose associations may be deleted.
    type: list
    elements: str
    default: []
  roles:
    description: Names of roles that may be deleted, besides those of the associations of O(namespaces).
    type: list
    elements: str
    default: []
  release:
    description: A Helm release (C(NAMESPACE/NAME)) that is uninstalled first, so its pods don't stop the teardown.
    type: str
    default: ""
  regions:
    description:
      - Regions whose clusters may use the same roles, besides the cluster's own region. A role belongs to the whole
        account.
      - Regions of another partition are ignored. The clusters are read only if this collection created one of the
        roles.
    type: list
    elements: str
    default: []
  declared:
    description:
      - Declared workloads, as RV(enbuild.eks.pod_identity_declaration_info#module:declared) has them. A policy that
        they declare for their role doesn't count as somebody else's, and a role that they name by ARN stays.
    type: list
    elements: dict
    default: []
  altered_roles:
    description: Whether to delete roles even if somebody else changed them.
    type: bool
    default: false
  ended:
    description: ARNs of associations, in any cluster, that were deleted, or would be in check mode. They use no role
      any more.
    type: list
    elements: str
    default: []
  elsewhere:
    description: ARNs of roles that a teardown of another cluster deletes. They are left out here.
    type: list
    elements: str
    default: []
  wait_timeout:
    description:
      - Seconds to wait for pods to end, until RV(obstacle) is empty. V(0) reads once. The task returns what it read
        last, and doesn't fail.
      - An EKS token in O(api_key) is valid for 15 minutes.
    type: int
    default: 0
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
notes:
  - "Permissions: C(eks:ListPodIdentityAssociations), C(eks:DescribePodIdentityAssociation), C(eks:ListClusters),
    C(iam:GetRole), C(iam:ListRolePolicies), C(iam:ListAttachedRolePolicies), C(iam:ListInstanceProfilesForRole); in
    Kubernetes, to list pods and workloads of the namespaces."
seealso:
  - module: enbuild.eks.pod_identity_associations
"""

EXAMPLES = r"""
- name: Read how to reach the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
  register: read

- name: See what was created here for the shop, and what uses it
  enbuild.eks.pod_identity_teardown_info:
    cluster_name: production
    region: us-east-1
    host: "{{ read.cluster.endpoint }}"
    ca_cert: "{{ read.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', 'production', region='us-east-1') }}"
    namespaces: [shop]
    roles: [shop-orders]
    regions: [us-west-2]
  register: seen
"""

RETURN = r"""
associations:
  description: Every association of the cluster.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the service account.
      type: str
      sample: shop
    service_account:
      description: Name of the service account.
      type: str
      sample: orders
    association_arn:
      description: ARN of the association.
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:podidentityassociation/production/a-1234567890abcdefg
    owner_arn:
      description: ARN of the add-on that owns it; empty for none.
      type: str
      sample: ""
    role_arn:
      description: Its role; empty outside of O(namespaces), where it isn't read.
      type: str
      sample: arn:aws:iam::123456789012:role/shop-orders
    asked:
      description: Whether it is in one of O(namespaces).
      type: bool
      sample: true
    ours:
      description: Whether it is, and this collection created it.
      type: bool
      sample: true
roles:
  description: The roles in O(roles) that exist, and the roles of the associations that this collection created.
  returned: always
  type: list
  elements: dict
  contains:
    role_name:
      description: Name of the role.
      type: str
      sample: shop-orders
    role_arn:
      description: ARN of the role.
      type: str
      sample: arn:aws:iam::123456789012:role/shop-orders
    ours:
      description: Whether this collection created it. Of other roles, only the trust policy is read.
      type: bool
      sample: true
    principals:
      description: All principals in its trust policy.
      type: list
      elements: str
      sample: [pods.eks.amazonaws.com]
    inline_policies:
      description: Names of its inline policies.
      type: list
      elements: str
      sample: [shop-orders]
    attached_policies:
      description: ARNs of the managed policies that are attached to it.
      type: list
      elements: str
      sample: []
    instance_profiles:
      description: Names of the instance profiles that contain it.
      type: list
      elements: str
      sample: []
    reasons:
      description: Why it stays; empty if it may be deleted.
      type: list
      elements: str
      sample: ["the association of shop/search in cluster production in us-east-1 uses it"]
unused_roles:
  description: Those of RV(roles) that may be deleted, as O(enbuild.eks.pod_identity_roles#module:roles) takes them.
  returned: always
  type: list
  elements: dict
  sample: [{role_name: shop-orders}]
agent_users:
  description: Service accounts (C(NAMESPACE/NAME)) that still use the Pod Identity Agent after O(ended) are deleted.
  returned: always
  type: list
  elements: str
  sample: [shop/search]
users:
  description: The associations of the account's clusters, in O(regions), that use one of the roles that this
    collection created.
  returned: always
  type: list
  elements: dict
  sample:
    - cluster_name: production
      region: us-east-1
      namespace: shop
      service_account: orders
      association_arn: arn:aws:eks:us-east-1:123456789012:podidentityassociation/production/a-1234567890abcdefg
      owner_arn: ""
      role_arn: arn:aws:iam::123456789012:role/shop-orders
      target_role_arn: ""
unread:
  description: Clusters and regions that could not be read.
  returned: always
  type: list
  elements: dict
  sample: []
pods:
  description: Running pods that hold credentials from the associations that this collection created.
  returned: always
  type: list
  elements: dict
  sample:
    - namespace: shop
      name: orders-6d4cf56db6-x2m8f
      service_account: orders
      kind: Deployment
      owner: orders
      release: ""
pods_unread:
  description: Why the pods can't be read; empty if they could, or weren't needed.
  returned: always
  type: str
  sample: ""
obstacle:
  description: Why pods stop the teardown, with the command that ends each workload; empty if none do.
  returned: always
  type: str
  sample: ""
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._core.converge import run
from ..module_utils._core.poll import look_until
from ..module_utils._teardown.read import read_uses

ARGUMENT_SPEC = {
    **AUTH_ARG_SPEC,
    "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]},
    "cluster_name": {"type": "str", "required": True},
    "namespaces": {"type": "list", "elements": "str", "default": []},
    "roles": {"type": "list", "elements": "str", "default": []},
    "release": {"type": "str", "default": ""},
    "regions": {"type": "list", "elements": "str", "default": []},
    "declared": {"type": "list", "elements": "dict", "default": []},
    "altered_roles": {"type": "bool", "default": False},
    "ended": {"type": "list", "elements": "str", "default": []},
    "elsewhere": {"type": "list", "elements": "str", "default": []},
    "wait_timeout": {"type": "int", "default": 0},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(changed=False, **_settled(module)))


def _settled(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """What is there once no pod forbids the teardown, or when time is up."""
    timeout = module.params["wait_timeout"]
    return look_until(lambda: read_uses(module), lambda seen: not seen["obstacle"], timeout)


if __name__ == "__main__":
    main()
