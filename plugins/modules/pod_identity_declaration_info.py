#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_declaration_info
version_added: 1.0.0
short_description: Check declared workloads and return their roles and associations
description:
  - Validates a declaration of workloads and their IAM roles, and reads the service account of each workload from its
    live pod template, because charts choose the names of service accounts.
  - Returns the roles, associations and expected workloads that the other modules take.
  - Fails if a workload doesn't exist, or runs under the service account V(default), whose role every pod of the
    namespace would get. It accepts an entry with C(service_account=default).
  - Makes no AWS call. With O(find=false) it makes no call at all and starts no process.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  workloads:
    description:
      - The workloads, as a list of dictionaries, or as YAML text of one. Text is read without anchors and aliases.
      - The services of O(enbuild) when left out, null or empty.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Display name of the workload. The object's name when left out.
        type: str
      namespace:
        description: Namespace of the workload.
        type: str
        required: true
      deployment:
        description: Name of a Deployment. Exactly one of O(workloads[].deployment), O(workloads[].statefulset),
          O(workloads[].daemonset), O(workloads[].job), O(workloads[].pod) and O(workloads[].service_account) is given.
        type: str
      statefulset:
        description: Name of a StatefulSet.
        type: str
      daemonset:
        description: Name of a DaemonSet.
        type: str
      job:
        description: Name of a Job.
        type: str
      pod:
        description: Name of a pod without an owner.
        type: str
      service_account:
        description: Name of a service account; every pod that runs under it gets the role.
        type: str
      role_name:
        description: Name of a role to create. Either this or O(workloads[].role_arn) is given.
        type: str
      role_arn:
        description: ARN of an existing role, which is not changed.
        type: str
      policy:
        description: Inline policy of the role to create, as a dictionary or as JSON text.
        type: raw
      managed_policies:
        description: Managed policies of the role to create, by name or ARN.
        type: list
        elements: str
      trust:
        description: Scope of the role's trust policy - V(none), V(account), V(cluster) or V(service_account).
          O(trust) when left out.
        type: str
      allowed:
        description:
          - Calls that the proof makes with the role's credentials, one or a list.
          - V(bedrock:ListFoundationModels), V(s3:ListBuckets), a dictionary of C(bucket), or one of C(service),
            C(operation) and C(parameters) as boto3 knows them, or one of C(action), C(resources) and C(context), which
            IAM simulates.
        type: raw
      target_role_arn:
        description: ARN of a role of another account that EKS assumes with the association's role. Not changed when
          left out.
        type: str
      disable_session_tags:
        description: Whether EKS omits session tags. A target role then identifies the pods by their external ID.
        type: bool
      optional:
        description: Whether to omit the workload if it doesn't exist.
        type: bool
        default: false
  enbuild:
    description: The enbuild release whose services are the workloads if O(workloads) is empty.
    type: dict
    suboptions:
      release_name:
        description: Name of the release. V(enbuild) when left out.
        type: str
      release_namespace:
        description: Namespace of the release. V(enbuild) when left out.
        type: str
      ai:
        description: Whether the AI service is enabled.
        type: bool
        default: true
      ctf:
        description: Whether the CTF service is enabled.
        type: bool
        default: true
      ai_role_name:
        description: Role of the AI service. V(enbuild-ai-bedrock) when left out.
        type: str
      ai_models:
        description: Models that the AI service may invoke, as IDs of models or inference profiles. All models when
          empty.
        type: list
        elements: str
        default: []
      ai_full_access:
        description: Whether the AI service gets AmazonBedrockFullAccess instead. Excludes O(enbuild.ai_models).
        type: bool
        default: false
      ai_invoke:
        description: Whether the proof also invokes each of O(enbuild.ai_models) once, for one token, which costs money.
        type: bool
        default: false
      ctf_role_name:
        description: Role of the CTF service. V(enbuild-ctf-s3) when left out.
        type: str
      ctf_buckets:
        description: S3 buckets that the CTF service may use. It gets AmazonS3FullAccess when empty.
        type: list
        elements: str
        default: []
      named_by:
        description: Names of variables. If one of them is set, the release is declared beside O(workloads). The option
          takes names instead of values, because the variables may hold Helm values.
        type: list
        elements: str
        default: []
      asked:
        description: Whether the run names the release's step. The release is then declared beside O(workloads).
        type: bool
        default: false
  optional:
    description: Whether to omit services of O(enbuild) that don't exist.
    type: bool
    default: false
  find:
    description: Whether to read the live cluster. RV(declared) and RV(expected) don't need it.
    type: bool
    default: true
  accept_unfit:
    description: Whether to return workloads that can't have a role in RV(unfit), instead of failing.
    type: bool
    default: false
  cluster:
    description: The cluster, as M(enbuild.eks.eks_cluster_info) returns it.
    type: dict
    required: true
  path:
    description: Path of the roles to create. V(/) when left out or empty.
    type: str
  trust:
    description: Scope of trust policies, for entries without C(trust). V(account) when left out or empty.
    type: str
  association_tags:
    description: Tags to add to every association.
    type: dict
    default: {}
  manifests_file:
    description: Path of a file with the manifests of a release that will be installed or upgraded, for a prediction
      in check mode.
    type: str
    default: ""
  manifests_namespace:
    description: Namespace of the manifests that name none.
    type: str
    default: default
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
attributes:
  action_group:
    support: none
