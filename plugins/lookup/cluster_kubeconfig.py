# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_kubeconfig
version_added: 1.0.0
short_description: A kubeconfig file with a fresh bearer token for an EKS cluster
description:
  - Writes a kubeconfig to Ansible's temporary folder on the controller, and returns its path. Only the owner can read
    the file. Ansible deletes the folder when the run ends.
  - Removes C(K8S_AUTH_*) variables from the environment of the task that uses the lookup. They belong to another
    cluster, for example to one of AWX's credentials, and would override the file.
  - The token is in the file, so it isn't in the task's arguments, in its result, on a command line or in the
    environment.
  - The token comes from P(enbuild.eks.cluster_token#lookup), or from O(token). Use the lookup in the task that needs
    the file, so that each task has a fresh token. For 30 seconds, tasks with the same options share a token.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  _terms:
    description: Name of the EKS cluster.
    type: list
    elements: str
    required: true
  endpoint:
    description: URL of the cluster's API server.
    type: str
    required: true
  certificate_authority:
    description:
      - PEM in base64, as RV(enbuild.eks.eks_cluster_info#module:cluster.certificate_authority) has it, or the path of a
        PEM file.
      - Defaults to the certificate authorities of the machine.
    type: str
    default: ''
  token:
    description: A bearer token to use instead of one made from AWS credentials.
    type: str
    default: ''
extends_documentation_fragment:
  - enbuild.eks.attributes.sdk
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
notes:
  - The file is on the controller, so use it in tasks that run there, with C(connection=local).
seealso:
  - plugin: enbuild.eks.cluster_token
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: List namespaces with AWS credentials alone, and no token among the task's arguments
  kubernetes.core.k8s_info:
    kubeconfig: >-
      {{ lookup('enbuild.eks.cluster_kubeconfig', eks.cluster.name, endpoint=eks.cluster.endpoint,
                certificate_authority=eks.cluster.certificate_authority, region=eks.cluster.region) }}
    kind: Namespace
"""

RETURN = r"""
_raw:
  description: Path of the file.
  type: list
  elements: str
"""

import functools
import hashlib
import json
import os
import time
import typing as t

from ..plugin_utils._core.temporary import path_of, write
from .cluster_token import LookupModule as ClusterToken

STRAYS = "K8S_AUTH_"
FRESH_SECONDS = 30
"""How long a token serves the tasks that follow; EKS takes it for 15 minutes."""


class LookupModule(ClusterToken):
    """Kubeconfigs from the plugin's AWS options."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        for name in [name for name in os.environ if name.startswith(STRAYS)]:
            del os.environ[name]  # A task has a process of its own, whose environment its module gets.
        host = (variables or {}).get("inventory_hostname", "")
        return [self._file((host, name), functools.partial(self._signed, name, variables, kwargs)) for name in terms]

    def _signed(self, name: str, variables: t.Any, options: dict[str, t.Any]) -> str:
        """A token made from AWS credentials."""
        (token,) = super().run([name], variables, **options)
        return token

    def _file(self, of: tuple[str, str], signed: t.Callable[[], str]) -> str:
        """Path of the file of a host's cluster. Each token of it goes to the same file.

        The endpoint alone doesn't tell files apart: clusters behind one proxy share it, and hosts of one cluster may
        have different credentials.
        """
        server = {"server": self.get_option("endpoint"), **_authority(self.get_option("certificate_authority"))}
        path, user = path_of(f"kubeconfig-{_digest([*of, server])}"), _digest(self.get_options())
        if not _is_fresh(path, user):
            write(path, json.dumps(kubeconfig(server, user, self.get_option("token") or signed())).encode())
        return path


def kubeconfig(server: dict[str, str], user: str, token: str) -> dict[str, t.Any]:
    """A kubeconfig with one context; JSON is YAML."""
    name = "eks"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }


def _is_fresh(path: str, user: str) -> bool:
    """Whether the file was just written, for a user of the same options: signing anew takes longer than reading it."""
    try:
        with open(path, "rb") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            return 0 <= age < FRESH_SECONDS and json.load(file)["users"][0]["name"] == user
    except FileNotFoundError:
        return False


def _digest(of: t.Any) -> str:
    return hashlib.sha256(json.dumps(of, sort_keys=True, default=str).encode()).hexdigest()


def _authority(given: str) -> dict[str, str]:
    if not given:
        return {}
    key = "certificate-authority" if os.path.exists(given) else "certificate-authority-data"
    return {key: given}
