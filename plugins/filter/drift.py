# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that turn what tasks registered into changes and drift; the logic is in module_utils."""

from __future__ import annotations

import typing as t

from ..plugin_utils._report import changes as changes_report
from ..plugin_utils._report import drift as drift_report
from ..plugin_utils._report import steps


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "step_result": steps.step_result,
            "run_changes": changes_report.of_clusters,
            "change_lines": changes_report.lines,
            "drift": drift_report.drift,
            "drift_lines": drift_report.lines,
            "drift_fleet_lines": drift_report.fleet_lines,
        }
