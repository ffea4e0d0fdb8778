#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_association
version_added: 1.0.0
short_description: Bind a Kubernetes service account to an IAM role
description:
  - Creates, changes and deletes the EKS Pod Identity association of a service account. A service account has at most
    one.
  - The service account and its namespace need not exist yet. Running pods keep their credentials, so restart them
    after a change.
  - Use M(enbuild.eks.pod_identity_associations) for many service accounts of one cluster.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.association
  - enbuild.eks.attributes
  - enbuild.eks.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
options:
  namespace:
    description: Namespace of the service account.
    type: str
    required: true
  service_account:
    description: Name of the service account.
    type: str
    required: true
  state:
    description: Whether the service account has an association.
    type: str
    choices: [present, absent]
    default: present
  role_arn:
    description:
      - ARN of the IAM role that the pods get. The role belongs to the account of the cluster.
      - Required when O(state=present).
    type: str
  target_role_arn:
    description:
      - ARN of a role, also of another account, that EKS assumes with O(role_arn) and whose credentials the pods get.
      - An empty string clears it.
    type: str
  disable_session_tags:
    description:
      - Whether EKS leaves out the session tags that tell cluster, namespace, service account and pod.
      - Trust policies and permissions with conditions on such tags don't work without them.
    type: bool
  policy:
    description:
      - Session policy that limits what the pods may do to less than what the role allows, as a dictionary or JSON, of
        up to 2,048 characters. With O(target_role_arn) it limits the target role.
      - Needs O(disable_session_tags=true), given here or in effect already. Needs botocore 1.42.46.
      - Compared as JSON, so that spaces and the order of keys make no change.
      - An empty string clears it.
    type: json
  tags:
    description:
      - Tags of the association. Unset leaves them alone.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description:
      - Whether tags that O(tags) doesn't list are removed.
      - Tags that AWS reserves and C(enbuild.eks/managed-by), by which M(enbuild.eks.pod_identity_associations) knows
        its own associations, stay.
    type: bool
    default: true
seealso:
  - module: enbuild.eks.pod_identity_association_info
  - module: enbuild.eks.pod_identity_associations
"""

EXAMPLES = r"""
- name: Let the orders service use its role
  enbuild.eks.pod_identity_association:
    cluster_name: production
    namespace: shop
    service_account: orders
    role_arn: arn:aws:iam::123456789012:role/shop-orders
    tags:
      team: shop

- name: Limit it to reading one bucket
  enbuild.eks.pod_identity_association:
    cluster_name: production
    namespace: shop
    service_account: orders
    role_arn: arn:aws:iam::123456789012:role/shop-orders
    disable_session_tags: true
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Action: s3:GetObject
          Resource: arn:aws:s3:::shop-orders/*

- name: Use a role of another account, without that limit
  enbuild.eks.pod_identity_association:
    cluster_name: production
    namespace: shop
    service_account: orders
    role_arn: arn:aws:iam::123456789012:role/shop-orders
    target_role_arn: arn:aws:iam::210987654321:role/orders-archive
    policy: ""
  register: orders

- name: Show what the trust policy of that role has to ask for
  ansible.builtin.debug:
    var: orders.association.external_id

- name: Take the role away
  enbuild.eks.pod_identity_association:
    cluster_name: production
    namespace: shop
    service_account: orders
    state: absent
"""

RETURN = r"""
association:
  description: The association; empty when there is none.
  returned: success
  type: dict
  contains:
    cluster_name:
      description: Name of the cluster.
      type: str
      returned: when there is an association
      sample: production
    namespace:
      description: Namespace of the service account.
      type: str
      returned: when there is an association
      sample: shop
    service_account:
      description: Name of the service account.
      type: str
      returned: when there is an association
      sample: orders
    role_arn:
      description: ARN of the role.
      type: str
      returned: when there is an association
      sample: arn:aws:iam::123456789012:role/shop-orders
    target_role_arn:
      description: ARN of the target role, or V(null).
      type: str
      returned: when there is an association
      sample: arn:aws:iam::210987654321:role/orders-archive
    disable_session_tags:
      description: Whether there are no session tags.
      type: bool
      returned: when there is an association
      sample: false
    policy:
      description: The session policy as a dictionary, or V(null).
      type: dict
      returned: when there is an association
      sample: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}
    tags:
      description: Tags, as they were written.
      type: dict
      returned: when there is an association
      sample: {CostCenter: "42", team: shop}
    external_id:
      description: What the target role's trust policy may ask for as C(sts:ExternalId), or V(null).
      type: str
      returned: when there is an association
      sample: us-east-1/123456789012/production/shop/orders
    owner_arn:
      description: ARN of the add-on that owns the association, or V(null).
      type: str
      returned: when there is an association
      sample: arn:aws:eks:us-east-1:123456789012:addon/production/aws-ebs-csi-driver/0ac87b2a-1c2b-4a5f
    association_arn:
      description: ARN of the association; V(null) in check mode when it would be created.
      type: str
      returned: when there is an association
      sample: arn:aws:eks:us-east-1:123456789012:podidentityassociation/production/a-abcdefghijklmnop1
    association_id:
      description: Id of the association; V(null) in check mode when it would be created.
      type: str
      returned: when there is an association
      sample: a-abcdefghijklmnop1
    created_at:
      description: When it was created, in ISO 8601.
      type: str
      returned: when there is an association
      sample: "2026-01-02T03:04:05+00:00"
    modified_at:
      description: When it was last changed, in ISO 8601.
      type: str
      returned: when there is an association
      sample: "2026-01-02T03:04:05+00:00"
changes:
  description: The API operations that were made, or would be made in check mode, in their order.
  returned: always
  type: list
  elements: str
  sample: [update_pod_identity_association, tag_resource]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._association.api import EksAssociations
from ..module_utils._association.apply import settle
from ..module_utils._association.options import ARGUMENT_SPEC, TASK_SPEC
from ..module_utils._association.plan import FLOORS, plan, target
from ..module_utils._core.aws import Deadline, aws_client
from ..module_utils._core.botocore import require
from ..module_utils._core.converge import converge, run
from ..module_utils._core.validate import cluster_name
from ..module_utils._iam.missing_role import missing_role
from ..module_utils._iam.roles_api import IamRoles


def ensure(module: AnsibleAWSModule) -> None:
    params = module.params
    cluster = cluster_name("cluster_name", params["cluster_name"])
    wanted = target(params, cluster, allow_addon_owned=params["allow_addon_owned"])
    client = aws_client(module, "eks")
    require(client, "CreatePodIdentityAssociation", wanted.floored, FLOORS)
    eks = EksAssociations(client, cluster, lambda arn: missing_role(IamRoles(aws_client(module, "iam")), arn))
    todo = plan(wanted, eks.find(wanted.key))
    deadline = Deadline(params["propagation_timeout"])
    place = f"{params['namespace']}/{params['service_account']}"
    converge(module, "association", place, todo, lambda todo: settle(eks, wanted, todo, deadline))


def main() -> None:
    run(AnsibleAWSModule(argument_spec={**TASK_SPEC, **ARGUMENT_SPEC}, supports_check_mode=True), ensure)


if __name__ == "__main__":
    main()
