#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addon_info
version_added: 1.0.0
short_description: Read the installed and available add-ons of an EKS cluster
description:
  - Returns installed add-ons of a cluster with their health, all of them or those named.
  - On request, returns the versions that EKS offers for the cluster's Kubernetes version, the default version, which
    versions require configuration, and which policies the service accounts of an add-on need.
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
  names:
    description: Names of the add-ons to read, installed or not. All installed add-ons when left out or empty.
    type: list
    elements: str
  versions:
    description: Whether to return the available versions.
    type: bool
    default: false
  pod_identity:
    description:
      - Whether to return the policies that EKS recommends for the service accounts of an add-on, in its installed
        version, or its default version if it isn't installed. Returns the available versions too.
    type: bool
    default: false
  kubernetes_version:
    description:
      - Kubernetes version to return versions for, for example V(1.37) before an upgrade. The cluster's version when
        left out.
    type: str
seealso:
  - module: enbuild.eks.eks_addon
"""

EXAMPLES = r"""
- name: Read all add-ons
  enbuild.eks.eks_addon_info:
    cluster_name: production
  register: installed

- name: They have to be healthy
  ansible.builtin.assert:
    that: installed.addons | rejectattr("status", "eq", "ACTIVE") | length == 0

- name: Ask which version of a driver there is, and which policies it needs
  enbuild.eks.eks_addon_info:
    cluster_name: production
    names: [aws-ebs-csi-driver]
    pod_identity: true
"""

RETURN = r"""
addons:
  description: The add-ons that are installed, as M(enbuild.eks.eks_addon) returns one.
  returned: success
  type: list
  elements: dict
  contains:
    cluster_name:
      description: Name of the cluster.
      type: str
      sample: production
    name:
      description: Name of the add-on.
      type: str
      sample: eks-pod-identity-agent
    version:
      description: Its version.
      type: str
      sample: v1.3.10-eksbuild.2
    status:
      description: Its status.
      type: str
      sample: DEGRADED
    issues:
      description: What is wrong with its health; each has C(code), C(message) and C(resources).
      type: list
      elements: dict
      sample:
        - code: InsufficientNumberOfReplicas
          message: The add-on is unhealthy because it doesn't have the desired number of replicas.
          resources: []
    configuration_values:
      description: What it is configured with.
      type: dict
      sample: {}
    service_account_role_arn:
      description: ARN of the role that its service account has by IRSA, or V(null).
      type: str
      sample: arn:aws:iam::123456789012:role/vpc-cni
    pod_identity_associations:
      description: The associations that it owns, each with C(service_account), C(role_arn) and C(association_arn).
      type: list
      elements: dict
      sample: []
    namespace:
      description: Namespace that it is installed in.
      type: str
      sample: kube-system
    tags:
      description: Tags, as they were written.
      type: dict
      sample: {Team: platform}
    addon_arn:
      description: ARN of the add-on.
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:addon/production/eks-pod-identity-agent/0ac87b2a
    publisher:
      description: Publisher of the add-on.
      type: str
      sample: eks
    owner:
      description: Owner of the add-on.
      type: str
      sample: aws
    created_at:
      description: When it was created, in ISO 8601.
      type: str
      sample: "2026-01-02T03:04:05+00:00"
    modified_at:
      description: When it was last changed, in ISO 8601.
      type: str
      sample: "2026-01-02T03:04:05+00:00"
offers:
  description: What EKS offers of each add-on that was asked about; empty unless O(versions) or O(pod_identity) is set.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the add-on.
      type: str
      sample: aws-ebs-csi-driver
    kubernetes_version:
      description: The Kubernetes version that the versions are for.
      type: str
      sample: "1.36"
    default_namespace:
      description: Namespace that it is installed in unless told otherwise.
      type: str
      sample: kube-system
    publisher:
      description: Publisher of the add-on.
      type: str
      sample: eks
    owner:
      description: Owner of the add-on.
      type: str
      sample: aws
    default_version:
      description: The version that EKS prefers, or V(null).
      type: str
      sample: v1.55.0-eksbuild.1
    latest_version:
      description: The newest version, or V(null).
      type: str
      sample: v1.55.0-eksbuild.1
    versions:
      description: All versions, newest first.
      type: list
      elements: dict
      sample: [{version: v1.55.0-eksbuild.1, requires_configuration: false}]
    pod_identity:
      description: Service accounts that take a role, each with the ARNs of the managed policies recommended for it.
      returned: when O(pod_identity) is set
      type: list
      elements: dict
      sample:
        - service_account: ebs-csi-controller-sa
          managed_policies: ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._addon.api import EksAddons
from ..module_utils._addon.info import CONCURRENCY, query, read_addons
from ..module_utils._core.aws import aws_client
from ..module_utils._core.converge import run

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str"},
    "versions": {"type": "bool", "default": False},
    "pod_identity": {"type": "bool", "default": False},
    "kubernetes_version": {"type": "str"},
}


def act(module: AnsibleAWSModule) -> None:
    asked = query(module.params)
    client = aws_client(module, "eks", max_pool_connections=CONCURRENCY)
    answer = read_addons(EksAddons(client, asked.cluster), asked)
    module.exit_json(changed=False, addons=answer.addons, offers=answer.offers)


def main() -> None:
    run(AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), act)


if __name__ == "__main__":
    main()
