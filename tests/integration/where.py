# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the integration targets run: the lab, or a real account. Nothing else knows the difference."""

from __future__ import annotations

import os
import typing as t
import uuid
from dataclasses import dataclass, field

CLUSTER = "ENBUILD_TEST_AWS_CLUSTER"
"""Variable that names a real EKS cluster to test on; its region and credentials come from the usual AWS variables."""


@dataclass(frozen=True)
class Where:
    """A cluster to test on. ``lab_url`` is where weather, faults and calls are controlled; "" on real AWS."""

    cluster_name: str
    region: str
    lab_url: str
    environment: dict[str, str]
    lab_token_file: str = ""
    """Has what such a request has to carry as its bearer token; empty on real AWS."""
    chart_repository_url: str = "https://vivsoftorg.github.io/enbuild"
    prefix: str = field(default_factory=lambda: f"enbuild-test-{uuid.uuid4().hex[:6]}")
    """Begins the name of everything that a target makes, so that runs side by side don't meet."""

    @property
    def variables(self) -> dict[str, t.Any]:
        """What the targets read."""
        return {
            "test_cluster": self.cluster_name,
            "test_region": self.region,
            "test_lab_url": self.lab_url,
            "test_lab_token_file": self.lab_token_file,
            "test_prefix": self.prefix,
            "test_chart_repository_url": self.chart_repository_url,
        }


def on_lab(lab: t.Any) -> Where:
    """The lab of this session."""
    environment = dict(lab.environment())
    place = (lab.cluster_name, lab.region, lab.aws_endpoint_url, environment)
    return Where(*place, str(lab.control_token_file), lab.chart_repository_url)


def on_aws() -> Where | None:
    """The real cluster that the environment names; None without one."""
    cluster = os.environ.get(CLUSTER)
    return Where(cluster, os.environ["AWS_REGION"], "", dict(os.environ)) if cluster else None
