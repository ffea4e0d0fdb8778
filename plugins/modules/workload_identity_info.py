#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workload_identity_info
version_added: 0.1.0
short_description: Tell which IAM role workloads have by EKS Pod Identity, and what is wrong if they haven't
description:
  - Climbs the ladder of proof for each workload and names the first rung that doesn't hold.
  - V(declared) holds when a pod identity association binds the service account that the workload runs under to
    the expected role.
  - V(injected) holds when all running pods carry the credential variables and the token volume, and a pod born
    now would too.
  - Nothing is changed. A pod born now is tried as a server-side dry run through the cluster's own admission
    chain, which needs the permission to create pods in the namespace.
author:
  - enbuild.eks maintainers (@enbuild)
options:
  cluster_name:
    description:
      - Name of the EKS cluster.
      - Without it no association is read, and the rung V(none) is the highest; that is enough to learn service
        accounts and pods.
    type: str
  workloads:
    description: Workloads to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What to call the workload in the result. The object's own name when left out.
        type: str
      namespace:
        description: Namespace of the workload.
        type: str
        required: true
      deployment:
        description: Name of a Deployment. Exactly one of O(workloads[].deployment), O(workloads[].statefulset),
          O(workloads[].daemonset) and O(workloads[].service_account) is given.
        type: str
      statefulset:
        description: Name of a StatefulSet.
        type: str
      daemonset:
        description: Name of a DaemonSet.
        type: str
      service_account:
        description: Name of a service account; every pod that runs under it belongs to the workload.
        type: str
      role_arn:
        description: Role that the pods ought to have. Any role will do when left out.
        type: str
  manifests:
    description:
      - Rendered manifests (YAML text of any number of documents) of a release that is about to be installed or
        upgraded, for a prediction in check mode.
      - A workload among them is judged as it will be, where the live one is missing or runs under another service
        account.
    type: str
    default: ""
  manifests_namespace:
    description: Namespace of the manifests that name none.
    type: str
    default: default
  probes:
    description:
      - How many pods to try as a dry run, for each workload, one after another. EKS runs several replicas of its
        webhook, and each learns of an association by itself.
      - V(0) tries none.
    type: int
    default: 3
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 24.2.0
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: There is nothing to change.
"""

EXAMPLES = r"""
- name: Read how to reach the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
  register: read

- name: See whether the AI service has its role
  enbuild.eks.workload_identity_info:
    cluster_name: production
    region: us-east-1
    host: "{{ read.cluster.endpoint }}"
    ca_cert: "{{ read.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', 'production', region='us-east-1') }}"
    workloads:
      - namespace: enbuild
        deployment: enbuild-enbuild-ai
        role_arn: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
  register: identity

- name: Show the first thing that is wrong
  ansible.builtin.debug:
    msg: "{{ identity.workloads | map(attribute='findings') | flatten }}"
"""

RETURN = r"""
workloads:
  description: One entry for each workload asked for, in that order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the entry.
      type: str
      sample: enbuild-enbuild-ai
    namespace:
      description: Namespace of the workload.
      type: str
      sample: enbuild
    kind:
      description: Deployment, StatefulSet, DaemonSet or ServiceAccount.
      type: str
      sample: Deployment
    object:
      description: Name of the object.
      type: str
      sample: enbuild-enbuild-ai
    exists:
      description: Whether the workload lives in the cluster, as it was judged.
      type: bool
      sample: true
    service_account:
      description: Service account that its pods run under; null when the workload doesn't exist.
      type: str
      sample: enbuild-enbuild-ai
    role_arn:
      description: The role expected.
      type: str
      sample: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
    association:
      description: The pod identity association of the service account; null without one.
      type: dict
      sample:
        association_id: a-1234567890abcdefg
        role_arn: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
    rung:
      description: The highest rung that holds (V(none), V(declared) or V(injected)).
      type: str
      sample: injected
    injected_now:
      description: Whether every pod tried as a dry run came out injected; null when none was tried.
      type: bool
      sample: true
    pods:
      description: Its running pods, each with the containers that lack the injection.
      type: list
      elements: dict
      sample:
        - name: enbuild-enbuild-ai-6d4cf56db6-x2m8f
          node: node-0
          injected: true
          bare_containers: []
          owner: Deployment enbuild/enbuild-enbuild-ai
    pods_injected:
      description: How many of them are injected.
      type: int
      sample: 1
    restart:
      description: Workloads to restart so that all pods are born again with the injection.
      type: list
      elements: dict
      sample: []
    unmanaged_pods:
      description: Pods that lack the injection and belong to nothing that could be restarted.
      type: list
      elements: str
      sample: []
    findings:
      description: What is wrong, the lowest rung first; empty when all is well.
      type: list
      elements: dict
      sample:
        - code: association_missing
          severity: error
          object: ServiceAccount enbuild/enbuild-enbuild-ai
          message: No pod identity association binds service account enbuild/enbuild-enbuild-ai
          remedy: Create one for namespace enbuild and service account enbuild-enbuild-ai
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._converge import run
from ..module_utils._evidence import workload_identities

WORKLOAD_SPEC = {
    "name": {"type": "str"},
    "namespace": {"type": "str", "required": True},
    "deployment": {"type": "str"},
    "statefulset": {"type": "str"},
    "daemonset": {"type": "str"},
    "service_account": {"type": "str"},
    "role_arn": {"type": "str"},
}
ARGUMENT_SPEC = {
    **AUTH_ARG_SPEC,
    "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]},
    "cluster_name": {"type": "str"},
    "workloads": {"type": "list", "elements": "dict", "required": True, "options": WORKLOAD_SPEC},
    "manifests": {"type": "str", "default": ""},
    "manifests_namespace": {"type": "str", "default": "default"},
    "probes": {"type": "int", "default": 3},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(changed=False, workloads=workload_identities(module)))


if __name__ == "__main__":
    main()
