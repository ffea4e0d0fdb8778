# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admission webhook: what EKS puts into a pod whose service account has an AWS identity.

``tests/unit/lab/aws/data/webhook.json`` holds what AWS's own webhook made of 21 pods; this returns the same.
"""

from __future__ import annotations

import base64
import copy
import csv
import json
import random
import re
import typing as t
from dataclasses import dataclass

DOMAIN = "eks.amazonaws.com"
POD_LABEL = f"{DOMAIN}/pod-identity"
DEFAULT_EXPIRATION = 86400
JITTERED_EXPIRATION = (79200, DEFAULT_EXPIRATION)
"""Seconds; a default expiration is spread over this range so that not all tokens are renewed at once."""
MIN_EXPIRATION = 600

Json = dict[str, t.Any]


@dataclass(frozen=True)
class Method:
    """One of the two ways to hand a role to a pod."""

    volume: str
    directory: str
    token_path: str
    audience: str
    variables: tuple[tuple[str, str], ...]
    """Names and values, the token file's (empty here) last."""


POD_IDENTITY = Method(
    volume="eks-pod-identity-token",
    directory="/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
    token_path="eks-pod-identity-token",
    audience="pods.eks.amazonaws.com",
    variables=(
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ""),
    ),
)


def irsa(role_arn: str, audience: str) -> Method:
    """Return the older way: a role named by the service account's annotation."""
    return Method(
        volume="aws-iam-token",
        directory="/var/run/secrets/eks.amazonaws.com/serviceaccount",
        token_path="token",
        audience=audience,
        variables=(("AWS_ROLE_ARN", role_arn), ("AWS_WEB_IDENTITY_TOKEN_FILE", "")),
    )


def review(request: Json, mutated: Json) -> Json:
    """Return the AdmissionReview that turns the reviewed pod into ``mutated``."""
    response: Json = {"uid": request["uid"], "allowed": True}
    patch = _patch(request["object"], mutated)
    if patch:
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        response.update(patchType="JSONPatch", patch=encoded)
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def mutate(pod: Json, associated: bool, annotations: t.Mapping[str, str], region: str) -> Json:
    """Return what becomes of ``pod``; the pod itself when nothing does, also when it was mutated before."""
    role_arn = annotations.get(f"{DOMAIN}/role-arn", "")
    if associated:
        method = POD_IDENTITY
    elif role_arn:
        method = irsa(role_arn, annotations.get(f"{DOMAIN}/audience", "sts.amazonaws.com"))
    else:
        return pod
    mutated = copy.deepcopy(pod)
    environment = _environment(mutated, method, annotations, region)
    _inject(mutated, method, environment)
    _add_volume(mutated["spec"], method, _expiration(mutated, annotations))
    if associated:
        mutated["metadata"].setdefault("labels", {})[POD_LABEL] = "enabled"
    return mutated


def _environment(
    pod: Json, method: Method, annotations: t.Mapping[str, str], region: str
) -> list[list[tuple[str, str]]]:
    """Return the groups of variables: each is added as a whole, or not at all if one of it is set."""
    regional = annotations.get(f"{DOMAIN}/sts-regional-endpoints", "true") == "true"
    token_file = f"{method.directory}/{method.token_path}"
    if _on_windows(pod["spec"]):
        token_file = "C:" + token_file.replace("/", "\\")
    return [
        [("AWS_STS_REGIONAL_ENDPOINTS", "regional")] if regional else [],
        [("AWS_DEFAULT_REGION", region), ("AWS_REGION", region)],
        [(name, value or token_file) for name, value in method.variables],
    ]


def _on_windows(spec: Json) -> bool:
    return (spec.get("nodeSelector") or {}).get("kubernetes.io/os") == "windows"


def _inject(pod: Json, method: Method, environment: list[list[tuple[str, str]]]) -> None:
    spec = pod["spec"]
    skipped = _first_record((pod["metadata"].get("annotations") or {}).get(f"{DOMAIN}/skip-containers", ""))
    for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
        if container["name"] not in skipped:
            _inject_container(container, method, environment)
        container.setdefault("resources", {})


def _first_record(text: str) -> set[str]:
    """Return the values of the first line that has any, as Go reads CSV: untrimmed, and none if it is no CSV."""
    line = next((line for line in text.splitlines() if line), "")
    value = r'(?:"(?:[^"]|"")*"|[^",]*)'
    return set(*csv.reader([line])) if line and re.fullmatch(f"{value}(?:,{value})*", line) else set()


def _inject_container(container: Json, method: Method, environment: list[list[tuple[str, str]]]) -> None:
    variables = container.get("env") or []
    names = {variable["name"] for variable in variables}
    for group in environment:
        if names.isdisjoint(name for name, _unused in group):
            variables.extend({"name": name, "value": value} for name, value in group)
    container["env"] = variables
    mounts = container.get("volumeMounts") or []
    if all(mount["name"] != method.volume for mount in mounts):
        mounts.append({"name": method.volume, "readOnly": True, "mountPath": method.directory})
    container["volumeMounts"] = mounts


def _expiration(pod: Json, annotations: t.Mapping[str, str]) -> int:
    key = f"{DOMAIN}/token-expiration"
    wanted = (pod["metadata"].get("annotations") or {}).get(key) or annotations.get(key, "")
    seconds = int(wanted) if wanted.isdigit() else DEFAULT_EXPIRATION
    if seconds == DEFAULT_EXPIRATION:
        return random.randint(*JITTERED_EXPIRATION)  # noqa: S311  (jitter)
    return max(seconds, MIN_EXPIRATION)


def _add_volume(spec: Json, method: Method, expiration: int) -> None:
    volumes = spec.get("volumes") or []
    if any(volume["name"] == method.volume for volume in volumes):
        return
    token = {"audience": method.audience, "expirationSeconds": expiration, "path": method.token_path}
    volume = {"name": method.volume, "projected": {"sources": [{"serviceAccountToken": token}]}}
    spec["volumes"] = [volume, *volumes]


def _patch(before: Json, after: Json) -> list[Json]:
    """Return the JSON patch from ``before`` to ``after``: whole lists, since that is all that changes."""
    fields = [(section, name) for section in ("spec", "metadata") for name in after[section]]
    return [
        {"op": "add", "path": f"/{section}/{name}", "value": after[section][name]}
        for section, name in fields
        if before[section].get(name) != after[section][name]
    ]
