# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The internal filter that reads a failure; the logic is in plugin_utils."""

from __future__ import annotations

import typing as t

from ..plugin_utils._report import stops


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "stop_reason": stops.reason,
        }
