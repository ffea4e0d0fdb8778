# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a cluster from the EKS API. No decisions."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._core.aws import aws_client, doing, error_code
from .._core.plan import Refused
from .._core.validate import cluster_name
from .model import missing, view

BRIEF: dict[str, t.Any] = {"connect_timeout": 3, "read_timeout": 5, "retries": {"max_attempts": 1}}
"""Client settings for calls that only improve an error message; seconds."""


def read_cluster(module: t.Any, name: str, eks: t.Any = None) -> dict[str, t.Any]:
    """Return the cluster ``name`` in the user's words; one DescribeCluster call.

    ``Refused`` for an unknown cluster, naming those that exist where the caller may list them.
    """
    cluster_name("cluster_name", name)
    client = eks or aws_client(module, "eks")
    try:
        with doing(f"describe EKS cluster '{name}' in region {client.meta.region_name}"):
            return view(client.describe_cluster(name=name)["cluster"])
    except AnsibleAWSError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        account, names = _caller_account(module), _cluster_names(module)
        raise Refused(missing(name, client.meta.region_name, account, names)) from error


def _caller_account(module: t.Any) -> str:
    """Return the account of the credentials; "" where STS doesn't answer."""
    with contextlib.suppress(AnsibleAWSError), doing("identify the caller"):
        return str(aws_client(module, "sts", **BRIEF).get_caller_identity()["Account"])
    return ""


def _cluster_names(module: t.Any) -> list[str] | None:
    """Return the names of the region's clusters; None where the caller may not list them."""
    with contextlib.suppress(AnsibleAWSError), doing("list EKS clusters"):
        pages = aws_client(module, "eks", **BRIEF).get_paginator("list_clusters").paginate()
        return [name for page in pages for name in page["clusters"]]
    return None
