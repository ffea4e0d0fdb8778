# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that decide what a teardown takes away; the logic is in module_utils/teardown_plan.py."""

from __future__ import annotations

import typing as t

from ..module_utils._teardown import plan as teardown_plan


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "teardown_roles": teardown_plan.roles,
            "teardown_agent_users": teardown_plan.agent_users,
            "teardown_report": teardown_plan.report,
            "teardown_lines": teardown_plan.lines,
        }
