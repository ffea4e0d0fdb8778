# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a workload has to be allowed to do, as a user writes it. No boto3, no AnsibleModule."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from .._core.plan import Refused

Item = t.Mapping[str, t.Any]

NAMED = {
    "bedrock:ListFoundationModels": ("bedrock", "ListFoundationModels"),
    "s3:ListBuckets": ("s3", "ListBuckets"),
}
"""Checks that need nothing but their name."""
READING = re.compile(r"(?:Get|List|Describe|Head|BatchGet|Lookup|Search|Query|Scan|Detect|Check|Test|Validate)[A-Z]")
"""How operations begin that change nothing."""
S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
}
"""S3's operations that IAM calls otherwise."""
IAM_ACTIONS = {
    "bedrock-runtime:Converse": "bedrock:InvokeModel",
    "bedrock-runtime:InvokeModel": "bedrock:InvokeModel",
    "bedrock-runtime:ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "bedrock-runtime:InvokeModelWithResponseStream": "bedrock:InvokeModelWithResponseStream",
}
"""Operations of other services that IAM calls otherwise."""
KEYS = ("service", "operation", "parameters", "bucket", "write", "action", "resources", "context")
SIMULATED_KEYS = ("action", "resources", "context")
ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")


@dataclass(frozen=True)
class Check:
    """One call that a workload has to be able to make; ``write`` puts and deletes an object of the bucket, too.

    With ``resources`` it isn't called: IAM is asked whether the role may do it on all of them, under the condition keys
    of ``context``.
    """

    name: str
    service: str
    operation: str
    parameters: Item = field(default_factory=dict, hash=False)
    write: bool = False
    resources: tuple[str, ...] = ()
    context: Item = field(default_factory=dict, hash=False)

    @property
    def simulated(self) -> bool:
        """Whether IAM is asked, instead of the service."""
        return bool(self.resources)

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.simulated or (not self.write and READING.match(self.operation) is not None)

    @property
    def actions(self) -> tuple[str, ...]:
        """IAM's names of what it needs."""
        own = S3_ACTIONS.get(self.operation, self.operation) if self.service == "s3" else self.operation
        writing = ("s3:PutObject", "s3:DeleteObject") if self.write else ()
        action = f"{self.service}:{own}"
        return (IAM_ACTIONS.get(action, action), *writing)

    @property
    def bucket(self) -> str:
        """The bucket that it is about; "" for another check."""
        return str(self.parameters.get("Bucket", "")) if self.service == "s3" else ""


def parse_checks(given: t.Any, label: str) -> tuple[Check, ...]:
    """Read ``allowed`` of a workload: a check or a list of them, also as JSON text; ``Refused`` says what is wrong."""
    given = _data(given)
    items = given if isinstance(given, (list, tuple)) else [given] if given else []
    return tuple(_check(item, label) for item in items)


def _data(given: t.Any) -> t.Any:
    if isinstance(given, str) and given.lstrip().startswith(("[", "{")):
        try:
            return json.loads(given)
        except ValueError as error:
            raise Refused(f"allowed is not JSON: {error}") from None
    return given


def _check(item: t.Any, label: str) -> Check:
    if isinstance(item, str) and item in NAMED:
        return Check(item, *NAMED[item])
    if not isinstance(item, t.Mapping):
        raise Refused(f"{label}: allowed has {item!r}, which is none of {', '.join(NAMED)}, nor a dictionary")
    if unknown := sorted(set(item) - set(KEYS)):
        raise Refused(f"{label}: allowed has the unknown key {', '.join(unknown)}; the keys are {', '.join(KEYS)}")
    return _simulated(item, label) if any(item.get(key) for key in SIMULATED_KEYS) else _called(item, label)


def _called(item: Item, label: str) -> Check:
    if item.get("bucket"):
        return _bucket(str(item["bucket"]), item.get("write", False))
    if not (item.get("service") and item.get("operation")):
        raise Refused(f"{label}: an entry of allowed needs bucket, action, or service and operation")
    operation = _camel(str(item["operation"]))
    return Check(f"{item['service']}:{operation}", str(item["service"]), operation, item.get("parameters") or {})


def _simulated(item: Item, label: str) -> Check:
    if not item.get("action"):
        raise Refused(f"{label}: in allowed, resources and context go with action alone")
    if any(item.get(key) for key in KEYS if key not in SIMULATED_KEYS):
        raise Refused(f"{label}: in allowed, action goes with resources and context alone")
    action, given = str(item["action"]), item.get("resources") or ["*"]
    if not ACTION.fullmatch(action):
        raise Refused(f"{label}: in allowed, action has to be like bedrock:InvokeModel, and is {action}")
    resources = (given,) if isinstance(given, str) else tuple(str(each) for each in given)
    service, operation = action.split(":")
    name = f"{action} on {', '.join(resources)}"
    return Check(name, service, operation, resources=resources, context=item.get("context") or {})


def _bucket(name: str, write: t.Any) -> Check:
    writes = write in (True, 1) or str(write).lower() in ("true", "yes")
    verb = "ListObjectsV2, PutObject and DeleteObject" if writes else "ListObjectsV2"
    return Check(f"s3:{verb} in {name}", "s3", "ListObjectsV2", {"Bucket": name, "MaxKeys": 1}, writes)


def _camel(operation: str) -> str:
    """boto3's ``list_objects_v2`` as AWS calls it; a name in AWS's own form stays."""
    if operation != operation.lower():
        return operation
    return "".join(part[:1].upper() + part[1:] for part in operation.split("_"))
