# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that change Pod Identity associations."""

    DOCUMENTATION = r"""
options:
  cluster_name:
    description: Name of the EKS cluster.
    type: str
    required: true
  propagation_timeout:
    description:
      - Seconds that the task as a whole waits for what EKS does not see yet. That is a role that IAM has just created,
        or the end of an association that was just deleted.
      - After an eighth of this time, IAM is asked for the role. If IAM has no such role, the task fails at once, and
        names a role with a similar name. The caller needs C(iam:GetRole) for this, and C(iam:ListRoles) for the name.
      - A role whose trust policy EKS calls invalid is asked about again for a quarter of this time, because IAM may
        still show the policy that the role had before.
      - V(0) never waits.
    type: int
    default: 120
  allow_addon_owned:
    description:
      - Whether an association that an EKS add-on owns may be changed.
      - Without it, such an association is refused with the name of the add-on. EKS would let it be changed, and the
        add-on would then differ from its own settings.
    type: bool
    default: false
"""
