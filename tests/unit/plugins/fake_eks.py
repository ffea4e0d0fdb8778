# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real boto3 client whose calls are validated by botocore and answered from memory."""

from __future__ import annotations

import itertools
import re
import threading
import typing as t
from collections import deque

import boto3
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
CLUSTER_ARN = f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/prod"
ENVELOPE = ("clusterName", "clientRequestToken")
"""There is one cluster, and no request is repeated."""


class FakeEks:
    """Holds associations; ``client`` talks to it.

    ``refusals`` are errors (code, message) that the next writes of a name get instead of an answer.
    """

    def __init__(self) -> None:
        self.associations: dict[str, dict[str, t.Any]] = {}
        self.calls: list[str] = []
        self.requests: list[dict[str, t.Any]] = []
        self.refusals: dict[str, deque[tuple[str, str]]] = {}
        self._ids = (f"a-{n:017}" for n in itertools.count(1))
        self._request = threading.local()
        self.client = boto3.client("eks", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.client.meta.events.register("before-parameter-build.eks", self._remember)
        self.client.meta.events.register("before-call.eks", self._answer)

    def refuse(self, call: str, code: str, message: str, times: int = 1) -> None:
        self.refusals.setdefault(call, deque()).extend([(code, message)] * times)

    def _remember(self, params: dict[str, t.Any], **_unused: t.Any) -> None:
        self._request.params = params

    def _answer(self, model: t.Any, **_unused: t.Any) -> tuple[t.Any, dict[str, t.Any]]:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", model.name).lower()
        self.calls.append(name)
        self.requests.append(self._request.params)
        if self.refusals.get(name):
            raise _error(model.name, *self.refusals[name].popleft())
        try:
            wanted = {key: value for key, value in self._request.params.items() if key not in ENVELOPE}
            body = getattr(self, name)(**wanted)
        except KeyError:
            raise _error(model.name, "ResourceNotFoundException", "The requested resource does not exist.") from None
        except ValueError as taken:
            raise _error(model.name, "ResourceInUseException", f"Association already exists: {taken}") from None
        return type("Response", (), {"status_code": 200})(), body

    def create_pod_identity_association(self, **kwargs: t.Any) -> dict[str, t.Any]:
        for key, found in self.associations.items():
            if all(found[part] == kwargs[part] for part in ("namespace", "serviceAccount")):
                raise ValueError(key)
        return {"association": self.put(**kwargs)}

    def put(self, **kwargs: t.Any) -> dict[str, t.Any]:
        """Make an association as somebody else would."""
        key = next(self._ids)
        self.associations[key] = {
            "clusterName": "prod",
            "tags": {},
            **kwargs,
            "associationId": key,
            "associationArn": f"{CLUSTER_ARN}/{key}",
        }
        return self.associations[key]

    def update_pod_identity_association(self, associationId: str, **kwargs: t.Any) -> dict[str, t.Any]:
        found = self.associations[associationId]
        found.update(kwargs)
        return {"association": found}

    def delete_pod_identity_association(self, associationId: str) -> dict[str, t.Any]:
        return {"association": self.associations.pop(associationId)}

    def describe_pod_identity_association(self, associationId: str) -> dict[str, t.Any]:
        return {"association": self.associations[associationId]}

    def list_pod_identity_associations(self, maxResults: int, nextToken: str = "0", **filters: str) -> dict[str, t.Any]:
        found = [a for a in self.associations.values() if filters.items() <= a.items()]
        start = int(nextToken)
        more = {"nextToken": str(start + maxResults)} if len(found) > start + maxResults else {}
        return {"associations": found[start : start + maxResults], **more}

    def tag_resource(self, resourceArn: str, tags: dict[str, str]) -> dict[str, t.Any]:
        found = self.associations[resourceArn.rsplit("/", 1)[-1]]
        found["tags"] = {**found["tags"], **tags}
        return {}

    def untag_resource(self, resourceArn: str, tagKeys: list[str]) -> dict[str, t.Any]:
        found = self.associations[resourceArn.rsplit("/", 1)[-1]]
        found["tags"] = {key: value for key, value in found["tags"].items() if key not in tagKeys}
        return {}


def _error(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
