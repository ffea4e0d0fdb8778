# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pod Identity agent of the lab's cluster, which several files of tests share: who needs none removes it first."""

from __future__ import annotations

from ansible_collections.enbuild.eks.tests.lab.labs import Lab

AGENT = "eks-pod-identity-agent"


def install(lab: Lab) -> None:
    """Install it as an add-on, and wait until it is ready on every node."""
    lab.aws("eks").create_addon(clusterName=lab.cluster_name, addonName=AGENT)
    await_ready(lab)


def await_ready(lab: Lab) -> None:
    lab.kubectl("rollout", "status", f"daemonset/{AGENT}", "-n", "kube-system", "--timeout=60s")


def remove(lab: Lab) -> None:
    """Take what runs away, whoever made it, and wait for the end of its pods; the add-on, if there is one, stays."""
    lab.kubectl("delete", "daemonset", AGENT, "-n", "kube-system", "--ignore-not-found", "--cascade=foreground")


def remove_node(lab: Lab, node: str) -> None:
    """Take a node away, and at once what was on it: Kubernetes itself lets a minute pass before it does that."""
    lab.kubectl("delete", "node", node)
    lab.kubectl("delete", "pods", "--all-namespaces", f"--field-selector=spec.nodeName={node}", "--force")
