# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet with nothing to change beside one of its clusters: wall time, and AWS calls counted at the emulator.

``python -m ansible_collections.enbuild.eks.tests.bench.fleet``. The release is left out: one API server is behind all
clusters, and can have a release of one name once. The inventory comes from its cache, so that its calls don't count.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ...plugins.module_utils._iam.trust_policy import trust_policy
from ..integration.fleet import LISTING, REGIONS, ROLE, FleetOnLab, Member
from ..lab.labs import Lab, remove
from ..tools.checkout import CHECKOUT
from .throttled import throttled

ACCOUNTS = ("", "222222222222", "333333333333")
ATTEMPTS = 3
"""Runs with one cluster; the median counts."""
MOST_TIMES = 25
"""How many times the time of one cluster 50 may take."""
PLAYBOOKS: dict[str, tuple[str, ...]] = {
    "site": (),
    "verify": (),
    "diagnose": (),
    "drift": (),
    "teardown": ("--check", "-e", "pod_identity_teardown_force=true"),
}


@dataclass(frozen=True)
class Measured:
    """What a playbook cost for so many clusters."""

    seconds: float
    calls: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.calls.values())


def members(count: int) -> list[Member]:
    """So many clusters, spread over accounts and regions."""
    places = [(account, region) for account in ACCOUNTS for region in REGIONS]
    return [_member(number, *places[number % len(places)]) for number in range(count)]


def _member(number: int, account: str, region: str) -> Member:
    name = f"cluster-{number:02}"
    return Member(name, name, region, account)


def prepare(fleet: FleetOnLab) -> None:
    """Bring everything to its declared state by plain calls; pods come last, so that they start with credentials."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": [LISTING]})
    for member in {member.account: member for member in fleet.members}.values():
        iam = fleet.client(member, "iam")
        document = json.dumps(trust_policy(fleet.arns[member.host]))
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=ROLE, PolicyName=ROLE, PolicyDocument=policy)
    for member in fleet.members:
        eks = fleet.client(member, "eks")
        eks.create_addon(clusterName=member.name, addonName="eks-pod-identity-agent")
        account = member.account or fleet.lab.account_id
        eks.create_pod_identity_association(
            clusterName=member.name,
            namespace=member.namespace,
            serviceAccount="orders",
            roleArn=f"arn:aws:iam::{account}:role/{ROLE}",
        )
    fleet.deploy()
    for member in fleet.members:
        fleet.lab.kubectl("rollout", "status", "deployment/orders", "-n", member.namespace, "--timeout=120s")


def measure(fleet: FleetOnLab, playbook: str, *arguments: str) -> Measured:
    """Run a playbook, which must change nothing and find nothing wrong."""
    fleet.lab.forget_calls()
    run = fleet.run(playbook, *PLAYBOOKS[playbook], *arguments)
    changes = 0 if "--check" in PLAYBOOKS[playbook] else run.recap("changed")
    if run.returncode or changes:
        sys.exit(run.output[-6000:])
    counted = fleet.lab.calls()["calls"]
    calls = {f"{service}:{name}": count for service, names in counted.items() for name, count in names.items()}
    return Measured(run.seconds, calls)


def compare(fleet: FleetOnLab, playbook: str) -> bool:
    """Print one cluster and all of them side by side, and whether all of them kept within what they may take."""
    alone = next(member.host for member in reversed(fleet.members) if member.account)  # whose role is assumed
    # Of seconds, a machine with other work makes more or fewer; of minutes, less so.
    ones = [measure(fleet, playbook, "--limit", alone) for _attempt in range(ATTEMPTS)]
    one, every = sorted(ones, key=lambda each: each.seconds)[ATTEMPTS // 2], measure(fleet, playbook)
    count = len(fleet.members)
    times, each = every.seconds / one.seconds, every.total / count
    good = times <= MOST_TIMES * count / 50 and each <= one.total
    print(
        f"{playbook:10} {one.seconds:7.1f} {every.seconds:7.1f} {times:7.1f} {one.total:9} {each:9.1f}"
        f"  {'' if good else 'TOO MUCH'}",
        flush=True,
    )
    return good


def compare_all(lab: Lab, clusters: int, playbooks: t.Iterable[str]) -> bool:
    """Print so many clusters beside one, for each playbook."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = FleetOnLab(lab, Path(folder), members(clusters))
        fleet.configure(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=f"{folder}/cache")
        prepare(fleet)
        fleet.run("verify", "--list-hosts")
        print(f"{'':10} {'one':>7} {clusters:>7} {'times':>7} {'AWS calls':>9} {'each':>9}")
        kept = [compare(fleet, playbook) for playbook in playbooks]
    return all(kept)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=50)
    there = [name for name in PLAYBOOKS if (CHECKOUT / "playbooks" / f"{name}.yml").exists()]
    parser.add_argument("--playbooks", nargs="+", choices=there, default=there)
    parser.add_argument("--throttled", action="store_true", help="where EKS allows few describes a second, instead")
    parser.add_argument("--associations", type=int, default=100, help="of each cluster, with --throttled")
    parser.add_argument("--rate", type=float, default=10, help="describes a second that EKS allows, with --throttled")
    asked = parser.parse_args()
    with Lab.start(f"bench-fleet-{os.getpid()}", tied=True, say=print) as lab:
        if asked.throttled:
            good = throttled(lab, asked.clusters, asked.associations, asked.rate)
        else:
            good = compare_all(lab, asked.clusters, asked.playbooks)
    remove(lab.name)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
