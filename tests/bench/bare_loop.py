# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody writes without Ansible: list and describe a cluster's associations, in so many threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3


def main(cluster: str, threads: int) -> None:
    """Describe everything once; prints nothing."""
    eks = boto3.client("eks")
    pages = eks.get_paginator("list_pod_identity_associations").paginate(clusterName=cluster)
    ids = [one["associationId"] for page in pages for one in page["associations"]]

    def describe(association_id: str) -> None:
        eks.describe_pod_identity_association(clusterName=cluster, associationId=association_id)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(describe, ids))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
