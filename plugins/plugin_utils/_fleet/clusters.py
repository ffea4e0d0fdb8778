# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters of which accounts make a fleet, and what each is called. Pure."""

from __future__ import annotations

import fnmatch
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from ...module_utils._core import validate
from ...module_utils._core.plan import Refused

Tags = t.Mapping[str, str]
Wanted = t.Mapping[str, tuple[str, ...]]

ACCOUNT_KEYS = ("profile", "assume_role_arn", "assume_role_external_id")


@dataclass(frozen=True)
class Account:
    """The way into an account: the caller's own credentials, a profile, a role to assume, or a role by a profile."""

    profile: str = ""
    assume_role_arn: str = ""
    assume_role_external_id: str = ""

    @property
    def label(self) -> str:
        """What a message calls it."""
        if self.assume_role_arn:
            return f"account {self.assume_role_arn.split(':')[4]} (role {self.assume_role_arn})"
        return f"the account of profile {self.profile}" if self.profile else "the account of the credentials given"

    def variables(self) -> dict[str, str]:
        """What a host needs to go the same way."""
        given = {f"eks_{key}": getattr(self, key) for key in ACCOUNT_KEYS}
        return {name: value for name, value in given.items() if value}


def accounts(given: t.Sequence[t.Any], default: Account) -> list[Account]:
    """The accounts that a user lists, or else the ``default``; ``Refused`` for what is no account."""
    return [_account(item) for item in given] or [default]


def _account(item: t.Any) -> Account:
    if not isinstance(item, t.Mapping) or (set(item) - set(ACCOUNT_KEYS)):
        raise Refused(f"accounts: {item} is not an account; its keys are {', '.join(ACCOUNT_KEYS)}")
    return account(**{key: str(value) for key, value in item.items() if value})


def account(**given: str) -> Account:
    """An account, its role checked."""
    if given.get("assume_role_arn"):
        validate.role_arn("assume_role_arn", given["assume_role_arn"])
    elif given.get("assume_role_external_id"):
        raise Refused("assume_role_external_id belongs to assume_role_arn, which is missing")
    return Account(**given)


@dataclass(frozen=True)
class Choice:
    """Which clusters are wanted: names and tags' values are patterns such as ``prod-*``."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include_tags: Wanted = field(default_factory=dict)
    exclude_tags: Wanted = field(default_factory=dict)

    def by_name(self, name: str) -> bool:
        """Whether a cluster of that name is wanted, as far as names tell."""
        return (not self.include or _matches(name, self.include)) and not _matches(name, self.exclude)

    def by_tags(self, tags: Tags) -> bool:
        """Whether a cluster with those tags is wanted: it has all that are included, and none that is excluded."""
        included = all(_has(tags, key, values) for key, values in self.include_tags.items())
        return included and not any(_has(tags, key, values) for key, values in self.exclude_tags.items())


def patterns(values: t.Any) -> tuple[str, ...]:
    """One pattern or several, as written; null and nothing is a tag of any value."""
    return tuple(map(str, values if isinstance(values, list) else [values])) if values not in (None, []) else ("*",)


def tag_patterns(given: t.Mapping[str, t.Any] | None) -> dict[str, tuple[str, ...]]:
    """The patterns of each tag."""
    return {str(key): patterns(values) for key, values in (given or {}).items()}


def _matches(text: str, wanted: t.Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in wanted)


def _has(tags: Tags, key: str, values: t.Sequence[str]) -> bool:
    return key in tags and _matches(tags[key], values)


def host_names(clusters: t.Sequence[t.Mapping[str, str]], full: bool = False) -> list[str]:
    """What each cluster's host is called: its name, and where that isn't unique, region and account too.

    All clusters of one name are told apart the same way. ``full`` names have region and account always.
    """
    names = Counter(cluster["name"] for cluster in clusters)
    regions = Counter((cluster["name"], cluster["region"]) for cluster in clusters)
    ambiguous = {name for (name, _region), count in regions.items() if count > 1}
    return [_host_name(cluster, full, names[cluster["name"]] > 1, cluster["name"] in ambiguous) for cluster in clusters]


def _host_name(cluster: t.Mapping[str, str], full: bool, shared: bool, ambiguous: bool) -> str:
    parts = [cluster["name"]]
    parts += [cluster["region"]] if full or shared else []
    parts += [cluster["account_id"]] if full or ambiguous else []
    return ".".join(parts)


def once(found: t.Iterable[tuple[Account, dict[str, t.Any]]]) -> list[tuple[Account, dict[str, t.Any]]]:
    """Each cluster by the first way that led to it, ordered by account, region and name."""
    ways: dict[str, tuple[Account, dict[str, t.Any]]] = {}
    for way, cluster in found:
        ways.setdefault(cluster["arn"], (way, cluster))
    return sorted(ways.values(), key=lambda one: tuple(one[1][key] for key in ("account_id", "region", "name")))


def groups(cluster: t.Mapping[str, t.Any]) -> list[str]:
    """The groups that a cluster is in, as AWS writes what they are called by."""
    kinds = {"account": "account_id", "region": "region", "version": "version", "status": "status"}
    made = [f"{kind}_{cluster[key]}" for kind, key in kinds.items()]
    made += [f"tag_{key}_{value}" if value else f"tag_{key}" for key, value in cluster["tags"].items()]
    return [*made, "auto_mode"] if cluster["auto_mode"] else made


def host_variables(way: Account, cluster: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the roles need to reach ``cluster``, and what is known of it."""
    return {
        "eks_cluster_name": cluster["name"],
        "eks_region": cluster["region"],
        **way.variables(),
        "eks_cluster": dict(cluster),
    }
