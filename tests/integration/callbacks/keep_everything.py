# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: keep_everything
type: notification
short_description: Keep all that a callback is given
description: Writes every event with its whole result and the task's arguments to the file that KEEP_EVERYTHING names.
options: {}
"""


class CallbackModule(CallbackBase):
    """A job's store of events that leaves nothing out."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "keep_everything"

    def v2_on_any(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Write what each event carries."""
        parts = [_parts(each) for each in (*args, *kwargs.values())]
        with open(os.environ["KEEP_EVERYTHING"], "a", encoding="utf-8") as file:
            file.write(json.dumps(parts, default=str) + "\n")


def _parts(event: t.Any) -> dict[str, t.Any]:
    names = ("_result", "_task_fields", "_attributes", "args")
    return {"event": str(event), **{name: getattr(event, name, None) for name in names}}