"""

EXAMPLES = r"""
- name: Read the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
  register: read

- name: Declare the role of a service account
  enbuild.eks.pod_identity_declaration_info:
    workloads:
      - namespace: shop
        service_account: orders
        role_name: shop-orders
        managed_policies: [AmazonS3ReadOnlyAccess]
    cluster: "{{ read.cluster }}"
    host: "{{ read.cluster.endpoint }}"
    ca_cert: "{{ read.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', 'production', region='us-east-1') }}"
  register: declaration

- name: Create that role
  enbuild.eks.pod_identity_roles:
    region: us-east-1
    roles: "{{ declaration.roles }}"

- name: Associate the service account with it
  enbuild.eks.pod_identity_associations:
    cluster_name: production
    region: us-east-1
    associations: "{{ declaration.associations }}"
"""

RETURN = r"""
declared:
  description: The entries, without those that don't exist or are unfit.
  returned: always
  type: list
  elements: dict
  sample: [{"namespace": "shop", "deployment": "orders", "role_name": "shop-orders"}]
expected:
  description: The workloads as M(enbuild.eks.pod_identity_workload_info) takes them, with their roles and checks.
  returned: always
  type: list
  elements: dict
  sample:
    - namespace: shop
      deployment: orders
      role_arn: arn:aws:iam::123456789012:role/shop-orders
release:
  description: Whether the release of O(enbuild) is declared. It always is without O(workloads). With them, it is
    declared by O(enbuild.asked) or O(enbuild.named_by), if one of its services is disabled, or if one of the workloads
    is in its namespace.
  returned: always
  type: bool
  sample: false
workloads:
  description: The entries that exist, unfit ones too, with the service account that each runs under and its role.
  returned: when O(find=true)
  type: list
  elements: dict
  sample:
    - name: orders
      namespace: shop
      deployment: orders
      service_account: orders
      role_name: shop-orders
      role_arn: arn:aws:iam::123456789012:role/shop-orders
      policy: null
      managed_policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
      trust: null
      allowed: null
      target_role_arn: null
      disable_session_tags: null
roles:
  description: The roles to create, each once, as M(enbuild.eks.pod_identity_roles) takes them.
  returned: when O(find=true)
  type: list
  elements: dict
  sample:
    - role_name: shop-orders
      policy: null
      managed_policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
      trust_policy:
        Version: "2012-10-17"
        Statement:
          - Sid: PodIdentity
            Effect: Allow
            Principal: {Service: pods.eks.amazonaws.com}
            Action: ["sts:AssumeRole", "sts:TagSession"]
      service_accounts:
        - cluster_arn: arn:aws:eks:us-east-1:123456789012:cluster/production
          namespace: shop
          service_account: orders
          session_tags: true
      description: EKS Pod Identity of orders
associations:
  description: The associations as M(enbuild.eks.pod_identity_associations) takes them, one for each service account.
  returned: when O(find=true)
  type: list
  elements: dict
  sample:
    - namespace: shop
      service_account: orders
      role_arn: arn:aws:iam::123456789012:role/shop-orders
unfit:
  description: Why workloads can't have a role, as findings of M(enbuild.eks.pod_identity_workload_info).
  returned: when O(find=true)
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._core.converge import run
from ..module_utils._identity.declare import declare
from ..module_utils._workload.declaration import ENTRY_SPEC
from ..module_utils._workload.enbuild import RELEASE_SPEC

ARGUMENT_SPEC = {
    **AUTH_ARG_SPEC,
    "workloads": {"type": "list", "elements": "dict", "default": [], "options": ENTRY_SPEC},
    "enbuild": {"type": "dict", "options": RELEASE_SPEC},
    "optional": {"type": "bool", "default": False},
    "find": {"type": "bool", "default": True},
    "accept_unfit": {"type": "bool", "default": False},
    "cluster": {"type": "dict", "required": True},
    "path": {"type": "str"},
    "trust": {"type": "str"},
    "association_tags": {"type": "dict", "default": {}},
    "manifests_file": {"type": "str", "default": ""},
    "manifests_namespace": {"type": "str", "default": "default"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(changed=False, **declare(module)))


if __name__ == "__main__":
    main()
