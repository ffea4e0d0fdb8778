# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a release to what is desired, or remove it. Everything that Helm says is cleaned of values here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ...module_utils._core.plan import Refused
from .clean import Cleaner
from .helm import Helm, HelmError, HelmMissing
from .model import Desired, Observed, Plan, Target
from .plan import first_plan, plan_release, removal_refused, wanted_version
from .values import merge

Explain = t.Callable[[Target], str]
"""Which pods of a release aren't ready, and why; "" where that isn't known."""


@dataclass(frozen=True)
class Outcome:
    """What was done, or in check mode would be; ``failure`` is why it ended early, for the user."""

    observed: Observed
    plan: Plan
    manifests: str = field(default="", repr=False)
    """What the release would be, in check mode. They hold secrets."""
    failure: str = ""


def converge(helm: Helm, desired: Desired, explain: Explain, kube_version: str, check_mode: bool) -> Outcome:
    """Install or upgrade the release where it isn't as desired; Refused or HelmMissing where it can't even be read."""
    observed = _read(helm, desired.target, merge(desired.values))
    try:
        return _converged(helm, desired, observed, explain, kube_version, check_mode)
    except (Refused, HelmMissing) as error:
        return Outcome(observed, Plan(), failure=str(error))


def _converged(
    helm: Helm, desired: Desired, observed: Observed, explain: Explain, kube_version: str, check_mode: bool
) -> Outcome:
    settled = first_plan(desired, observed)
    if settled:
        return Outcome(observed, settled)
    helm.check()
    clean = Cleaner([observed.values, *desired.values], _known(desired))
    plan = plan_release(desired, observed, _chart_version(helm, desired, observed, clean))
    if not plan.action:
        return Outcome(observed, plan)
    if check_mode:
        return _predict(helm, desired, observed, plan, clean, kube_version)
    return _apply(helm, desired, observed, plan, clean, explain)


def remove(helm: Helm, release: Target, wait: bool, timeout: str, check_mode: bool) -> Outcome:
    """Remove the release where there is one."""
    observed = _read(helm, release, {})
    if refusal := removal_refused(release, observed):
        return Outcome(observed, Plan(), failure=refusal)
    plan = Plan("delete" if observed.status else "")
    if plan.action and not check_mode:
        helm.check()
        try:
            helm.uninstall(release, wait, timeout)
        except HelmError as error:
            clean = Cleaner([observed.values], _known_target(release))
            return Outcome(observed, plan, failure=f"{_sentence(error, clean)} See helm status {_named(release)}.")
    return Outcome(observed, plan)


def _read(helm: Helm, release: Target, values: t.Any) -> Observed:
    try:
        return helm.observe(release)
    except HelmError as error:
        said = _sentence(error, Cleaner([values], _known_target(release)))
        raise Refused(f"{said} {_advice(error.said)}".strip()) from None


def _chart_version(helm: Helm, desired: Desired, observed: Observed, clean: Cleaner) -> str:
    version = wanted_version(desired, observed)
    try:
        return helm.chart_version(desired, version)
    except HelmError as error:
        raise Refused(
            f"Chart {desired.source} {version}".rstrip() + f" can't be read: {clean(error.said)}. Check chart,"
            " chart_repository_url and chart_version (enbuild_release_chart, enbuild_release_chart_repository_url and"
            " enbuild_release_chart_version)."
        ) from None


def _predict(
    helm: Helm, desired: Desired, observed: Observed, plan: Plan, clean: Cleaner, kube_version: str
) -> Outcome:
    try:
        manifests = helm.template(desired, plan.chart_version, plan.values, kube_version)
    except HelmError as error:
        raise Refused(f"{_sentence(error, clean)} Check the values: {_paths(plan)}.") from None
    return Outcome(observed, plan, manifests)


def _apply(helm: Helm, desired: Desired, observed: Observed, plan: Plan, clean: Cleaner, explain: Explain) -> Outcome:
    try:
        helm.upgrade(desired, plan.chart_version, plan.values)
    except HelmError as error:
        pods = clean(explain(desired.target))
        way = f"See helm status {_named(desired.target)}; mend that and run this again."
        return Outcome(observed, plan, failure=" ".join(filter(None, [_sentence(error, clean), pods, way])))
    return Outcome(observed, plan)


def _sentence(error: HelmError, clean: Cleaner) -> str:
    return f"{error}: {clean(error.said).rstrip('.')}."


def _named(release: Target) -> str:
    return f"{release.name} -n {release.namespace}"


def _paths(plan: Plan) -> str:
    return ", ".join(what.removeprefix("value ") for what in plan.what if what.startswith("value ")) or "all of them"


def _known(desired: Desired) -> set[str]:
    return {*_known_target(desired.target), desired.chart, desired.repository_url}


def _known_target(release: Target) -> set[str]:
    return {release.name, release.namespace}


def _advice(said: str) -> str:
    """What to do about a cluster that doesn't answer Helm."""
    if "forbidden" in said:
        return "Allow it to the caller by Kubernetes RBAC or an access policy."
    if "unreachable" in said or "dial tcp" in said:
        return "Check the cluster's endpoint, its public access and the network from here to it."
    if "Unauthorized" in said or "provide credentials" in said:
        return "Give the caller an access entry for the cluster, or credentials that have one."
    return ""
