# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_token
version_added: 1.0.0
short_description: A fresh bearer token for an EKS cluster's API server
description:
  - Creates the same token as C(aws eks get-token) from AWS credentials, without the AWS CLI.
  - The token is a presigned request that is signed on the controller. AWS is called only to assume O(assume_role_arn).
  - A token is valid for 15 minutes. Use the lookup in the task that needs the token, so that each task has a fresh one.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  _terms:
    description: Names of EKS clusters.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - enbuild.eks.attributes.sdk
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
notes:
  - The token is a credential of the caller. Set C(no_log) on a task that would print it.
  - A Kubernetes API server accepts only tokens that were signed for AWS's own STS endpoints, so set O(endpoint_url)
    only for an emulated cluster.
seealso:
  - module: enbuild.eks.eks_cluster_info
"""

EXAMPLES = r"""
- name: List namespaces with AWS credentials alone
  kubernetes.core.k8s_info:
    host: "{{ eks.cluster.endpoint }}"
    ca_cert: "{{ eks.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', eks.cluster.name, region=eks.cluster.region) }}"
    kind: Namespace
"""

RETURN = r"""
_raw:
  description: One token for each cluster name.
  type: list
  elements: str
"""

import contextlib
import typing as t

with contextlib.suppress(ImportError):  # AWSLookupBase names the missing library.
    from botocore.exceptions import BotoCoreError, ClientError

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase

from ..module_utils._cluster.token import cluster_token
from ..module_utils._core.plan import Refused
from ..module_utils._core.validate import cluster_name
from ..plugin_utils._fleet.assume_role import assume, client_arguments


class LookupModule(AWSLookupBase):
    """Tokens from the plugin's AWS options."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        super().run(terms, variables, **kwargs)
        if not self.region:
            raise AnsibleLookupError("cluster_token needs the cluster's region: set region, or AWS_REGION")
        try:
            for name in terms:
                cluster_name("cluster_name", name)
            sts = self._sts()
            return [cluster_token(sts, name) for name in terms]
        except Refused as error:
            raise AnsibleLookupError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise AnsibleLookupError(f"Failed to make a token for EKS cluster {', '.join(terms)}: {error}") from error

    def _sts(self) -> t.Any:
        """Return an STS client of the caller, or of the role to assume."""
        caller = self.client("sts")
        role = self.get_option("assume_role_arn")
        if not role:
            return caller
        return self.client("sts", **client_arguments(assume(caller, role)))
