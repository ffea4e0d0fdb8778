# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM roles as they are. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Role:
    """An IAM role; what the caller may not read is None."""

    arn: str
    exists: bool | None = None
    trust: t.Mapping[str, t.Any] | None = field(default=None, hash=False)
    policies: tuple[str, ...] | None = None
    """Names of inline and ARNs of attached policies."""

    @property
    def name(self) -> str:
        """What IAM's operations take."""
        return self.arn.rsplit("/", 1)[-1]
