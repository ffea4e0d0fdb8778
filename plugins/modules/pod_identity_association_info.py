#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_association_info
version_added: 1.0.0
short_description: Read the Pod Identity associations of an EKS cluster
description:
  - Reads all EKS Pod Identity associations of a cluster, or those that match the options, with every detail.
  - What EKS lists without details is described many at a time.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  namespace:
    description: Only associations of service accounts in this namespace.
    type: str
  service_account:
    description: Only associations of service accounts with this name, in any namespace unless O(namespace) is given.
    type: str
  association_id:
    description: Only the association with this id.
    type: str
  role_arn:
    description: Only associations that give this role, as their role or as their target role.
    type: str
  concurrency:
    description: How many associations are described at a time.
    type: int
    default: 8
seealso:
  - module: enbuild.eks.pod_identity_association
  - module: enbuild.eks.pod_identity_associations
"""

EXAMPLES = r"""
- name: Read every association of the cluster
  enbuild.eks.pod_identity_association_info:
    cluster_name: production
  register: all_of_them

- name: Show which service account has which role
  ansible.builtin.debug:
    msg: "{{ item.namespace }}/{{ item.service_account }} -> {{ item.role_arn }}"
  loop: "{{ all_of_them.associations }}"
  loop_control:
    label: "{{ item.association_id }}"

- name: Read the association of one service account
  enbuild.eks.pod_identity_association_info:
    cluster_name: production
    namespace: shop
    service_account: orders

- name: Read who has a role, before it is changed
  enbuild.eks.pod_identity_association_info:
    cluster_name: production
    role_arn: arn:aws:iam::123456789012:role/shop-orders
"""

RETURN = r"""
associations:
  description: The associations that match, ordered by namespace and service account; empty when none does.
  returned: success
  type: list
  elements: dict
  contains:
    cluster_name:
      description: Name of the cluster.
      type: str
      returned: always
      sample: production
    namespace:
      description: Namespace of the service account.
      type: str
      returned: always
      sample: shop
    service_account:
      description: Name of the service account.
      type: str
      returned: always
      sample: orders
    role_arn:
      description: ARN of the role.
      type: str
      returned: always
      sample: arn:aws:iam::123456789012:role/shop-orders
    target_role_arn:
      description: ARN of the target role, or V(null).
      type: str
      returned: always
      sample: arn:aws:iam::210987654321:role/orders-archive
    disable_session_tags:
      description: Whether there are no session tags.
      type: bool
      returned: always
      sample: false
    policy:
      description: The session policy as a dictionary, or V(null).
      type: dict
      returned: always
      sample: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}
    tags:
      description: Tags, as they were written.
      type: dict
      returned: always
      sample: {CostCenter: "42", team: shop}
    external_id:
      description: What the target role's trust policy may ask for as C(sts:ExternalId), or V(null).
      type: str
      returned: always
      sample: us-east-1/123456789012/production/shop/orders
    owner_arn:
      description: ARN of the add-on that owns the association, or V(null).
      type: str
      returned: always
      sample: arn:aws:eks:us-east-1:123456789012:addon/production/aws-ebs-csi-driver/0ac87b2a-1c2b-4a5f
    association_arn:
      description: ARN of the association.
      type: str
      returned: always
      sample: arn:aws:eks:us-east-1:123456789012:podidentityassociation/production/a-abcdefghijklmnop1
    association_id:
      description: Id of the association.
      type: str
      returned: always
      sample: a-abcdefghijklmnop1
    created_at:
      description: When it was created, in ISO 8601.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05+00:00"
    modified_at:
      description: When it was last changed, in ISO 8601.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05+00:00"
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._association.api import EksAssociations
from ..module_utils._association.bulk_apply import select
from ..module_utils._association.bulk_plan import query
from ..module_utils._core.aws import aws_client
from ..module_utils._core.converge import run

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "service_account": {"type": "str"},
    "association_id": {"type": "str"},
    "role_arn": {"type": "str"},
    "concurrency": {"type": "int", "default": 8},
}


def read(module: AnsibleAWSModule) -> None:
    wanted = query(module.params)
    every = not (wanted.service_account or wanted.association_id)
    client = aws_client(module, "eks", many=every, max_pool_connections=wanted.concurrency)
    module.exit_json(changed=False, associations=select(EksAssociations(client, wanted.cluster), wanted))


def main() -> None:
    run(AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), read)


if __name__ == "__main__":
    main()
