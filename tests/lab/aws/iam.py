# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM API: moto's, extended by the client ids of an OpenID Connect provider."""

from __future__ import annotations

import typing as t

import moto.iam.urls
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import LimitExceededException
from moto.iam.responses import IamResponse

CLIENT_IDS = 100
"""To one provider."""


class LabIamResponse(IamResponse):
    """Adds and removes client ids; the rest is moto's."""

    def add_client_id_to_open_id_connect_provider(self) -> ActionResult:
        """Let a provider's tokens be for one more audience; one that it has already is fine."""
        known, client_id = self._client_ids(), self.params["ClientID"]
        if client_id not in known:
            if len(known) >= CLIENT_IDS:
                quota = f"ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS}"
                raise LimitExceededException(f"Cannot exceed quota for {quota}")
            known.append(client_id)
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self) -> ActionResult:
        """Take an audience away; one that isn't there is fine."""
        known, client_id = self._client_ids(), self.params["ClientID"]
        if client_id in known:
            known.remove(client_id)
        return EmptyResult()

    def _client_ids(self) -> list[str]:
        """Return the provider's own list; NoSuchEntity."""
        provider = self.backend.get_open_id_connect_provider(self.params["OpenIDConnectProviderArn"])
        return t.cast("list[str]", provider.client_id_list)


def install() -> None:
    """Let moto serve this."""
    moto.iam.urls.url_paths["{0}/$"] = LabIamResponse.dispatch
