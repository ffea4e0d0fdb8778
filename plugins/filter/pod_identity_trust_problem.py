# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: pod_identity_trust_problem
version_added: 1.0.0
short_description: Why a trust policy doesn't let EKS Pod Identity in
description:
  - Evaluates a role's trust policy as IAM does for EKS Pod Identity, and returns why it fails, as a sentence that names
    the statement and the condition.
  - Conditions on an option that isn't given, or on something unknown such as the organization, count as met.
author:
  - The enbuild.eks contributors (@enbuild)
positional: _input
options:
  _input:
    description: The trust policy, as a dictionary or as JSON.
    type: raw
    required: true
  cluster_arn:
    description: ARN of the pods' cluster.
    type: str
  namespace:
    description: Namespace of the pods' service account.
    type: str
  service_account:
    description: Name of the pods' service account.
    type: str
  session_tags:
    description: Whether EKS sends session tags. Set it to V(false) for an association that has them disabled.
    type: bool
    default: true
  role_arn:
    description:
      - ARN of the association's role. The policy is then read as that of a target role, which the association's role
        assumes.
    type: str
seealso:
  - plugin: enbuild.eks.pod_identity_trust
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read a role
  amazon.aws.iam_role_info:
    name: shop-orders
  register: roles

- name: The role has to let the orders service in
  ansible.builtin.assert:
    that: problem == ""
    fail_msg: "{{ problem }}"
  vars:
    problem: >-
      {{ roles.iam_roles[0].assume_role_policy_document | enbuild.eks.pod_identity_trust_problem(
         cluster_arn=eks.cluster.arn, namespace='shop', service_account='orders') }}
"""

RETURN = r"""
_value:
  description: The problem, or an empty string when the policy lets Pod Identity in.
  type: str
"""

import typing as t

from ..module_utils._iam.trust_evaluation import trust_problem
from ..plugin_utils._core.refusals import as_filter


class FilterModule:
    """Filters by name."""

    def filters(self) -> dict[str, t.Any]:
        return {"pod_identity_trust_problem": as_filter(trust_problem)}
