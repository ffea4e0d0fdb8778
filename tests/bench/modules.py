# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules cost: AWS calls, counted at the emulator, and wall time beside what a user would do instead.

``python -m ansible_collections.enbuild.eks.tests.bench.modules``; all of it takes about 20 minutes, nearly all for the
loop of 1,000 tasks: ``--loop-most 100`` leaves that out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..lab.labs import Lab, remove
from ..tools.playbook_run import run_playbook
from .relay import Relay

NAMESPACE = "bench"
SIZES = (1, 10, 100, 1000)
THROTTLED = (300, 10)
"""Associations, and describes that EKS allows in a second."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
SINGLE, SET, ADDON = (
    f"enbuild.eks.{name}" for name in ("pod_identity_association", "pod_identity_associations", "eks_addon")
)
SECONDS = re.compile(r"^measured -+ ([\d.]+)s$", re.MULTILINE)

Options = dict[str, t.Any]


@dataclass(frozen=True)
class Bench:
    """A lab with two roles, and where its AWS answers late."""

    lab: Lab
    endpoint: str
    roles: tuple[str, str]

    @property
    def environment(self) -> dict[str, str]:
        more = {"AWS_ENDPOINT_URL": self.endpoint, "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_tasks"}
        return {**self.lab.environment(), **more}

    def run(self, module: str, options: Options, check: bool = False, loop: list[Options] | None = None) -> float:
        """Run one task, or one for each of ``loop``, and return its seconds; they must not fail."""
        given = {"cluster_name": self.lab.cluster_name, **options}
        task: dict[str, t.Any] = {"name": "measured", module: given, "check_mode": check, "no_log": False}
        if loop is not None:
            task |= {module: {**given, **dict.fromkeys(loop[0])}, "loop": loop, "loop_control": {"label": ""}}
            task[module] |= {option: "{{ item." + option + " }}" for option in loop[0]}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
        play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "playbook.json"
            file.write_text(json.dumps([play]))
            done = run_playbook(["-i", "localhost,", str(file)], self.environment)
        if done.returncode or not (found := SECONDS.search(done.output)):
            sys.exit(done.output[-4000:])
        return float(found[1])

    def calls(self, module: str, options: Options, check: bool = False) -> dict[str, int]:
        """The AWS calls of one task."""
        self.lab.control("DELETE", "calls")
        self.run(module, options, check)
        counted = self.lab.control("GET", "calls")["calls"]
        return {name: count for names in counted.values() for name, count in names.items()}

    def associations(self, size: int) -> list[Options]:
        return [{"namespace": NAMESPACE, "service_account": f"sa-{n}", "role_arn": self.roles[0]} for n in range(size)]

    def fill(self, size: int) -> None:
        """Let the cluster have that many associations, and no others."""
        self.run(SET, {"associations": self.associations(size), "purge": "all", "concurrency": 16})

    def bare(self, threads: int) -> float:
        """Seconds that a script without Ansible takes to list and describe everything."""
        started = time.monotonic()
        command = [sys.executable, str(Path(__file__).with_name("bare_loop.py")), self.lab.cluster_name, str(threads)]
        subprocess.run(command, env=self.environment, check=True)
        return time.monotonic() - started


def counts(bench: Bench, _loop_most: int) -> None:
    """Print the calls of each kind of work."""
    one = {"namespace": NAMESPACE, "service_account": "one", "role_arn": bench.roles[0]}
    other = {**one, "role_arn": bench.roles[1], "tags": {"team": "shop"}}
    addon = {
        "name": "aws-ebs-csi-driver",
        "pod_identity_associations": [{"service_account": "ebs-csi-controller-sa", "role_arn": bench.roles[0]}],
    }
    many = {"associations": bench.associations(150)}
    print("AWS calls, counted at the emulator\n")
    for work, module, options, check in (
        ("association: create, in check mode", SINGLE, one, True),
        ("association: create", SINGLE, one, False),
        ("association: nothing to change", SINGLE, one, False),
        ("association: change role and tags, in check mode", SINGLE, other, True),
        ("association: change role and tags", SINGLE, other, False),
        ("association: delete", SINGLE, {**one, "state": "absent"}, False),
        ("150 associations: create", SET, many, False),
        ("150 associations: nothing to change", SET, many, False),
        ("150 associations: two of them in the set", SET, {"associations": bench.associations(2)}, False),
        ("add-on: create with an association", ADDON, addon, False),
        ("add-on: nothing to change", ADDON, {"name": addon["name"]}, False),
        ("add-on: nothing to change, version default", ADDON, {"name": addon["name"], "version": "default"}, False),
        ("add-on: nothing to change, one association", ADDON, addon, False),
        ("add-on: delete", ADDON, {"name": addon["name"], "state": "absent"}, False),
    ):
        made = bench.calls(module, options, check)
        print(f"  {work:50} {sum(made.values()):4}  {', '.join(f'{n} {name}' for name, n in made.items())}", flush=True)


def times(bench: Bench, loop_most: int) -> None:
    """Print the wall time of each way to find that nothing is to be changed."""
    print("\nSeconds until it is known that nothing is to be changed\n")
    print(f"  {'N':>5} {'set module':>12} {'loop of tasks':>14} {'bare loop':>10} {'4 bare threads':>15}")
    for size in SIZES:
        bench.fill(size)
        whole = min(bench.run(SET, {"associations": bench.associations(size)}) for _attempt in range(3))
        loop = bench.run(SINGLE, {}, loop=bench.associations(size)) if size <= loop_most else None
        bare, threads = bench.bare(1), min(bench.bare(4) for _attempt in range(3))
        told = f"{loop:14.1f}" if loop else f"{'-':>14}"
        print(f"  {size:5} {whole:12.1f} {told} {bare:10.1f} {threads:15.1f}", flush=True)
        if loop and size == SIZES[-1]:
            print(f"\nAt N = {size}: {loop / whole:.0f} times faster than the loop of tasks,", end=" ")
            print(f"{threads / whole:.2f} times as fast as 4 bare threads")


def throttled(bench: Bench, _loop_most: int) -> None:
    """Print what a task of many calls costs where EKS allows few of them in a second."""
    size, rate = THROTTLED
    bench.fill(size)
    many = {"associations": bench.associations(size)}
    free = sum(bench.calls(SET, many).values())
    bench.lab.control("PUT", "throttles", [{"service": "eks", "operation": "Describe*", "rate": rate}])
    started = time.monotonic()
    slowed = sum(bench.calls(SET, many).values())
    seconds = time.monotonic() - started
    bench.lab.control("PUT", "throttles", [])
    print(f"\n{size} associations, {rate} describes a second allowed: {slowed} calls in place of {free},", end=" ")
    print(f"{slowed / free:.2f} times as many, in {seconds:.0f} s", flush=True)


PARTS: dict[str, t.Callable[[Bench, int], None]] = {"counts": counts, "throttled": throttled, "times": times}


def main() -> None:
    """Start a lab of its own, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=20, metavar="MS", help="that each answer takes on its way")
    parser.add_argument("--loop-most", type=int, default=SIZES[-1], metavar="N", help="largest N for the loop of tasks")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    with Lab.start(f"bench-{os.getpid()}", tied=True) as lab:
        iam = lab.aws("iam")
        trust = json.dumps(TRUST)
        arns = [iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"] for name in ("a", "b")]
        with Relay(urlsplit(lab.aws_endpoint_url).port or 80, given.latency / 1000) as relay:
            bench = Bench(lab, f"http://127.0.0.1:{relay.port}", (arns[0], arns[1]))
            print(f"Each answer takes {given.latency:g} ms on its way.\n")
            for part in given.parts:
                PARTS[part](bench, given.loop_most)
    remove(lab.name)


if __name__ == "__main__":
    main()
