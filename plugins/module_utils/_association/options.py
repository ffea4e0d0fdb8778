# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of an association, alike for one and for a set, and of the tasks that change them."""

from __future__ import annotations

import typing as t

ARGUMENT_SPEC: dict[str, t.Any] = {
    "namespace": {"type": "str", "required": True},
    "service_account": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "role_arn": {"type": "str"},
    "target_role_arn": {"type": "str"},
    "disable_session_tags": {"type": "bool"},
    "policy": {"type": "json"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}

TASK_SPEC: dict[str, t.Any] = {
    "cluster_name": {"type": "str", "required": True},
    "propagation_timeout": {"type": "int", "default": 120},
    "allow_addon_owned": {"type": "bool", "default": False},
}
