# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces whose names several files of tests share: each finds them empty, whatever the last one left."""

from __future__ import annotations

from ansible_collections.enbuild.eks.tests.lab.labs import Lab

WORKLOADS = "deployments,statefulsets,daemonsets,replicasets,jobs,pods"


def remove(lab: Lab, *names: str) -> None:
    """Wait until nothing is left of them: 5 s, and as long again if Kubernetes itself finds pods in one."""
    for name in names:
        lab.kubectl("delete", WORKLOADS, "--all", "-n", name, "--cascade=foreground", "--ignore-not-found")
    lab.kubectl("delete", "namespace", *names, "--ignore-not-found")


def renew(lab: Lab, *names: str) -> None:
    """Make them, after the end of those that have these names."""
    remove(lab, *names)
    for name in names:
        lab.kubectl("create", "namespace", name)


def leave(lab: Lab, *names: str) -> None:
    """Begin to delete them; whoever needs one of these names next waits for its end."""
    lab.kubectl("delete", "namespace", *names, "--ignore-not-found", "--wait=false")
