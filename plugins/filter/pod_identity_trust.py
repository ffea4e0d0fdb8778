# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: pod_identity_trust
version_added: 1.0.0
short_description: Trust policy of a role for EKS Pod Identity
description:
  - Returns the trust policy that lets pods of a cluster have a role by EKS Pod Identity.
  - In the scope V(target_role), returns the trust policy of a role of another account, which EKS assumes with the
    credentials of the association's role.
author:
  - The enbuild.eks contributors (@enbuild)
positional: _input
options:
  _input:
    description: The cluster, as M(enbuild.eks.eks_cluster_info) returns it, or its ARN.
    type: raw
    required: true
  scope:
    description:
      - Whom the role trusts.
      - V(none) trusts EKS Pod Identity without a condition.
      - V(account) trusts it for every cluster of the cluster's account, in every region. A role belongs to an account,
        so this lets the account's clusters share it.
      - V(cluster) trusts it for this cluster.
      - V(service_account) trusts it for one service account of this cluster, by the session tags that EKS sends.
      - V(target_role) trusts the association's role O(role_arn).
    type: str
    choices: [none, account, cluster, service_account, target_role]
    default: account
  namespace:
    description: Namespace of the service account, for the scopes V(service_account) and V(target_role).
    type: str
  service_account:
    description: Name of the service account, for the scopes V(service_account) and V(target_role).
    type: str
  disable_session_tags:
    description:
      - Whether the association has its session tags disabled.
      - The scope V(service_account) fails then, because no session would match it. The trust policy of a target role
        names the service account by its external ID then.
    type: bool
    default: false
  role_arn:
    description: ARN of the association's role, for the scope V(target_role). Has to be of the cluster's account.
    type: str
seealso:
  - plugin: enbuild.eks.pod_identity_trust_problem
    plugin_type: filter
"""

EXAMPLES = r"""
- name: A role for one service account
  amazon.aws.iam_role:
    name: shop-orders
    create_instance_profile: false
    assume_role_policy_document: >-
      {{ eks.cluster | enbuild.eks.pod_identity_trust(
         scope='service_account', namespace='shop', service_account='orders') }}
"""

RETURN = r"""
_value:
  description: The trust policy.
  type: dict
"""

import typing as t

from ..module_utils._iam.trust_policy import trust_policy
from ..plugin_utils._core.refusals import as_filter


class FilterModule:
    """Filters by name."""

    def filters(self) -> dict[str, t.Any]:
        return {"pod_identity_trust": as_filter(trust_policy)}
