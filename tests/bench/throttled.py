# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of one account that EKS allows few describes a second: does every cluster end well, after how many calls?

The playbook is the step of ``site`` that reads each association once, and changes nothing. A whole ``site`` reads them
twice, with the same clients.
"""

from __future__ import annotations

import json
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...plugins.module_utils._core.parallel import spread
from ..integration.fleet import FleetOnLab, Member
from ..integration.shop import trust
from ..lab.labs import Lab
from ..tools.playbook_run import PlaybookRun

REGION = "us-east-1"
NAMESPACE = "bench"
DESCRIBE = "DescribePodIdentityAssociation"
STEP = ("site", "--tags", "pod_identity_associations")
FACTOR = 1.1
"""How many times the calls of a run that isn't throttled one may make that is."""
WRITERS = 8


@dataclass(frozen=True)
class Measured:
    """What a run over the fleet cost, and on how many hosts it ended well."""

    seconds: float
    calls: int
    describes: int
    refused: int
    good: int

    def row(self, title: str) -> str:
        figures = f"{self.seconds:8.0f} {self.calls:8} {self.describes:10} {self.refused:8} {self.good:11}"
        return f"{title:14} {figures}"


def throttled(lab: Lab, clusters: int, associations: int, rate: float) -> bool:
    """Print a run that isn't throttled and one that is; whether the latter kept within what it may take."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = FleetOnLab(lab, Path(folder), [_member(number) for number in range(clusters)])
        fleet.configure(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=f"{folder}/cache")
        _prepare(fleet, folder, associations)
        fleet.run("verify", "--list-hosts")
        print(f"{'':14} {'seconds':>8} {'calls':>8} {'describes':>10} {'refused':>8} {'ended well':>11}", flush=True)
        free = _measure(fleet, "not throttled", [])
        slow = _measure(fleet, f"{rate:g} a second", [{"service": "eks", "operation": "Describe*", "rate": rate}])
    factor = slow.calls / free.calls
    good = factor <= FACTOR and slow.good == free.good == clusters
    print(f"\n{factor:.2f} times the calls{'' if good else '  TOO MUCH'}", flush=True)
    return good


def _member(number: int) -> Member:
    name = f"cluster-{number:02}"
    return Member(name, name, REGION)


def _prepare(fleet: FleetOnLab, folder: str, associations: int) -> None:
    """Give each cluster so many associations; all of them have the same service accounts, of one API server."""
    names = [f"sa-{number}" for number in range(associations)]
    _service_accounts(fleet.lab, names)
    role = fleet.lab.aws("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=trust())["Role"]
    entries = [{"namespace": NAMESPACE, "service_account": name, "role_arn": role["Arn"]} for name in names]
    (Path(folder) / "group_vars" / "all.yml").write_text(yaml.safe_dump({"pod_identity_workloads": entries}))
    eks = fleet.lab.aws("eks", region_name=REGION)

    def associate(pair: tuple[str, str]) -> None:
        given = {"namespace": NAMESPACE, "serviceAccount": pair[1], "roleArn": role["Arn"]}
        eks.create_pod_identity_association(clusterName=pair[0], **given)

    spread(associate, [(member.name, name) for member in fleet.members for name in names], WRITERS)


def _service_accounts(lab: Lab, names: t.Iterable[str]) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    accounts = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}
        for name in names
    ]
    lab.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": [space, *accounts]}))


def _measure(fleet: FleetOnLab, title: str, throttles: list[dict[str, t.Any]]) -> Measured:
    lab = fleet.lab
    lab.throttles(throttles)
    lab.forget_calls()
    run = fleet.run(*STEP)
    refused = sum(each["refused"] for each in lab.control("GET", "throttles"))
    lab.throttles([])
    counted = lab.calls()
    measured = Measured(run.seconds, counted["total"], counted["calls"]["eks"][DESCRIBE], refused, _good(run))
    print(measured.row(title), flush=True)
    if run.returncode:
        print(run.output[-6000:], flush=True)
    return measured


def _good(run: PlaybookRun) -> int:
    """How many hosts changed nothing and didn't fail."""
    recap = run.output.rpartition("PLAY RECAP")[2].splitlines()
    return sum(" changed=0 " in line and " failed=0 " in line and " rescued=0 " in line for line in recap)
