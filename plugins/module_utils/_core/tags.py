# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that become other tags. No boto3, no AnsibleModule."""

from __future__ import annotations

import typing as t

from .plan import Change

Tags = t.Mapping[str, str]

PREFIX = "enbuild.eks/"
"""Beginning of the tag keys that are this collection's own."""
MANAGED_TAG = f"{PREFIX}managed-by"
"""Tag key of what this collection created and may purge."""
MANAGED_BY = {MANAGED_TAG: "enbuild.eks"}


def merged(wanted: Tags | None, current: Tags, purge: bool) -> dict[str, str]:
    """``current`` with what is wanted; None touches nothing.

    ``purge`` drops the rest, except what AWS reserves and what this collection keeps in tags.
    """
    if wanted is None:
        return dict(current)
    kept = {key: value for key, value in current.items() if not purge or _stays(key)}
    return {**kept, **wanted}


def changes(arn: str, current: Tags, desired: Tags, what: str) -> t.Iterator[Change]:
    """The calls that turn ``current`` into ``desired``; ``what`` names the resource in an error."""
    stale = sorted(set(current) - set(desired))
    if stale:
        yield Change("untag_resource", {"resourceArn": arn, "tagKeys": stale}, f"untag {what}")
    fresh = {key: value for key, value in desired.items() if current.get(key) != value}
    if fresh:
        yield Change("tag_resource", {"resourceArn": arn, "tags": fresh}, f"tag {what}")


def is_ours(tags: Tags) -> bool:
    """Whether this collection made the resource with these tags."""
    return all(tags.get(key) == value for key, value in MANAGED_BY.items())


def _stays(key: str) -> bool:
    return key.startswith(PREFIX) or key.lower().startswith("aws:")
