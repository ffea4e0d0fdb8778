#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_adoption_info
version_added: 1.0.0
short_description: Return a declaration of a cluster's Pod Identity associations
description:
  - Reads the EKS Pod Identity associations of a cluster, whatever tool created them, with their roles and the
    workloads under their service accounts. Returns the declaration that the playbooks of this collection take.
  - It declares roles by C(role_arn), so nothing changes them. It doesn't declare tags of associations, so these stay
    too.
  - Returns what can't be declared with the reason - an association that an add-on owns, one whose service account,
    workload or role doesn't exist, or one with a name that isn't safe in a file of variables.
  - Changes nothing.
author:
  - The enbuild.eks contributors (@enbuild)
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  cluster_arn:
    description: ARN of the cluster, to evaluate conditions of trust policies.
    type: str
    default: ""
  path:
    description:
      - Path of the file for the declaration, on the machine that the module runs on. The module compares the file,
        and doesn't write it.
    type: path
    default: ""
  overwrite:
    description: Whether a file at O(path) that differs may be replaced.
    type: bool
    default: false
seealso:
  - module: enbuild.eks.pod_identity_association_info
  - module: enbuild.eks.pod_identity_declaration_info
"""

EXAMPLES = r"""
- name: Read the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
  register: read

- name: Declare what it has
  enbuild.eks.pod_identity_adoption_info:
    cluster_name: production
    region: us-east-1
    cluster_arn: "{{ read.cluster.arn }}"
    host: "{{ read.cluster.endpoint }}"
    ca_cert: "{{ read.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', 'production', region='us-east-1') }}"
  register: adoption

- name: Write it, unless a declaration is there
  ansible.builtin.copy:
    content: "{{ adoption.text }}"
    dest: production.yml
    mode: "0600"
    force: false
"""

RETURN = r"""
workloads:
  description: The declaration, as C(pod_identity_workloads) takes it.
  returned: always
  type: list
  elements: dict
  sample:
    - {namespace: shop, deployment: orders, role_arn: "arn:aws:iam::123456789012:role/shop-orders"}
notes:
  description: What to know of the associations that are declared, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["shop/orders: its session policy is not part of a declaration and stays as it is"]
undeclared:
  description: The associations that aren't declared.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Namespace and service account.
      type: str
      sample: shop/old
    reason:
      description: Why it isn't declared.
      type: str
      sample: no workload runs under the service account
text:
  description: The declaration as a file of variables, with the notes and the reasons as comments.
  returned: always
  type: str
  sample: "---\npod_identity_workloads: …"
obstacle:
  description: Why the text must not be written to O(path), with what of a file there would stay and what would go.
    Empty where nothing is lost.
  returned: always
  type: str
  sample: ""
folder_exists:
  description: Whether the folder of O(path) is there.
  returned: always
  type: bool
  sample: true
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._adoption.read import read_declaration
from ..module_utils._core.converge import run

ARGUMENT_SPEC = {
    **AUTH_ARG_SPEC,
    "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]},
    "cluster_name": {"type": "str", "required": True},
    "cluster_arn": {"type": "str", "default": ""},
    "path": {"type": "path", "default": ""},
    "overwrite": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(changed=False, **read_declaration(module)))


if __name__ == "__main__":
    main()
