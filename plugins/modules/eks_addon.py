#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addon
version_added: 1.0.0
short_description: Install, change and remove an EKS add-on
description:
  - Creates, updates and deletes an add-on of an EKS cluster, and waits until it works.
  - An option that is left out is not changed.
  - If the add-on is busy with another change, the module waits for that first.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0, for O(host_ports)
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  name:
    description: Name of the add-on, for example V(eks-pod-identity-agent).
    type: str
    required: true
  state:
    description: Whether the add-on is installed.
    type: str
    choices: [present, absent]
    default: present
  version:
    description:
      - Version of the add-on.
      - V(default) is EKS's default for the cluster's Kubernetes version, V(latest) the newest for it.
      - When left out, an installed add-on keeps its version, and a new one gets the default.
    type: str
  kubernetes_version:
    description:
      - Kubernetes version of the cluster, as M(enbuild.eks.eks_cluster_info) returns it, for example V(1.36).
      - Saves the call that finds it out, which is made only where the answer depends on it.
    type: str
  configuration_values:
    description:
      - Configuration of the add-on, as a dictionary, JSON or YAML. It replaces the whole configuration.
      - Values are compared, not text. Spaces, the order of keys, and JSON or YAML make no difference.
      - An empty dictionary or string clears it.
      - Checked against the schema of the version before anything is changed, where the Python library jsonschema is
        installed and the caller may call C(eks:DescribeAddonConfiguration).
    type: raw
  service_account_role_arn:
    description:
      - ARN of the IRSA role of the add-on's service account.
      - EKS can't remove it again. Use O(pod_identity_associations) instead, which takes precedence.
    type: str
  pod_identity_associations:
    description:
      - EKS Pod Identity associations of the add-on's service accounts. The list replaces all that the add-on owns.
      - An empty list removes them. Needs botocore 1.34.118.
    type: list
    elements: dict
    suboptions:
      service_account:
        description: Name of a service account of the add-on.
        type: str
        required: true
      role_arn:
        description: ARN of its role.
        type: str
        required: true
  resolve_conflicts:
    description:
      - What EKS does with objects of the add-on that somebody else installed or changed.
      - V(none) fails. V(overwrite) replaces them with the add-on's values. V(preserve) keeps them, and works for
        updates only.
      - With V(overwrite) or V(preserve), an update that failed is repeated.
    type: str
    choices: [none, overwrite, preserve]
  namespace:
    description:
      - Namespace to install the add-on in. EKS can't move an add-on, so the module refuses to change it.
      - Needs botocore 1.40.14.
    type: str
  host_ports:
    description:
      - Ports of its node that each pod of the add-on needs. Before an installation, also in check mode, the module
        looks for pods that hold one of them on a node where the add-on's pods would run. If there are any, it names
        them and fails, as Kubernetes would evict them.
      - Only an installation asks Kubernetes, by the options below. It needs the permission to list pods and nodes.
        Without it, the module warns and goes on.
    type: list
    elements: int
    default: []
  preserve:
    description: Whether to leave the add-on's software in the cluster when the add-on is deleted. EKS no longer
      manages it then.
    type: bool
    default: false
  recreate_failed:
    description:
      - Whether to delete and create an add-on whose creation, update or deletion has failed. Otherwise the task
        fails, and says why that failed.
    type: bool
    default: false
  tags:
    description: Tags of the add-on. Not changed when left out.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that O(tags) doesn't list. Tags that AWS reserves stay.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the add-on is active, or deleted.
      - It waits for a degraded add-on too, which may only be waiting for nodes.
    type: bool
    default: true
  wait_timeout:
    description:
      - Maximum seconds for the whole task. After that it fails, with the health issues of the add-on.
    type: int
    default: 900
notes:
  - "Permissions: C(eks:DescribeAddon), C(eks:CreateAddon), C(eks:UpdateAddon), C(eks:DeleteAddon),
    C(eks:DescribeUpdate), C(eks:DescribeAddonVersions), C(eks:DescribeAddonConfiguration), C(eks:DescribeCluster),
    C(eks:TagResource), C(eks:UntagResource), and with
    O(pod_identity_associations) also C(eks:DescribePodIdentityAssociation), C(eks:CreatePodIdentityAssociation),
    C(eks:UpdatePodIdentityAssociation), C(eks:DeletePodIdentityAssociation), C(iam:PassRole) and C(iam:GetRole).
    With C(iam:ListRoles), a role that doesn't exist is reported with the nearest name."
seealso:
  - module: enbuild.eks.eks_addon_info
"""

EXAMPLES = r"""
- name: Install the Pod Identity Agent
  enbuild.eks.eks_addon:
    cluster_name: production
    name: eks-pod-identity-agent

- name: Install it only if no pod holds a port that it needs
  enbuild.eks.eks_addon:
    cluster_name: production
    name: eks-pod-identity-agent
    host_ports: [80, 2703]
    context: production

