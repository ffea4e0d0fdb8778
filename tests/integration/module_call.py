# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Call what pod_identity_workload_info calls, in this process: many looks at a cluster, without as many starts."""

from __future__ import annotations

import functools
import threading
import typing as t

import boto3
from ansible_collections.enbuild.eks.plugins.module_utils._identity.collect import observe
from ansible_collections.enbuild.eks.plugins.modules.pod_identity_workload_info import ARGUMENT_SPEC
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import _pool
from botocore.config import Config
from kubernetes.client import Configuration

_ONE_AT_A_TIME = threading.Lock()


@functools.cache
def _session(region: str) -> t.Any:
    """One session reads botocore's models once."""
    return boto3.session.Session("none", "none", region_name=region)


class ModuleOfTest:
    """Takes an AnsibleAWSModule's place; ``keys`` are another caller's than the account's operator."""

    def __init__(self, lab: Lab, params: dict[str, t.Any], keys: dict[str, str], check_mode: bool) -> None:
        defaults = {name: t.cast("t.Any", spec).get("default") for name, spec in ARGUMENT_SPEC.items()}
        access = {"kubeconfig": str(lab.kubernetes.kubeconfig), "context": "lab-admin"}
        quick = {"ask_pods": False}  # Each answer costs a start of Python; those that are about it ask.
        self.params = {**defaults, **access, **quick, "cluster_name": lab.cluster_name, **params}
        self.check_mode = check_mode
        self.region = lab.region
        self._url = lab.aws_endpoint_url
        self._keys = keys or {
            "aws_access_key_id": lab.access_key_id,
            "aws_secret_access_key": lab.secret_access_key,
        }

    def client(self, service: str, config: t.Any = None, profile_name: None = None, **keys: str) -> t.Any:
        """Return a client of the given keys, or of the caller's."""
        with _ONE_AT_A_TIME:
            return _session(self.region).client(
                service, endpoint_url=self._url, config=Config(**config), **(keys or self._keys)
            )


def look_at(lab: Lab, keys: dict[str, str] | None = None, check_mode: bool = False, **params: t.Any) -> t.Any:
    """Return what the module would, with these options."""
    # A process is one caller's: its first one stays in the Kubernetes client's defaults, and in kubernetes.core's pool.
    Configuration.set_default(None)
    _pool.clear()
    return observe(ModuleOfTest(lab, params, keys or {}, check_mode))
