# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that turn judged workloads into verdicts and reports; the logic is in module_utils."""

from __future__ import annotations

import typing as t

from ..module_utils import _report, _rungs, _stops
from ..plugin_utils._refusals import as_filter
from ..plugin_utils._report_page import page


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "below_rung": as_filter(_rungs.below),
            "shortfalls": _rungs.reasons,
            "restartable_workloads": _rungs.restartable,
            "pods_left_alone": _rungs.left_alone,
            "ladder_table": _report.ladder_table,
            "identity_report": as_filter(_report.report),
            "identity_report_html": page,
            "identity_report_json": _report.as_json,
            "identity_report_lines": _report.summary_lines,
            "identity_report_findings": _report.as_severe,
            "identity_fleet_lines": _report.fleet_lines,
            "stop_reason": _stops.reason,
        }
