# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to make sure that nothing is to be changed: the guide's commands typed again, site and verify, in turn.

``python -m ansible_collections.enbuild.eks.tests.bench.site``. Wall and CPU time are medians, and the ratio is that of
each round, so that it holds on a machine whose speed drifts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..integration.guide import run_guide, start_over
from ..integration.operators import Operator
from ..lab.labs import Lab, remove

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
)
GUIDE = f"""
helm upgrade --install enbuild enbuild --repo "$CHARTS" --namespace enbuild --reuse-values --wait
aws sts get-caller-identity
aws eks describe-cluster --name "$CLUSTER"
aws eks create-addon --cluster-name "$CLUSTER" --addon-name eks-pod-identity-agent
aws eks describe-addon --cluster-name "$CLUSTER" --addon-name eks-pod-identity-agent
aws iam create-role --role-name enbuild-ai-bedrock --assume-role-policy-document '{TRUST}'
aws iam attach-role-policy --role-name enbuild-ai-bedrock --policy-arn arn:aws:iam::aws:policy/AmazonBedrockFullAccess
aws iam create-role --role-name enbuild-ctf-s3 --assume-role-policy-document '{TRUST}'
aws iam attach-role-policy --role-name enbuild-ctf-s3 --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess
for service in ai:enbuild-ai-bedrock ctf:enbuild-ctf-s3; do
  aws eks create-pod-identity-association --cluster-name "$CLUSTER" --namespace enbuild \
    --service-account "enbuild-enbuild-${{service%%:*}}" --role-arn "arn:aws:iam::$ACCOUNT:role/${{service##*:}}"
done
aws eks list-pod-identity-associations --cluster-name "$CLUSTER" --namespace enbuild
aws iam get-role --role-name enbuild-ai-bedrock
aws iam get-role --role-name enbuild-ctf-s3
kubectl rollout status -n enbuild deployment/enbuild-enbuild-ai
kubectl rollout status -n enbuild deployment/enbuild-enbuild-ctf
kubectl get pods -n enbuild
"""
"""The guide's steps once more: what is there already is refused. A policy that is attached is attached again."""


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds of wall time and of CPU, AWS calls by operation, requests; and what it printed."""

    wall: float
    cpu: float
    calls: dict[str, int]
    requests: int
    """Requests to the API server; not those of pods and of the cluster itself."""
    output: str

    @property
    def modules(self) -> int:
        """How many processes Ansible started for modules; known of a run with -vvv."""
        return len(re.findall("EXEC .*AnsiballZ_", self.output))


@dataclass(frozen=True)
class Bench:
    """A lab on which the guide's job is done, and a folder."""

    operator: Operator
    folder: Path

    @property
    def lab(self) -> Lab:
        """The operator's."""
        return self.operator.lab

    def guide(self) -> Cost:
        """The guide's commands."""
        words = {"CHARTS": self.lab.chart_repository_url, "CLUSTER": self.lab.cluster_name}
        script = self.folder / "guide.sh"
        script.write_text(GUIDE)
        return self._cost(["sh", str(script)], {**words, "ACCOUNT": self.lab.account_id}, may_fail=True)

    def playbook(self, name: str, *more: str) -> Cost:
        """A playbook of the collection."""
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "enbuild_release_chart_repository_url": self.lab.chart_repository_url,
        }
        return self._cost(["ansible-playbook", f"enbuild.eks.{name}", "-e", json.dumps(given), *more], {})

    def _cost(self, command: list[str], words: dict[str, str], may_fail: bool = False) -> Cost:
        self.lab.forget_calls()
        before = len(self.lab.audited())
        with tempfile.TemporaryFile() as printed:
            begun = time.monotonic()
            environment = {**self.operator.environment(), **words}
            process = subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT)
            _pid, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            printed.seek(0)
            output = printed.read().decode()
            if process.returncode and not may_fail:
                sys.exit(output[-6000:])
        counted = self.lab.calls()["calls"]
        calls = {f"{service}:{name}": count for service, names in counted.items() for name, count in names.items()}
        requests = len(self.lab.audited()) - before
        return Cost(wall, used.ru_utime + used.ru_stime, calls, requests, output)


def told(costs: dict[str, list[Cost]], modules: dict[str, int]) -> t.Iterator[str]:
    """The table of docs/performance.md, and each run's calls."""
    head = ("", "wall, s", "times the guide's", "CPU, s", "times the guide's", "AWS calls", "of IAM")
    yield f"| {' | '.join((*head, 'requests to the API server', 'module processes'))} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, made in costs.items():
        pairs = list(zip(made, costs["guide"], strict=True))
        wall, cpu = (statistics.median(getattr(each, key) for each in made) for key in ("wall", "cpu"))
        walls = statistics.median(each.wall / guide.wall for each, guide in pairs)
        cpus = statistics.median(each.cpu / guide.cpu for each, guide in pairs)
        calls = made[-1].calls
        iam = sum(count for operation, count in calls.items() if operation.startswith("iam:"))
        yield (
            f"| {name} | {wall:.1f} | {walls:.2f} | {cpu:.1f} | {cpus:.2f} | {sum(calls.values())} | {iam} |"
            f" {made[-1].requests} | {modules.get(name, '')} |"
        )
    for name, made in costs.items():
        yield f"\n{name}: {', '.join(f'{count} {operation}' for operation, count in made[-1].calls.items())}"


def main() -> None:
    """Do the guide's job, and then make sure of it in each way in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with Lab.start("bench-site", tied=True, say=print) as lab, tempfile.TemporaryDirectory() as folder:
        start_over(lab)
        if (run := run_guide(lab, "site")).returncode:
            sys.exit(run.output[-6000:])
        bench = Bench(Operator(lab, "site", administrator=True), Path(folder))
        costs: dict[str, list[Cost]] = {"guide": [], "site": [], "verify": []}
        for _round in range(rounds):
            costs["guide"].append(bench.guide())
            costs["site"].append(bench.playbook("site"))
            costs["verify"].append(bench.playbook("verify"))
        modules = {name: bench.playbook(name, "-vvv").modules for name in ("site", "verify")}
        print("\n".join(told(costs, modules)), flush=True)
    remove("bench-site")


if __name__ == "__main__":
    main()
