# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes versions that EKS offers. Made up but for their names, with EKS's periods of support."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .validation import page

STANDARD, EXTENDED, UNSUPPORTED = "standard-support", "extended-support", "unsupported"
DEFAULT = "1.35"
STANDARD_DAYS, EXTENDED_DAYS = 425, 790
"""Support after the release: 14 months, and 12 more for money."""

Json = dict[str, t.Any]


@dataclass(frozen=True)
class _Version:
    name: str
    patch: str
    released: datetime
    status: str


_VERSIONS = (
    _Version("1.36", "1.36.3", datetime(2026, 9, 1, tzinfo=UTC), STANDARD),
    _Version("1.35", "1.35.6", datetime(2026, 4, 1, tzinfo=UTC), STANDARD),
    _Version("1.34", "1.34.9", datetime(2025, 10, 1, tzinfo=UTC), STANDARD),
    _Version("1.33", "1.33.11", datetime(2025, 5, 1, tzinfo=UTC), EXTENDED),
    _Version("1.32", "1.32.13", datetime(2025, 1, 1, tzinfo=UTC), EXTENDED),
    _Version("1.31", "1.31.14", datetime(2024, 9, 1, tzinfo=UTC), EXTENDED),
    _Version("1.30", "1.30.14", datetime(2024, 5, 1, tzinfo=UTC), UNSUPPORTED),
)


def versions_page(given: Json, platform: str) -> tuple[list[Json], str | None]:
    """Return what DescribeClusterVersions shows, newest first, and the token of the next page."""
    found = [version for version in _VERSIONS if _asked_for(version, given)]
    return page([_view(version, platform) for version in found], _newest_first, given)


def _newest_first(view: Json) -> int:
    return -int(view["clusterVersion"].partition(".")[2])


def _asked_for(version: _Version, given: Json) -> bool:
    names, status = given.get("clusterVersions"), _status(given)
    if names and version.name not in names:
        return False
    if given.get("defaultOnly"):
        return version.name == DEFAULT
    return version.status == status if status else bool(given.get("includeAll")) or version.status != UNSUPPORTED


def _status(given: Json) -> str:
    """The newer parameter spells it like an enumeration."""
    return str(given.get("status") or given.get("versionStatus") or "").lower().replace("_", "-")


def _view(version: _Version, platform: str) -> Json:
    return {
        "clusterVersion": version.name,
        "clusterType": "eks",
        "defaultPlatformVersion": platform,
        "defaultVersion": version.name == DEFAULT,
        "releaseDate": version.released,
        "endOfStandardSupportDate": version.released + timedelta(days=STANDARD_DAYS),
        "endOfExtendedSupportDate": version.released + timedelta(days=EXTENDED_DAYS),
        "status": version.status,
        "versionStatus": version.status.upper().replace("-", "_"),
        "kubernetesPatchVersion": version.patch,
    }
