# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import ClientError


def test_auto_mode_is_switched_on_and_off(eks: t.Any) -> None:
    for enabled in (True, False):
        assert eks.update_cluster_config(name="lab", computeConfig={"enabled": enabled})["update"]["id"]
        assert eks.describe_cluster(name="lab")["cluster"]["computeConfig"]["enabled"] is enabled


def test_what_the_lab_does_not_update_is_refused(eks: t.Any) -> None:
    with pytest.raises(ClientError, match="computeConfig alone"):
        eks.update_cluster_config(name="lab", logging={"clusterLogging": []})
