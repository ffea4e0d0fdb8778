# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: s3_policy
version_added: 1.0.0
short_description: Permission policy for pods that use S3 buckets
description:
  - Returns a policy that allows listing the buckets, and reading, writing and deleting what is in them.
author:
  - The enbuild.eks contributors (@enbuild)
positional: _input
options:
  _input:
    description: Names of the buckets.
    type: list
    elements: str
    required: true
  partition:
    description: AWS partition of the buckets.
    type: str
    default: aws
"""

EXAMPLES = r"""
- name: Allow one bucket
  amazon.aws.iam_policy:
    iam_type: role
    iam_name: shop-orders
    policy_name: s3
    policy_json: "{{ ['acme-orders'] | enbuild.eks.s3_policy(partition=eks.cluster.partition) }}"
"""

RETURN = r"""
_value:
  description: The policy.
  type: dict
"""

import typing as t

from ..module_utils._iam.permission_policies import s3_policy
from ..plugin_utils._core.refusals import as_filter


class FilterModule:
    """Filters by name."""

    def filters(self) -> dict[str, t.Any]:
        return {"s3_policy": as_filter(s3_policy)}
