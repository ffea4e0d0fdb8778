# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role pod_identity_migrate; the logic is in module_utils."""

from __future__ import annotations

import typing as t

from ..plugin_utils._report import migration as migration_words


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "migration_changes": migration_words.changes,
            "migration_record": migration_words.record,
        }
