# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Internal filters: the roles and playbooks use them, and may change with them."""

from __future__ import annotations

import contextlib
import importlib
import re
import typing as t

from ..module_utils._core.plan import Refused
from ..plugin_utils._core.data import read
from ..plugin_utils._core.refusals import as_filter
from ..plugin_utils._fleet import shared_roles
from ..plugin_utils._report import steps

LOCAL = ("localhost", "127.0.0.1")
"""Patterns that match the host that Ansible adds to an empty inventory."""
KUBECONFIGS = "ansible_collections.enbuild.eks.plugins.lookup.cluster_kubeconfig"
"""The lookup of every task that calls a cluster's API server; it imports boto3."""


def as_data(value: t.Any) -> t.Any:
    """Return ``value`` as data: YAML text is read; null and "" become an empty list."""
    return read("The text", value) or []


def given(value: t.Any, default: t.Any) -> t.Any:
    """Return ``value``, or ``default`` where nothing is given: null or blank text. False and 0 are given."""
    return default if value is None or (isinstance(value, str) and not value.strip()) else value


def clusters(groups: t.Mapping[str, t.Sequence[str]], limit: t.Any = "") -> str:
    """Return the hosts of a play: each of the inventory's is a cluster; without an inventory, variables name one.

    ``Refused`` where ``limit`` would leave no host of an inventory that has none: Ansible would succeed, having done
    nothing.

    A play's hosts are found by the process that starts all tasks, each as a fork. What it has loaded, they have: the
    collection's filters, as this is one, and the AWS SDK, which each task would load for itself in 0.3 s of CPU.
    """
    with contextlib.suppress(ImportError):  # The task that needs it says what is missing.
        importlib.import_module(KUBECONFIGS)
    if groups.get("all"):
        return "all"
    if limit and not {"all", *LOCAL} & set(re.split(r"[,:]", str(limit))):
        raise Refused(
            f"The inventory has no hosts, and the limit {limit!r} leaves nothing to work on: add hosts, synchronize the"
            " inventory's source, or name one cluster (eks_cluster_name) without a limit"
        )
    return "localhost"


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters that Ansible registers."""
        return {
            "as_data": as_filter(as_data),
            "given": given,
            "clusters": as_filter(clusters),
            "shared_roles": shared_roles.sharing,
            "step_result": steps.step_result,
        }
