# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Internal filters of the steps' roles; the logic is in plugin_utils."""

from __future__ import annotations

import typing as t

from ..plugin_utils._report import steps


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "step_result": steps.step_result,
        }
