# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of an add-on, read or refused before anything is called."""

from __future__ import annotations

import re
import typing as t

from .._core import validate
from .._core.plan import Refused
from . import configuration
from .plan import Desired, Key, Target

ARGUMENT_SPEC: dict[str, t.Any] = {
    "cluster_name": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "version": {"type": "str"},
    "kubernetes_version": {"type": "str"},
    "configuration_values": {"type": "raw"},
    "service_account_role_arn": {"type": "str"},
    "pod_identity_associations": {
        "type": "list",
        "elements": "dict",
        "options": {
            "service_account": {"type": "str", "required": True},
            "role_arn": {"type": "str", "required": True},
        },
    },
    "resolve_conflicts": {"type": "str", "choices": ["none", "overwrite", "preserve"]},
    "namespace": {"type": "str"},
    "host_ports": {"type": "list", "elements": "int", "default": []},
    "preserve": {"type": "bool", "default": False},
    "recreate_failed": {"type": "bool", "default": False},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 900},
}

_ADDON_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}")
_KUBERNETES_VERSION = re.compile(r"\d+\.\d+")


def target(params: t.Mapping[str, t.Any]) -> Target:
    """What a task wants; its version may still be a word like latest."""
    key = Key(validate.cluster_name("cluster_name", params["cluster_name"]), addon_name(params["name"]))
    check_kubernetes_version(params["kubernetes_version"])
    if params["wait_timeout"] < 1:
        raise Refused(f"wait_timeout is {params['wait_timeout']}, and the task needs a second at least.")
    return Target(
        key,
        _desired(params) if params["state"] == "present" else None,
        resolve_conflicts=params["resolve_conflicts"] or "",
        preserve=params["preserve"],
        recreate_failed=params["recreate_failed"],
        wait=params["wait"],
    )


def addon_name(name: str) -> str:
    """A name that can be an add-on's; it becomes part of a URL."""
    if not _ADDON_NAME.fullmatch(name):
        raise Refused(f"name {name!r} is not the name of an add-on (letters, digits, hyphens and underscores).")
    return name


def check_kubernetes_version(version: str | None) -> None:
    """Refuse what AWS doesn't call a Kubernetes version."""
    if version and not _KUBERNETES_VERSION.fullmatch(version):
        raise Refused(f"kubernetes_version {version!r} is not like 1.36, major and minor version; quote it in YAML.")


def _desired(params: t.Mapping[str, t.Any]) -> Desired:
    role, namespace, tags = params["service_account_role_arn"], params["namespace"], params["tags"]
    return Desired(
        version=params["version"] or None,
        configuration=configuration.wished(params["configuration_values"]),
        service_account_role_arn=validate.role_arn("service_account_role_arn", role) if role else None,
        bindings=_bindings(params["pod_identity_associations"]),
        namespace=validate.namespace("namespace", namespace) if namespace else None,
        tags=None if tags is None else validate.tags("tags", tags),
        purge_tags=params["purge_tags"],
    )


def _bindings(given: list[dict[str, str]] | None) -> dict[str, str] | None:
    if given is None:
        return None
    roles: dict[str, str] = {}
    for item in given:
        name = validate.service_account("service_account", item["service_account"])
        if name in roles:
            raise Refused(f"pod_identity_associations has service account {name} twice, and it can have one role.")
        roles[name] = validate.role_arn("role_arn", item["role_arn"])
    return roles
