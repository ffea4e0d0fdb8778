# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for those who make AWX objects; the rules for surveys are in plugin_utils/surveys.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._awx import surveys


def awaited(registered: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the names of what check mode would make: the results of awx.awx's modules that have no id."""
    results = [result for each in registered for result in each.get("results", [each])]
    return [_name(result) for result in results if not result.get("skipped") and "id" not in result]


def _name(result: t.Mapping[str, t.Any]) -> str:
    return str(result.get("_ansible_item_label") or result.get("name") or "what is to be made")


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {"awaited": awaited, "survey_problems": surveys.problems}
