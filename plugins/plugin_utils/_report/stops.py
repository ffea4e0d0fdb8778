# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a cluster stopped, while the others went on. Pure."""

from __future__ import annotations

import re
import typing as t

Result = t.Mapping[str, t.Any]

UNKNOWN = "it failed without a message; see above"
EXPIRED = re.compile(r"\bExpiredToken|token included in the request is expired")
RENEW = "The AWS credentials have expired; renew them and run this again, and it goes on where it was."
NO_REGION = re.compile(r"requires a region and none was found|must specify a region", re.IGNORECASE)
NAME_REGION = "Name the cluster's region in eks_region."


def reason(result: Result, task: str) -> dict[str, str]:
    """The failed ``task``, without its role's name, and the message of its ``result``, with what to do about it."""
    message, more = said(result), advice(result)
    return {"task": task.rpartition(" : ")[2], "message": f"{message.rstrip('.')}. {more}" if more else message}


def said(result: Result) -> str:
    """The message that a failed task printed; of a loop, each item's once."""
    return "; ".join(dict.fromkeys(filter(None, _messages(result)))) or UNKNOWN


def advice(result: Result) -> str:
    """What to do, where the message itself doesn't say it; "" where it does."""
    message = said(result)
    if EXPIRED.search(message) and "renew" not in message:
        return RENEW
    return NAME_REGION if NO_REGION.search(message) else ""


def _messages(result: Result) -> t.Iterator[str]:
    failed = [item for item in result.get("results") or [] if item.get("failed") and item.get("msg")]
    for each in failed or [result]:
        yield " ".join(str(each.get("msg") or "").split())
