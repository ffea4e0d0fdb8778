# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bedrock_policy
version_added: 1.0.0
short_description: Permission policy for pods that use Amazon Bedrock
description:
  - Returns a policy that allows listing Bedrock's models and inference profiles, and invoking models, streaming or not,
    directly or through the account's inference profiles.
  - A model may be invoked in every region, since an inference profile chooses the region itself.
  - Refuses a partition that has no Bedrock.
author:
  - The enbuild.eks contributors (@enbuild)
positional: _input
options:
  _input:
    description: The cluster, as M(enbuild.eks.eks_cluster_info) returns it, or its ARN.
    type: raw
    required: true
  models:
    description:
      - IDs of the models to allow, or of inference profiles, such as V(anthropic.claude-3-haiku-20240307-v1:0).
      - An asterisk stands for any text.
    type: list
    elements: str
    default: ["*"]
"""

EXAMPLES = r"""
- name: Allow Anthropic's models only
  amazon.aws.iam_policy:
    iam_type: role
    iam_name: shop-assistant
    policy_name: bedrock
    policy_json: "{{ eks.cluster | enbuild.eks.bedrock_policy(models=['anthropic.*']) }}"
"""

RETURN = r"""
_value:
  description: The policy.
  type: dict
"""

import typing as t

from ..module_utils._iam.permission_policies import bedrock_policy
from ..plugin_utils._core.refusals import as_filter


class FilterModule:
    """Filters by name."""

    def filters(self) -> dict[str, t.Any]:
        return {"bedrock_policy": as_filter(bedrock_policy)}
