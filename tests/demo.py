# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's whole job on a lab that is up: site.yml twice, then what is true and what it cost."""

from __future__ import annotations

import argparse
import os
import re
import sys

from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

TABLE = re.compile(r"^WORKLOAD  .*\n(?:.*  .*\n)*", re.MULTILINE)


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
    print(look_around(lab))
    if second.recap("changed") != 0:
        sys.exit("enbuild.eks: the second run ought to change nothing")


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
