# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a look at a large cluster costs: requests to the API server, AWS calls, seconds and memory.

``python -m ansible_collections.enbuild.eks.tests.bench.workloads``; most of its minutes go into making the pods.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from collections import Counter
from pathlib import Path
from unittest import mock

from kubernetes.client.rest import RESTClientObject

from ..integration import agent
from ..integration.module_call import look_at
from ..integration.shop import LISTING, policy, trust
from ..lab.labs import Lab, remove

MODULE = Path(__file__).parents[2] / "plugins" / "modules" / "pod_identity_workload_info.py"
SPACES = 10
ROLES = 20
PODS_OF_A_NODE = 1000
"""That the lab's nodes take, and those added."""
LOOKS: dict[str, dict[str, t.Any]] = {
    "as by default": {},
    "pods not asked, which run on this machine": {"ask_pods": False},
    "up to injected": {"rung": "injected"},
}
ATTEMPTS = 3
"""Of which the fastest counts."""
STEP = 50
"""Objects in one kubectl call."""
GONE = 10
"""Of the associations that no workload uses, one in so many has no service account."""


def main() -> None:
    """Fill a lab, look at it, say what that took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workloads", type=int, default=300)
    parser.add_argument("--pods", type=int, default=2000)
    parser.add_argument("--associations", type=int, default=0, help="in all (default: one for each workload)")
    parser.add_argument("--lab", default="bench-workloads", help="name of the lab, which is started and removed")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    given = parser.parse_args()
    lab = Lab.start(given.lab)
    try:
        _fill(lab, given.workloads, given.pods, given.associations)
        _count(lab)
        _measure(lab)
    finally:
        if not given.keep:
            lab.stop()
            remove(given.lab)


def _fill(lab: Lab, workloads: int, pods: int, associations: int) -> None:
    started = time.monotonic()
    for number in range(pods // PODS_OF_A_NODE):
        lab.kubectl("create", "-f", "-", input=json.dumps(_node(f"bench-{number}")))
    agent.install(lab)
    for space in range(SPACES):
        lab.kubectl("create", "namespace", f"bench-{space}")
    _associate(lab, max(workloads, associations))
    objects: list[t.Any] = []
    for number in range(max(workloads, associations)):
        if number >= workloads and number % GONE == 0:
            continue
        objects.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _place(number)})
        if number < workloads:
            objects.append(_deployment(_place(number), pods // workloads + (number < pods % workloads)))
    for first in range(0, len(objects), STEP):
        batch = {"apiVersion": "v1", "kind": "List", "items": objects[first : first + STEP]}
        lab.kubectl("create", "-f", "-", input=json.dumps(batch))
    _await_pods(lab, pods)
    made = f"{workloads} Deployments with {pods} pods, {max(workloads, associations)} associations"
    print(f"{made}, made in {time.monotonic() - started:.0f} s", flush=True)


def _place(number: int) -> dict[str, str]:
    return {"namespace": f"bench-{number % SPACES}", "name": f"orders-{number}"}


def _associate(lab: Lab, associations: int) -> None:
    arns = [_role(lab, f"bench-{number}") for number in range(ROLES)]
    eks = lab.aws("eks")
    for number in range(associations):
        place = _place(number)
        address = {"namespace": place["namespace"], "serviceAccount": place["name"]}
        eks.create_pod_identity_association(clusterName=lab.cluster_name, **address, roleArn=arns[number % ROLES])


def _node(name: str) -> dict[str, t.Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}},
    }


def _role(lab: Lab, name: str) -> str:
    iam = lab.aws("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    iam.put_role_policy(RoleName=name, PolicyName="use", PolicyDocument=policy(LISTING))
    return str(made["Role"]["Arn"])


def _deployment(place: dict[str, str], replicas: int) -> dict[str, t.Any]:
    labels = {"app": place["name"]}
    container = {"name": "main", "image": "registry.example.com/orders"}
    spec = {"serviceAccountName": place["name"], "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    wanted = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place, "spec": wanted}


def _await_pods(lab: Lab, pods: int) -> None:
    while True:
        found = lab.kubectl("get", "pods", "-A", "--no-headers", "--field-selector=status.phase=Running")
        running = sum(line.startswith("bench-") for line in found.splitlines())
        if running >= pods:
            return
        time.sleep(max(3, pods // 500))


def _count(lab: Lab) -> None:
    made: Counter[str] = Counter()
    send = RESTClientObject.request

    def counted(self: t.Any, method: str, url: str, *args: t.Any, **options: t.Any) -> t.Any:
        dry = "dryRun" in url
        path = url.partition("?")[0].rsplit("/", 1)[-1]
        made["dry runs" if dry else f"{method} {path}"] += 1
        return send(self, method, url, *args, **options)

    lab.forget_calls()
    with mock.patch.object(RESTClientObject, "request", counted):
        seen = look_at(lab, namespaces=["*"], checks="s3:ListBuckets")
    rungs = Counter(each["rung"] for each in seen["workloads"])
    print(f"rungs: {dict(rungs)}; findings: {len(seen['findings'])}")
    dry_runs = made.pop("dry runs", 0)
    print(f"requests to the API server: {sum(made.values())} and {dry_runs} dry runs: {dict(made)}")
    print(f"AWS calls: {lab.calls()['calls']}", flush=True)


def _measure(lab: Lab) -> None:
    for label, more in LOOKS.items():
        arguments = {
            "cluster_name": lab.cluster_name,
            "region": lab.region,
            "kubeconfig": str(lab.kubernetes.kubeconfig),
            "context": "lab-admin",
            "namespaces": ["*"],
            **more,
        }
        command = [sys.executable, "-m", f"ansible_collections.enbuild.eks.plugins.modules.{MODULE.stem}"]
        given = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
        costs = [_cost(command, given, lab) for _attempt in range(ATTEMPTS)]
        seconds, cpu, mebibytes = (min(each) for each in zip(*costs, strict=True))
        print(f"{label}: {seconds:.1f} s, {cpu:.1f} s of CPU, {mebibytes:.0f} MiB", flush=True)


def _cost(command: list[str], given: str, lab: Lab) -> tuple[float, float, float]:
    """Wall time, CPU time and peak memory (MiB) of one run of the module, as Ansible starts it."""
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer:
        asked.write(given.encode())
        asked.seek(0)
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=asked, stdout=answer, stderr=subprocess.STDOUT, env=lab.environment())
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        answer.seek(0)
        if process.returncode:
            sys.exit(answer.read().decode()[-3000:])
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
