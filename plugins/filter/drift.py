# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that turn what tasks registered into changes and drift; the logic is in module_utils."""

from __future__ import annotations

import typing as t

from ..module_utils import _changes, _drift


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "release_change": _changes.release,
            "run_changes": _changes.of_clusters,
            "change_lines": _changes.lines,
            "drift": _drift.drift,
            "drift_lines": _drift.lines,
            "drift_fleet_lines": _drift.fleet_lines,
            "sorted_workloads": _drift.sort_out,
        }
