# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of one inventory that are one cluster: the same work would be done for each. Pure."""

from __future__ import annotations

import typing as t


def problem(arns: t.Mapping[str, str], host: str) -> str:
    """Say which hosts have the cluster of ``host``, and what to do; "" where it is the only one.

    ``arns`` are the ARNs of the clusters by host, "" where a cluster wasn't read.
    """
    arn = arns.get(host)
    hosts = [name for name, other in arns.items() if other == arn]
    if not arn or len(hosts) < 2:
        return ""
    return (
        f"{' and '.join([', '.join(hosts[:-1]), hosts[-1]])} are one cluster, {arn}, and nothing was changed in it."
        " Keep one host for each cluster. Where eks_cluster_name was given for all hosts, leave it out: the limit"
        " chooses among the inventory's clusters."
    )
