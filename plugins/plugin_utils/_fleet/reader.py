# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the clusters of several accounts and regions from the EKS API, all at once."""

from __future__ import annotations

import contextlib
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

with contextlib.suppress(ImportError):  # AWSInventoryBase names the missing library.
    from botocore.exceptions import BotoCoreError, ClientError

from ansible.errors import AnsibleError

from ...module_utils._cluster.model import view
from ...module_utils._core.aws import advice, error_code, error_message
from .assume_role import assume, client_arguments, profile_arguments
from .clusters import Account, Choice

THREADS = 10
CONFIG: dict[str, t.Any] = {
    "connect_timeout": 10,
    "read_timeout": 30,
    "retries": {"mode": "standard", "max_attempts": 4},
    "max_pool_connections": THREADS,
}
"""A region out of reach is given up after some seconds, and named."""
GONE = "ResourceNotFoundException"

View = dict[str, t.Any]
Observed = tuple[Account, View]
Connect = t.Callable[..., t.Any]
"""``connect(service, region=…, **credentials)`` returns a boto3 client."""


@dataclass
class Fleet:
    """What was found, and why nothing was found elsewhere: one sentence each."""

    found: list[Observed]
    problems: list[str]


class FleetReader:
    """Reads each account in each region, by ListClusters and one DescribeCluster for each wanted cluster."""

    def __init__(self, connect: Connect, choice: Choice) -> None:
        self._connect = connect
        self._choice = choice
        self._problems: list[str] = []

    def read(self, accounts: t.Sequence[Account], regions: t.Sequence[str]) -> Fleet:
        """Return the clusters whose names are wanted; tags are for the caller to look at."""
        with ThreadPoolExecutor(THREADS) as pool:
            entered = list(pool.map(lambda account: self._enter(account, regions[0]), accounts))
            ways = [(account, keys) for account, keys in zip(accounts, entered, strict=True) if keys is not None]
            places = [(account, keys, region) for account, keys in ways for region in regions]
            listed = list(pool.map(lambda place: self._list(*place), places))
            wanted = [each for names in listed for each in names]
            described = list(pool.map(lambda each: self._describe(*each), wanted))
        return Fleet([found for found in described if found], sorted(set(self._problems)))

    def _enter(self, account: Account, region: str) -> View | None:
        """Return the arguments of ``connect`` for ``account``; None if it lets nobody in."""
        own = profile_arguments(account.profile) if account.profile else {}
        if not account.assume_role_arn:
            return own
        with self._noting(f"Nothing of {account.label} is in the inventory"):
            sts = self._connect("sts", region=region, config=CONFIG, **own)
            return client_arguments(assume(sts, account.assume_role_arn, account.assume_role_external_id))
        return None

    def _list(self, account: Account, keys: View, region: str) -> list[tuple[Account, t.Any, str]]:
        with self._noting(f"No cluster of region {region} of {account.label} is in the inventory"):
            eks = self._connect("eks", region=region, config=CONFIG, **keys)
            pages = eks.get_paginator("list_clusters").paginate()
            names = [name for page in pages for name in page["clusters"]]
            return [(account, eks, name) for name in names if self._choice.by_name(name)]
        return []

    def _describe(self, account: Account, eks: t.Any, name: str) -> Observed | None:
        place = f"region {eks.meta.region_name} of {account.label}"
        with self._noting(f"Cluster {name} in {place} is not in the inventory"):
            return account, view(eks.describe_cluster(name=name)["cluster"])
        return None

    @contextlib.contextmanager
    def _noting(self, consequence: str) -> t.Iterator[None]:
        """Keep what went wrong, but for a cluster that was deleted since it was listed."""
        try:
            yield
        except (ClientError, BotoCoreError, AnsibleError) as error:
            if error_code(error) != GONE:
                sentences = [f"{consequence}: {error_message(error)}".rstrip("."), advice(error)]
                self._problems.append(". ".join(filter(None, sentences)))
