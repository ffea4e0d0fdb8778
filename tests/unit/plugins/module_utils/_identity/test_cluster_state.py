# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._identity.cluster_state import agents_by_node


def pod(name: str, node: str, namespace: str = "kube-system", kind: str = "DaemonSet") -> dict[str, t.Any]:
    owners = [{"kind": kind, "name": "eks-pod-identity-agent", "uid": "d", "controller": True}]
    return {
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": owners},
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_the_agent_is_what_a_daemon_set_in_kube_system_owns() -> None:
    """Its label is on any pod whose owner writes it."""
    pods = [pod("a", "one"), pod("b", "two", "shop"), pod("c", "three", kind="Job")]
    assert agents_by_node(pods) == {"one": ("a", True)}
