# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The STS API: moto's, extended by session tags and by those that go on to the next role."""

from __future__ import annotations

import typing as t

import moto.sts.urls
from moto.core.responses import ActionResult
from moto.sts.models import AssumedRole
from moto.sts.responses import TokenResponse

from .operations import Call
from .principals import Principal, find
from .wire_error import CallRefused


class LabTokenResponse(TokenResponse):
    """Keeps the tags of sessions that AssumeRole makes; the rest is moto's."""

    def assume_role(self) -> ActionResult:
        """Assume a role with the tags of the request and the transitive ones of the caller."""
        result = super().assume_role()
        session = t.cast("dict[str, t.Any]", result.result)["Credentials"]
        given = {tag["Key"]: tag["Value"] for tag in self.params.get("Tags") or []}
        caller = t.cast(Principal, find(self.access_key, self.region))
        inherited = {key: caller.tags[key] for key in caller.transitive}
        tag(session, {**given, **inherited}, {*inherited, *(self.params.get("TransitiveTagKeys") or [])})
        return result


def check_tags(call: Call, caller: Principal) -> None:
    """Let an AssumeRole pass unless it replaces a tag that goes on from its caller; CallRefused."""
    given = {tag["Key"] for tag in call.parameters.get("Tags") or []} if call.name == "AssumeRole" else set()
    if given & caller.transitive:
        message = (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from"
            " the calling session."
        )
        raise CallRefused("InvalidParameterValue", 400, message)


def tag(session: AssumedRole, tags: dict[str, str], transitive: t.Iterable[str]) -> None:
    """Put tags on a session; those in ``transitive`` are also those of every session that it leads to."""
    session.tags, session.transitive = tags, frozenset(transitive) & tags.keys()


def install() -> None:
    """Let moto serve this."""
    moto.sts.urls.url_paths["{0}/$"] = LabTokenResponse.dispatch
