# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that decide what a teardown takes away; the logic is in module_utils/_teardown.py."""

from __future__ import annotations

import typing as t

from ..module_utils import _teardown


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "teardown_obstacle": _teardown.obstacle,
            "teardown_roles": _teardown.roles,
            "teardown_agent_users": _teardown.agent_users,
            "teardown_report": _teardown.report,
            "teardown_lines": _teardown.lines,
        }
