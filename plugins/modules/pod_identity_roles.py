#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_roles
version_added: 1.0.0
short_description: Create and change IAM roles for EKS Pod Identity
description:
  - Creates and changes a set of IAM roles with their trust policies, inline policies and managed policies in one task.
  - It reads the roles in parallel, and of each only what is compared. It writes only what differs.
  - A role that it creates gets the tag C(enbuild.eks/managed-by) with the value C(enbuild.eks). A role with this tag
    becomes what is declared.
  - A role without this tag belongs to somebody else. If it differs from what is declared, it is adopted when its trust
    policy lets in EKS Pod Identity alone, or when O(adopt=true). Statements, policies and tags are then added to it;
    nothing is taken away from it, and it doesn't get the tag. With O(roles[].service_accounts), its trust policy gains
    only what these service accounts need. Any other role of somebody else fails the task before any role is changed.
  - Right before it writes a trust policy, it reads that policy again. If somebody else has changed it meanwhile, the
    role is planned again, so that of two runs at once neither loses a statement.
  - Input that IAM would refuse halfway, for example a trust policy that is too long, fails the task before any role is
    changed. When AWS refuses a change, the other roles are still changed; the task then fails, and its result has an
    entry for each role.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
options:
  roles:
    description: The roles, each once.
    type: list
    elements: dict
    required: true
    suboptions:
      role_name:
        description: Name of the role.
        type: str
        required: true
      path:
        description:
          - Path of the role, for example V(/pods/). A role that is created without it is under V(/).
          - A role that exists under another path fails the task. Unset, a role may be under any path.
        type: str
      description:
        description: Description of a role that is created. A role that exists keeps its own.
        type: str
      trust_policy:
        description:
          - Who may assume the role, as a dictionary or JSON. See P(enbuild.eks.pod_identity_trust#filter).
          - It is compared by meaning. The order of statements makes no difference.
          - Required with O(state=present).
        type: json
      service_accounts:
        description:
          - The service accounts that the role is for. They matter where the role belongs to somebody else.
          - If its trust policy lets them in, nothing is added to it. Otherwise, it is opened for those that it keeps
            out, however wide O(roles[].trust_policy) is. Without session tags, the narrowest is their cluster.
          - Unset, an adopted role gains the statements of O(roles[].trust_policy) that it lacks.
        type: list
        elements: dict
        suboptions:
          cluster_arn:
            description: ARN of the cluster.
            type: str
            required: true
          namespace:
            description: Namespace of the service account.
            type: str
            required: true
          service_account:
            description: Name of the service account.
            type: str
            required: true
          session_tags:
            description: Whether its association sends session tags.
            type: bool
            default: true
      policy:
        description:
          - Inline policy of the role, as a dictionary or JSON. It is compared by meaning.
          - Unset leaves inline policies alone.
        type: json
      policy_name:
        description: Name of the inline policy. Defaults to O(roles[].role_name).
        type: str
      managed_policies:
        description: ARNs of managed policies that are attached to the role.
        type: list
        elements: str
      purge_policies:
        description:
          - Whether a role that this module created loses inline and managed policies that aren't declared.
          - A role of somebody else loses none.
        type: bool
        default: false
      boundary:
        description:
          - ARN of the policy that is the role's permissions boundary. Unset leaves the boundary alone.
          - A role of somebody else that has another boundary, or none, fails the task.
        type: str
      tags:
        description:
          - Tags of the role. Unset leaves them alone.
          - A role of somebody else gets those that it lacks.
        type: dict
        aliases: [resource_tags]
      purge_tags:
        description:
          - Whether a role that this module created loses tags that O(roles[].tags) doesn't list.
          - Tags that AWS reserves and C(enbuild.eks/managed-by) stay.
        type: bool
        default: true
  state:
    description:
      - V(present) makes of the roles what is declared.
      - V(absent) deletes them with their policies, and removes them from instance profiles. Only O(roles[].role_name)
        counts then. A role without the tag C(enbuild.eks/managed-by) fails the task before any role is deleted.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description: Whether statements, policies and tags may be added to roles of somebody else, whoever uses them.
    type: bool
    default: false
  report_unlisted:
    description:
      - Whether RV(unlisted) is filled, which takes up to two more calls for each role that this module created.
    type: bool
    default: false
  trust_policy_quota:
    description: Characters that a trust policy may have in this account. IAM counts no white space.
    type: int
    default: 2048
  managed_policies_quota:
    description: Managed policies that a role may have in this account.
    type: int
    default: 10
seealso:
  - module: enbuild.eks.pod_identity_associations
  - module: enbuild.eks.pod_identity_role_trust
  - plugin: enbuild.eks.pod_identity_trust
    plugin_type: filter
  - plugin: enbuild.eks.s3_policy
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
  register: read

- name: Create the roles of the shop
  enbuild.eks.pod_identity_roles:
    roles:
      - role_name: shop-orders
        description: EKS Pod Identity of the shop's orders
        trust_policy: "{{ read.cluster | enbuild.eks.pod_identity_trust }}"
        policy: "{{ ['shop-orders'] | enbuild.eks.s3_policy }}"
        tags: {team: shop}
      - role_name: shop-search
        trust_policy: "{{ read.cluster | enbuild.eks.pod_identity_trust }}"
        managed_policies:
          - arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess

- name: Show what would be added to a role that somebody else created
  enbuild.eks.pod_identity_roles:
    adopt: true
    roles:
      - role_name: reporting
        trust_policy: "{{ read.cluster | enbuild.eks.pod_identity_trust }}"
  check_mode: true
  diff: true

- name: Delete a role
  enbuild.eks.pod_identity_roles:
    state: absent
    roles:
      - role_name: shop-search
"""

RETURN = r"""
roles:
  description: What happened to each role, in the order of O(roles).
  returned: unless the task fails before any role is changed
  type: list
  elements: dict
  contains:
    role_name:
      description: Name of the role.
      type: str
      returned: always
      sample: shop-orders
    role:
      description:
        - The role as it then is, or would be in check mode. When RV(roles[].failed), as it was found.
        - C(policy), C(managed_policies) and C(inline_policies) are V(null) where they weren't compared.
      type: dict
      returned: always
      sample:
        role_name: shop-orders
        role_arn: arn:aws:iam::123456789012:role/shop-orders
        path: /
        description: EKS Pod Identity of the shop's orders
        trust_policy: {Version: "2012-10-17", Statement: []}
        policy: {Version: "2012-10-17", Statement: []}
        managed_policies: null
        inline_policies: null
        boundary: ""
        tags: {enbuild.eks/managed-by: enbuild.eks, team: shop}
    changed:
      description: Whether anything was changed, also when RV(roles[].failed).
      type: bool
      returned: always
      sample: true
    changes:
      description: The API operations that were made for it, or would be made in check mode.
      type: list
      elements: str
      returned: always
      sample: [create_role, put_role_policy]
    differences:
      description: Of RV(differences), those of this role.
      type: list
      elements: dict
      returned: always
      sample: [{kind: role, name: shop-orders, action: create, what: []}]
    unlisted:
      description: Of RV(unlisted), those of this role.
      type: list
      elements: dict
      returned: always
      sample: []
    failed:
      description: Whether the role is not as it was declared.
      type: bool
      returned: always
      sample: false
    msg:
      description: What failed, why and what to do.
      type: str
      returned: when it failed
      sample: >-
        Failed to create role shop-orders: User: arn:aws:iam::123456789012:user/ci is not authorized to perform:
        iam:CreateRole on resource: arn:aws:iam::123456789012:role/shop-orders. Allow CreateRole to the caller, or run
        with credentials that have it.
differences:
  description:
    - What was created, updated or deleted, or would be in check mode. C(kind) is V(role), V(managed_policy) or
      V(policy), and C(what) names the parts of it.
  returned: unless the task fails before any role is changed
  type: list
  elements: dict
  sample:
    - {kind: role, name: shop-search, action: update, what: [trust policy]}
    - {kind: policy, name: shop-orders/shop-orders, action: create, what: []}
unlisted:
  description:
    - Policies that roles have and that aren't declared, with O(report_unlisted=true), and of roles that this module
      created. C(kind) is V(policy) or V(managed_policy); C(what) has the ARN of a managed policy.
  returned: unless the task fails before any role is changed
  type: list
  elements: dict
  sample: [{kind: policy, name: shop-orders/debug, what: []}]
changes:
  description: The API operations that were made, or would be made in check mode.
  returned: unless the task fails before any role is changed
  type: list
  elements: str
  sample: [create_role, put_role_policy, update_assume_role_policy]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._core.aws import MANY, Deadline, aws_client
from ..module_utils._core.converge import converge_all, run
from ..module_utils._iam.roles_apply import CONCURRENCY, PATIENCE, Roles
from ..module_utils._iam.roles_model import ATTACHED_QUOTA, TRUST_QUOTA, request

SERVICE_ACCOUNT_SPEC = {
    "cluster_arn": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "service_account": {"type": "str", "required": True},
    "session_tags": {"type": "bool", "default": True},
}
ROLE_SPEC = {
    "role_name": {"type": "str", "required": True},
    "path": {"type": "str"},
    "description": {"type": "str"},
    "trust_policy": {"type": "json"},
    "service_accounts": {"type": "list", "elements": "dict", "options": SERVICE_ACCOUNT_SPEC},
    "policy": {"type": "json"},
    "policy_name": {"type": "str"},
    "managed_policies": {"type": "list", "elements": "str"},
    "purge_policies": {"type": "bool", "default": False},
    "boundary": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}
ARGUMENT_SPEC = {
    "roles": {"type": "list", "elements": "dict", "required": True, "options": ROLE_SPEC},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "report_unlisted": {"type": "bool", "default": False},
    "trust_policy_quota": {"type": "int", "default": TRUST_QUOTA},
    "managed_policies_quota": {"type": "int", "default": ATTACHED_QUOTA},
}


def ensure(module: AnsibleAWSModule) -> None:
    wanted = request(module.params)
    client = aws_client(module, "iam", many=len(wanted.roles) >= MANY, max_pool_connections=CONCURRENCY)
    roles = Roles(client, wanted, Deadline(PATIENCE))
    converge_all(module, ("role", "roles"), roles.items(), roles.apply, roles.summary)


def main() -> None:
    run(AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), ensure)


if __name__ == "__main__":
    main()
