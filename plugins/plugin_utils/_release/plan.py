# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to become of a release. Pure: no Helm, no cluster, no clock."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._cluster.token import PREFIX
from ...module_utils._core.plan import Refused
from .model import Desired, Observed, Plan, Target
from .values import differing, host_network, merge

MINIMUM = (0, 0, 38)
"""The first chart with service accounts. Its values existed before, and did nothing."""
TOKEN_SECONDS = 840
"""How long Helm may wait with one EKS token, which lives for 15 minutes."""
EXACT = r"v?(\d+)\.(\d+)\.(\d+)(?:[-+][0-9A-Za-z.+-]+)?"


def first_plan(desired: Desired, observed: Observed) -> Plan | None:
    """The plan as far as the release itself tells it; None where it takes a look at the chart to know."""
    if refusal := _half_done(desired.target, observed):
        raise Refused(refusal)
    if not observed.status and not desired.install:
        return Plan()
    wanted = desired.chart_version or observed.chart_version
    if not observed.status or not _is_exact(wanted) or _is_file(desired.chart):
        return None
    plan = plan_release(desired, observed, wanted.removeprefix("v"))
    return plan if not plan.action else None


def plan_release(desired: Desired, observed: Observed, chart_version: str) -> Plan:
    """The plan, once the version of the chart is known."""
    _refuse_old(desired, chart_version)
    values = merge([observed.values, *desired.values, host_network(observed.values, desired.host_network)])
    if not observed.status:
        return Plan("create", (f"chart {chart_version}",), values, chart_version)
    what = tuple(_differences(observed, values, chart_version))
    return Plan("update" if what else "", what, values, chart_version)


def wanted_version(desired: Desired, observed: Observed) -> str:
    """The version to ask the repository for: another than the installed one only when told to."""
    return desired.chart_version or observed.chart_version


def _differences(observed: Observed, values: t.Mapping[str, t.Any], chart_version: str) -> t.Iterator[str]:
    if observed.status != "deployed":
        yield f"status {observed.status}"
    if observed.chart_version != chart_version:
        yield f"chart {observed.chart_version} -> {chart_version}"
    yield from (f"value {path}" for path in differing(observed.values, values))


def _half_done(release: Target, observed: Observed) -> str:
    """Why no Helm goes on where another was cut off; "" where none was."""
    if not observed.status.startswith("pending") and observed.status != "uninstalling":
        return ""
    way_out = "rollback" if observed.status != "uninstalling" and observed.revision > 1 else "uninstall"
    return (
        f"Release {release} is {observed.status} (revision {observed.revision or '?'}): an earlier Helm was cut off, or"
        f" is still at work. If none is, run helm {way_out} {release.name} -n {release.namespace}, then run this again."
    )


def _refuse_old(desired: Desired, chart_version: str) -> None:
    found = re.fullmatch(EXACT, chart_version)
    if found and tuple(map(int, found.groups())) < MINIMUM:
        least = ".".join(map(str, MINIMUM))
        raise Refused(
            f"Chart {desired.source} is {chart_version}; service accounts need {least} or newer. Set chart_version"
            f" (enbuild_release_chart_version) to such a version: nothing is upgraded unasked."
        )


def removal_refused(release: Target, observed: Observed) -> str:
    """Why not to remove what an earlier Helm left half removed, which a second one takes for gone; "" for nothing."""
    return _half_done(release, observed) if observed.status == "uninstalling" else ""


def refuse_long_wait(timeout: str, kubeconfig: str) -> None:
    """Refuse to wait longer than the token in ``kubeconfig`` (its text) lives: Helm would end in "Unauthorized"."""
    if PREFIX in kubeconfig and _seconds(timeout) > TOKEN_SECONDS:
        raise Refused(
            f"timeout (enbuild_release_timeout) is {timeout}, and an EKS token lives for 15 minutes: wait"
            f" {TOKEN_SECONDS // 60}m at most, or reach the cluster by a kubeconfig of yours."
        )


def _seconds(timeout: str) -> float:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(h|ms|m|s)", timeout))


def _is_exact(chart_version: str) -> bool:
    return re.fullmatch(EXACT, chart_version) is not None


def _is_file(chart: str) -> bool:
    """Whether the chart is a folder or an archive: it has one version, whichever is asked for."""
    return "/" in chart and not chart.startswith("oci://")
