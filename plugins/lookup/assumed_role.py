# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: assumed_role
version_added: 1.0.0
short_description: Temporary credentials of an IAM role
description:
  - Assumes each role by STS, and returns credentials that last for an hour, as the AWS options that modules take.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  _terms:
    description: ARNs of the roles to assume.
    type: list
    elements: str
    required: true
  external_id:
    description: External ID that the roles ask for.
    type: str
    default: ''
  fail:
    description:
      - Whether the lookup fails if a role can't be assumed. With V(false), the entry of that role has only C(error), a
        sentence. That is for tasks with C(no_log), whose failure would show no reason.
    type: bool
    default: true
extends_documentation_fragment:
  - enbuild.eks.attributes.sdk
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
notes:
  - The returned credentials are secret. Set C(no_log) on a task that stores them.
seealso:
  - plugin: enbuild.eks.cluster_token
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read a cluster of another account
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
    access_key: "{{ session.access_key }}"
    secret_key: "{{ session.secret_key }}"
    session_token: "{{ session.session_token }}"
  vars:
    session: "{{ lookup('enbuild.eks.assumed_role', 'arn:aws:iam::222222222222:role/fleet') }}"
"""

RETURN = r"""
_raw:
  description: Credentials of each role, C(access_key), C(secret_key) and C(session_token); and C(expires), their end
    in seconds since 1970.
  type: list
  elements: dict
"""

import contextlib
import typing as t

with contextlib.suppress(ImportError):  # AWSLookupBase names the missing library.
    from botocore.exceptions import BotoCoreError, ClientError

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase

from ..module_utils._core import validate
from ..module_utils._core.aws import advice, error_message
from ..module_utils._core.plan import Refused
from ..plugin_utils._fleet.assume_role import assume


class LookupModule(AWSLookupBase):
    """Sessions from the plugin's AWS options."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        super().run(terms, variables, **kwargs)
        return [self._session(role_arn) for role_arn in terms]

    def _session(self, role_arn: str) -> dict[str, t.Any]:
        try:
            role = validate.role_arn("assume_role_arn", role_arn)
            return _shown(assume(self.client("sts"), role, self.get_option("external_id")))
        except (Refused, BotoCoreError, ClientError, AnsibleLookupError) as error:
            sentences = (f"Failed to assume role {role_arn}: {error_message(error)}".rstrip("."), advice(error))
            message = ". ".join(filter(None, sentences)) + "."
            if self.get_option("fail"):
                raise AnsibleLookupError(message) from error
            return {"error": message}


def _shown(credentials: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "session_token": credentials["SessionToken"],
        "expires": int(credentials["Expiration"].timestamp()),
    }
