# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's whole job on a lab that is up: site.yml twice, what is true then, its cost; a mistake found and fixed."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import typing as t

from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

TABLE = re.compile(r"^WORKLOAD  .*\n(?:.*  .*\n)*", re.MULTILINE)
CHANGED = re.compile(r"^\S+: changed (\d+ things?)", re.MULTILINE)
FINDING = re.compile(r"^(?:ERROR|WARNING) .*\n  -> .*\n", re.MULTILINE)
SPACE = "demo-shop"
"""Namespace of the workload that is made wrong."""
ROUNDS = 3
"""Diagnoses: of the association, of the pods that are older than the corrected one, and of nothing wrong."""
DEPLOYMENT: dict[str, t.Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "orders"},
    "spec": {
        "selector": {"matchLabels": {"app": "orders"}},
        "template": {
            "metadata": {"labels": {"app": "orders"}},
            "spec": {
                "serviceAccountName": "orders",
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "registry.example.com/orders"}],
            },
        },
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default=os.environ.get("LAB", "default"), help="name of the lab")
    lab = Lab.load(parser.parse_args().name)
    first = run_site(lab, "first run")
    lab.forget_calls()
    second = run_site(lab, "second run")
    print(*ladder(second), sep="\n")
    print(f"\nThe first run changed {things(first)} in {first.seconds:.0f} s.")
    print(f"The second run ended at changed={second.recap('changed')} in {second.seconds:.0f} s.")
    print(f"It made these AWS calls: {counts(lab)}.")
    print("\nA workload whose association has a typo. diagnose names the cause; each remedy is run as it is printed:")
    fix_a_mistake(lab)
    print(look_around(lab))
    if second.recap("changed") != 0:
        sys.exit("enbuild.eks: the second run should change nothing")


def run_site(lab: Lab, label: str) -> PlaybookRun:
    """Run site.yml against ``lab``, its output shown as it comes; end the demo where it fails."""
    arguments = ["enbuild.eks.site"]
    arguments += ["-e", f"eks_cluster_name={lab.cluster_name}", "-e", f"eks_region={lab.region}"]
    arguments += ["-e", f"enbuild_release_chart_repository_url={lab.chart_repository_url}"]
    print(f"\n=== {label}: ansible-playbook {' '.join(arguments)}", flush=True)
    run = run_playbook(arguments, lab.environment(), lambda line: print(line, end="", flush=True))
    if run.returncode:
        sys.exit(f"enbuild.eks: the {label} of site.yml failed; the lab is still up (make lab-status, make lab-down)")
    return run


def fix_a_mistake(lab: Lab) -> None:
    """Diagnose a Deployment whose association is for a similar name, and run the remedies until nothing is wrong."""
    eks, place = lab.aws("eks"), {"clusterName": lab.cluster_name, "namespace": SPACE}
    role_arn = f"arn:aws:iam::{lab.account_id}:role/enbuild-ai-bedrock"
    lab.kubectl("create", "namespace", SPACE)
    try:
        eks.create_pod_identity_association(**place, serviceAccount="order", roleArn=role_arn)
        lab.kubectl("create", "serviceaccount", "orders", "-n", SPACE)
        lab.kubectl("apply", "-n", SPACE, "-f", "-", input=json.dumps(DEPLOYMENT))
        remedies = [diagnose_and_fix(lab) for _round in range(ROUNDS)]
    finally:
        for each in eks.list_pod_identity_associations(**place)["associations"]:
            eks.delete_pod_identity_association(clusterName=lab.cluster_name, associationId=each["associationId"])
        lab.kubectl("delete", "namespace", SPACE, "--wait=false")
    if not remedies[0] or remedies[-1]:
        sys.exit("enbuild.eks: the mistake was not found, or its remedies didn't help")
    print("(The demo has removed this workload again.)")


def diagnose_and_fix(lab: Lab) -> int:
    """Print what diagnose.yml finds, and run the remedies; return how many there were."""
    lab.kubectl("rollout", "status", "deployment/orders", "-n", SPACE, "--timeout=60s")
    variables = {"eks_cluster_name": lab.cluster_name, "eks_region": lab.region}
    variables["pod_identity_diagnose_namespaces"] = f"[{SPACE}]"
    arguments = ["enbuild.eks.diagnose", *(word for item in variables.items() for word in ("-e", "=".join(item)))]
    run = run_playbook(arguments, lab.environment())
    found = "".join(FINDING.findall(run.output)).splitlines()
    print(*(line for line in ladder(run) if "deployment/orders" in line), *found, sep="\n", flush=True)
    remedies = [line.removeprefix("  -> ") for line in found[1::2]]
    for remedy in remedies:
        subprocess.run(["bash", "-c", remedy], env=lab.environment(), check=True, stdout=subprocess.DEVNULL)
    return len(remedies)


def ladder(run: PlaybookRun) -> list[str]:
    """The ladder of proof, as the run printed it."""
    return "".join(TABLE.findall(run.output)[:1]).splitlines()


def things(run: PlaybookRun) -> str:
    """How much a run changed, as it says itself: "9 things"."""
    return "".join(CHANGED.findall(run.output)[:1]) or "nothing"


def counts(lab: Lab) -> str:
    """The AWS calls since they were last forgotten, such as ``eks DescribeCluster 1, …``."""
    calls = lab.calls()["calls"]
    return ", ".join(f"{service} {name} {n}" for service, names in calls.items() for name, n in names.items())


def look_around(lab: Lab) -> str:
    """Three lines: how to look around, and how to stop the lab."""
    suffix = "" if lab.name == "default" else f" LAB={lab.name}"
    return (
        f'\nLook around:  eval "$(make -s lab-env{suffix})" && kubectl get pods -A\n'
        f"              aws eks list-pod-identity-associations --cluster-name {lab.cluster_name}\n"
        f"Stop the lab: make lab-down{suffix}"
    )


if __name__ == "__main__":
    main()
