#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster_info
version_added: 1.0.0
short_description: Read how to reach an EKS cluster and what it is
description:
  - Returns the endpoint, certificate authority, versions, status and account of an EKS cluster.
  - Makes one call, C(eks:DescribeCluster). Account and partition are taken from the cluster's ARN.
  - A cluster that isn't active is returned as it is. A cluster that doesn't exist is an error, which names the clusters
    that do when the caller may call C(eks:ListClusters).
author:
  - The enbuild.eks contributors (@enbuild)
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
seealso:
  - plugin: enbuild.eks.cluster_token
    plugin_type: lookup
  - plugin: enbuild.eks.ca_file
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: "{{ eks_cluster_name }}"
  register: eks

- name: List its nodes with AWS credentials alone
  kubernetes.core.k8s_info:
    host: "{{ eks.cluster.endpoint }}"
    ca_cert: "{{ eks.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', eks.cluster.name, region=eks.cluster.region) }}"
    kind: Node
"""

RETURN = r"""
cluster:
  description: The cluster. What AWS doesn't know yet, like the endpoint of a cluster that is being created, is null.
  returned: always
  type: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
      sample: production
    arn:
      description: ARN of the cluster.
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:cluster/production
    partition:
      description: AWS partition of the cluster.
      type: str
      sample: aws
    region:
      description: Region of the cluster.
      type: str
      sample: us-east-1
    account_id:
      description: Account of the cluster.
      type: str
      sample: "123456789012"
    status:
      description: Status of the cluster.
      type: str
      sample: ACTIVE
    version:
      description: Kubernetes version.
      type: str
      sample: "1.36"
    platform_version:
      description: EKS platform version.
      type: str
      sample: eks.3
    endpoint:
      description: URL of the Kubernetes API server.
      type: str
      sample: https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com
    certificate_authority:
      description: Certificate authority of the API server, PEM in base64, as AWS gives it.
      type: str
      sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    auto_mode:
      description: Whether EKS Auto Mode is on.
      type: bool
      sample: false
    ip_family:
      description: IP family of pods and services, V(ipv4) or V(ipv6).
      type: str
      sample: ipv4
    oidc_issuer:
      description: Issuer of the cluster's service account tokens.
      type: str
      sample: https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF
    authentication_mode:
      description: Where the cluster looks principals up, V(API), V(API_AND_CONFIG_MAP) or V(CONFIG_MAP).
      type: str
      sample: API
    tags:
      description: Tags of the cluster, as written.
      type: dict
      sample: {Team: platform}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._cluster.api import read_cluster
from ..module_utils._core.converge import run


def act(module: AnsibleAWSModule) -> None:
    """Read the cluster and exit."""
    module.exit_json(changed=False, cluster=read_cluster(module, module.params["cluster_name"]))


def main() -> None:
    run(
        AnsibleAWSModule(argument_spec={"cluster_name": {"type": "str", "required": True}}, supports_check_mode=True),
        act,
    )


if __name__ == "__main__":
    main()
