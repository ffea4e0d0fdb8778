# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Helm release as it is, and as it should be."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Values = t.Mapping[str, t.Any]
"""Helm values as JSON has them. They may hold secrets: no message, result or repr has them."""


@dataclass(frozen=True)
class Target:
    """Which release; both names are valid for Kubernetes, so that they can stand in a command."""

    name: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Observed:
    """What the cluster holds of a release. No ``status`` means that there is no release."""

    status: str = ""
    """Helm's own word, such as deployed, failed or pending-upgrade."""
    revision: int = 0
    chart: str = ""
    chart_version: str = ""
    values: Values = field(default_factory=dict, repr=False)
    """Those that users set; a chart's own defaults aren't among them."""


@dataclass(frozen=True)
class Desired:
    """What a release should be: ``values`` go over those that it has, each mapping over the one before."""

    target: Target
    chart: str
    repository_url: str = ""
    """URL of the chart's repository; "" where ``chart`` is a path or an oci:// reference."""
    chart_version: str = ""
    """"" keeps the version that is installed; a first installation takes the newest."""
    values: tuple[Values, ...] = field(default=(), repr=False)
    host_network: bool | None = None
    """Whether the CTF service is in its node's network; None leaves it as it is."""
    install: bool = True
    """Whether to install a release that isn't there."""
    wait: bool = True
    timeout: str = "10m"
    """How long Helm waits, as Helm writes it."""

    @property
    def source(self) -> str:
        """The chart and its repository, for a message."""
        return f"{self.chart} of {self.repository_url}" if self.repository_url else self.chart


@dataclass(frozen=True)
class Plan:
    """What is to become of a release, before or after its chart was read."""

    action: str = ""
    """create or update; "" for nothing."""
    what: tuple[str, ...] = ()
    """What differs: the chart, the status, and paths of values without their contents."""
    values: Values = field(default_factory=dict, repr=False)
    """All values that the release is to have."""
    chart_version: str = ""
    """The version to install; "" for the newest."""
