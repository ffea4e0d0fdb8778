# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for those who make AWX objects; the rules for surveys are in plugin_utils/_awx/surveys.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._awx import surveys


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {"survey_problems": surveys.problems}
