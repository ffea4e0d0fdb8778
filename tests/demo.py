# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's whole job on a lab that is up: site.yml twice, what is true then and its cost; a mistake, diagnosed."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import typing as t

from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

TABLE = re.compile(r"^WORKLOAD  .*\n(?:.*  .*\n)*", re.MULTILINE)
FINDING = re.compile(r"^(?:ERROR|WARNING) .*\n  -> .*\n", re.MULTILINE)
SPACE = "demo-shop"
"""Namespace of the workload that is made wrong."""
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
    print(f"\nThe first run made {len(first.changed)} changes in {first.seconds:.0f} s.")
    print(f"The second run ended at changed={second.recap('changed')} in {second.seconds:.0f} s.")
    print(f"It made these AWS calls: {counts(lab)}.")
    print(*diagnosis(lab), sep="\n")
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


def diagnosis(lab: Lab) -> list[str]:
    """What diagnose.yml says of a Deployment whose association is for a name nearly like its service account's."""
    eks, cluster = lab.aws("eks"), {"clusterName": lab.cluster_name}
    role_arn = f"arn:aws:iam::{lab.account_id}:role/enbuild-ai-bedrock"
    lab.kubectl("create", "namespace", SPACE)
    made = eks.create_pod_identity_association(**cluster, namespace=SPACE, serviceAccount="order", roleArn=role_arn)
    try:
        lab.kubectl("create", "serviceaccount", "orders", "-n", SPACE)
        lab.kubectl("apply", "-n", SPACE, "-f", "-", input=json.dumps(DEPLOYMENT))
        lab.kubectl("rollout", "status", "deployment/orders", "-n", SPACE, "--timeout=60s")
        variables = {"eks_cluster_name": lab.cluster_name, "eks_region": lab.region}
        variables["pod_identity_diagnose_namespaces"] = f"[{SPACE}]"
        arguments = ["enbuild.eks.diagnose", *(word for item in variables.items() for word in ("-e", "=".join(item)))]
        run = run_playbook(arguments, lab.environment())
    finally:
        eks.delete_pod_identity_association(**cluster, associationId=made["association"]["associationId"])
        lab.kubectl("delete", "namespace", SPACE, "--wait=false")
    found = "".join(FINDING.findall(run.output)).splitlines()
    if not found:
        sys.exit(f"enbuild.eks: the mistake was not found\n{run.output}")
    return [
        "\nA workload whose association has a typo; diagnose says what is wrong, and what to do:",
        *ladder(run),
        *found,
    ]


def ladder(run: PlaybookRun) -> list[str]:
    """The ladder of proof, as the run printed it."""
    return "".join(TABLE.findall(run.output)[:1]).splitlines()


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
