# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that turn judged workloads into reports; the logic is in plugin_utils."""

from __future__ import annotations

import typing as t

from ..plugin_utils._core.refusals import as_filter
from ..plugin_utils._report import identity as identity_report
from ..plugin_utils._report import stops
from ..plugin_utils._report.page import page


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "identity_report": as_filter(identity_report.report),
            "identity_report_html": page,
            "identity_report_json": identity_report.as_json,
            "identity_report_lines": identity_report.summary_lines,
            "identity_report_findings": identity_report.as_severe,
            "identity_fleet_lines": identity_report.fleet_lines,
            "stop_reason": stops.reason,
        }
