#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_associations
version_added: 1.0.0
short_description: Bind many Kubernetes service accounts to IAM roles
description:
  - Creates, changes and deletes the EKS Pod Identity associations of a cluster, or of some of its namespaces, in one
    task.
  - It lists the associations once, describes only those that it compares, several at a time, and writes only what
    differs. For many service accounts, that is much faster than a loop over M(enbuild.eks.pod_identity_association).
  - It refuses invalid input, and associations that may not be changed, before it changes anything. If AWS refuses a
    change, it still makes the others. The task then fails, and its result has the outcome of each association.
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
  associations:
    description:
      - The associations, at most one for each service account.
      - New associations also get the tag C(enbuild.eks/managed-by) with the value C(enbuild.eks), which O(purge=true)
        looks for. Associations that exist already don't get it.
    type: list
    elements: dict
    required: true
    suboptions:
      namespace:
        description: Namespace of the service account.
        type: str
        required: true
      service_account:
        description: Name of the service account.
        type: str
        required: true
      state:
        description: Whether the service account should have an association.
        type: str
        choices: [present, absent]
        default: present
      role_arn:
        description:
          - ARN of the IAM role that the pods get. The role belongs to the account of the cluster.
          - Required when O(associations[].state=present).
        type: str
      target_role_arn:
        description:
          - ARN of a role, also of another account, that EKS assumes with O(associations[].role_arn) and whose
            credentials the pods get.
          - An empty string clears it.
        type: str
      disable_session_tags:
        description: Whether EKS omits the session tags with the cluster, namespace, service account and pod.
        type: bool
      policy:
        description:
          - Session policy that limits what the pods may do, as a dictionary or JSON, of up to 2,048 characters.
          - Needs O(associations[].disable_session_tags=true), given here or in effect already. Needs botocore 1.42.46.
          - An empty string clears it.
        type: json
      tags:
        description: Tags of the association. Not changed when left out.
        type: dict
        aliases: [resource_tags]
      purge_tags:
        description:
          - Whether tags that O(associations[].tags) doesn't list are removed.
          - Tags that AWS reserves and C(enbuild.eks/managed-by) stay.
        type: bool
        default: true
  namespaces:
    description:
      - Limits the task to these namespaces. O(purge) deletes nothing outside of them, and O(associations) may have
        none outside of them.
      - The whole cluster when left out.
    type: list
    elements: str
  purge:
    description:
      - What to do with associations that O(associations) doesn't list.
      - V(false) keeps them.
      - V(true) deletes those that this module created, which have the tag C(enbuild.eks/managed-by).
      - V(all) deletes all of them.
      - It never deletes an association that an add-on owns.
    type: str
    choices: ["false", "true", all]
    default: "false"
  concurrency:
    description: How many associations to read, and then to change, at the same time.
    type: int
    default: 8
seealso:
  - module: enbuild.eks.pod_identity_association
  - module: enbuild.eks.pod_identity_association_info
"""

EXAMPLES = r"""
- name: Let the services of the shop use their roles
  enbuild.eks.pod_identity_associations:
    cluster_name: production
    associations:
      - namespace: shop
        service_account: orders
        role_arn: arn:aws:iam::123456789012:role/shop-orders
        tags: {team: shop}
      - namespace: shop
        service_account: search
        role_arn: arn:aws:iam::123456789012:role/shop-search

- name: Keep in that namespace only what is listed here, of what was made by this module
  enbuild.eks.pod_identity_associations:
    cluster_name: production
    namespaces: [shop]
    purge: true
    associations:
      - namespace: shop
        service_account: orders
        role_arn: arn:aws:iam::123456789012:role/shop-orders

- name: Show what would be left over in the cluster
  enbuild.eks.pod_identity_associations:
    cluster_name: production
    purge: all
    associations: []
  check_mode: true
  diff: true
"""

RETURN = r"""
associations:
  description:
    - What happened to each association, in the order of O(associations); those that were purged follow.
  returned: always, unless the input is refused or the associations can't be listed
  type: list
  elements: dict
  contains:
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
    association:
      description:
        - The association with the keys that M(enbuild.eks.pod_identity_association) returns; empty when there is none.
        - When RV(associations[].failed), as it was found.
      type: dict
      returned: always
      sample: {cluster_name: production, namespace: shop, service_account: orders}
    changed:
      description: Whether anything was changed, also when RV(associations[].failed).
      type: bool
      returned: always
      sample: true
    changes:
      description: The API operations that were made for it, or would be made in check mode.
      type: list
      elements: str
      returned: always
      sample: [create_pod_identity_association]
    failed:
      description: Whether the association is not as it was asked for.
      type: bool
      returned: always
      sample: false
    msg:
      description: What failed, why and what to do.
      type: str
      returned: when it failed
      sample: >-
        Failed to create the association of service account shop/orders in cluster production with role_arn
        arn:aws:iam::123456789012:role/shop-orders: Role provided in the request does not exist.
changes:
  description: The API operations that were made, or would be made in check mode.
  returned: always
  type: list
  elements: str
  sample: [create_pod_identity_association, create_pod_identity_association, delete_pod_identity_association]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._association.api import EksAssociations
from ..module_utils._association.bulk_apply import read, settle_all
from ..module_utils._association.bulk_plan import ALL, KEEP, OWN, request
from ..module_utils._association.options import ARGUMENT_SPEC, TASK_SPEC
from ..module_utils._association.plan import FLOORS
from ..module_utils._core.aws import MANY, Deadline, aws_client
from ..module_utils._core.botocore import require
from ..module_utils._core.converge import converge_all, run
from ..module_utils._iam.missing_role import missing_role
from ..module_utils._iam.roles_api import IamRoles

SET_SPEC = {
    "associations": {"type": "list", "elements": "dict", "required": True, "options": ARGUMENT_SPEC},
    "namespaces": {"type": "list", "elements": "str"},
    "purge": {"type": "str", "choices": [KEEP, OWN, ALL], "default": KEEP},
    "concurrency": {"type": "int", "default": 8},
}


def ensure(module: AnsibleAWSModule) -> None:
    params = module.params
    wanted = request(params)
    client = aws_client(module, "eks", many=len(wanted.targets) >= MANY, max_pool_connections=wanted.concurrency)
    require(client, "CreatePodIdentityAssociation", wanted.floored, FLOORS)
    eks = EksAssociations(client, wanted.cluster, lambda arn: missing_role(IamRoles(aws_client(module, "iam")), arn))
    items = read(eks, wanted)
    deadline = Deadline(params["propagation_timeout"])
    converge_all(
        module,
        ("association", "associations"),
        items,
        lambda items: settle_all(eks, items, wanted.concurrency, deadline),
    )


def main() -> None:
    run(AnsibleAWSModule(argument_spec={**TASK_SPEC, **SET_SPEC}, supports_check_mode=True), ensure)


if __name__ == "__main__":
    main()
