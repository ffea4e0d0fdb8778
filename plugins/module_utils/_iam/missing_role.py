# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell a role that EKS doesn't see yet from one that doesn't exist."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.suggest import meant
from .roles_api import IamRoles


def missing_role(roles: IamRoles, arn: str) -> str:
    """Return a clause that says that IAM has no role ``arn``, and which role may be meant.

    Empty where IAM has the role, or the caller may not ask.
    """
    try:
        if roles.trusting(arn).exists is not False:
            return ""
        near = meant(arn, roles.arns())
    except AnsibleAWSError:  # The caller has an error of its own to report.
        return ""
    return "which IAM doesn't have" + (f" (did you mean {near}?)" if near else "")