- name: Keep a driver at its default version, with a role for its controller
  enbuild.eks.eks_addon:
    cluster_name: production
    name: aws-ebs-csi-driver
    version: default
    pod_identity_associations:
      - service_account: ebs-csi-controller-sa
        role_arn: arn:aws:iam::123456789012:role/ebs-csi
    configuration_values:
      controller:
        replicaCount: 2
    tags:
      Team: platform

- name: Let EKS take over an agent that was installed by Helm
  enbuild.eks.eks_addon:
    cluster_name: production
    name: eks-pod-identity-agent
    resolve_conflicts: overwrite
    recreate_failed: true

- name: Remove the driver, its configuration and its associations
  enbuild.eks.eks_addon:
    cluster_name: production
    name: aws-ebs-csi-driver
    state: absent
"""

RETURN = r"""
addon:
  description: The add-on; empty when there is none.
  returned: success
  type: dict
  contains:
    cluster_name:
      description: Name of the cluster.
      type: str
      returned: when there is an add-on
      sample: production
    name:
      description: Name of the add-on.
      type: str
      returned: when there is an add-on
      sample: eks-pod-identity-agent
    version:
      description: Its version.
      type: str
      returned: when there is an add-on
      sample: v1.3.10-eksbuild.2
    status:
      description: Its status.
      type: str
      returned: when there is an add-on
      sample: ACTIVE
    issues:
      description: What is wrong with its health; each has C(code), C(message) and C(resources).
      type: list
      elements: dict
      returned: when there is an add-on
      sample: []
    configuration_values:
      description: What it is configured with.
      type: dict
      returned: when there is an add-on
      sample: {agent: {additionalArgs: {"-b": "169.254.170.23"}}}
    service_account_role_arn:
      description: ARN of the role that its service account has by IRSA, or V(null).
      type: str
      returned: when there is an add-on
      sample: arn:aws:iam::123456789012:role/vpc-cni
    pod_identity_associations:
      description:
        - The associations that it owns, each with C(service_account), C(role_arn) and C(association_arn).
        - The first two are V(null) unless O(pod_identity_associations) is given, since they cost a call for each.
        - In check mode, an association that would be created has no C(association_arn).
      type: list
      elements: dict
      returned: when there is an add-on
      sample:
        - service_account: ebs-csi-controller-sa
          role_arn: arn:aws:iam::123456789012:role/ebs-csi
          association_arn: arn:aws:eks:us-east-1:123456789012:podidentityassociation/production/a-abcdefghijklmnop1
    namespace:
      description: Namespace that it is installed in.
      type: str
      returned: when there is an add-on
      sample: kube-system
    tags:
      description: Tags, as they were written.
      type: dict
      returned: when there is an add-on
      sample: {Team: platform}
    addon_arn:
      description: ARN of the add-on; V(null) in check mode when it would be created.
      type: str
      returned: when there is an add-on
      sample: arn:aws:eks:us-east-1:123456789012:addon/production/eks-pod-identity-agent/0ac87b2a
    publisher:
      description: Publisher of the add-on.
      type: str
      returned: when there is an add-on
      sample: eks
    owner:
      description: Owner of the add-on.
      type: str
      returned: when there is an add-on
      sample: aws
    created_at:
      description: When it was created, in ISO 8601.
      type: str
      returned: when there is an add-on
      sample: "2026-01-02T03:04:05+00:00"
    modified_at:
      description: When it was last changed, in ISO 8601.
      type: str
      returned: when there is an add-on
      sample: "2026-01-02T03:04:05+00:00"
changes:
  description: The API operations that were made, or would be made in check mode, in their order.
  returned: always
  type: list
  elements: str
  sample: [update_addon, tag_resource]
issues:
  description: What EKS says is wrong, when an add-on or its update has failed or isn't ready in time.
  returned: when waiting fails
  type: list
  elements: dict
  sample:
    - code: InsufficientNumberOfReplicas
      message: The add-on is unhealthy because it doesn't have the desired number of replicas.
      resources: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._addon.api import EksAddons
from ..module_utils._addon.ensure import ensure
from ..module_utils._addon.options import ARGUMENT_SPEC, target
from ..module_utils._addon.plan import FLOORS
from ..module_utils._core.aws import Deadline, aws_client
from ..module_utils._core.botocore import require
from ..module_utils._core.converge import run
from ..module_utils._iam.missing_role import missing_role
from ..module_utils._iam.roles_api import IamRoles

OF_KUBERNETES = {**AUTH_ARG_SPEC, "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]}}


def act(module: AnsibleAWSModule) -> None:
    wanted = target(module.params)
    deadline = Deadline(module.params["wait_timeout"])
    client = aws_client(module, "eks", deadline)
    require(client, "CreateAddon", wanted.floored, FLOORS)
    eks = EksAddons(client, wanted.key.cluster, lambda arn: missing_role(IamRoles(aws_client(module, "iam")), arn))
    ensure(module, eks, wanted, deadline)


def main() -> None:
    run(AnsibleAWSModule(argument_spec={**OF_KUBERNETES, **ARGUMENT_SPEC}, supports_check_mode=True), act)


if __name__ == "__main__":
    main()
