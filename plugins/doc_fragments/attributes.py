# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of this collection can do."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Takes its defaults from C(module_defaults) of the group C(group/enbuild.eks.eks).
    support: full
    membership:
      - enbuild.eks.eks
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    description: Reports the changes that a real run would make, with the same result, and makes none.
    support: full
    details:
      - What only AWS knows about something not yet created, such as its ARN, is V(null).
  diff_mode:
    description: Shows each resource that changes before and after, and of one that is created or deleted what it has.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Reads the same in check mode, and changes nothing in either mode.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: N/A
"""

    SDK = r"""
options: {}
requirements:
  - python >= 3.11
  - boto3 >= 1.38.40
  - botocore >= 1.38.40
"""
