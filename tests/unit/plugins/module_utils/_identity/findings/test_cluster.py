# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.associations import Bindings, slips
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import (
    Agent,
    Cluster,
    Evidence,
    Node,
    Surroundings,
)
from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings import cluster as cluster_findings
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner, Pod, Template
from ansible_collections.enbuild.eks.plugins.module_utils._workload.model import Workload

OWNER = Owner("Deployment", "shop", "orders")
SEEN = Evidence(
    Workload("orders", OWNER),
    Template(OWNER, {"spec": {}}),
    None,
    (Pod("a", "shop", "orders", OWNER, node="n"),),
)
EC2, AUTO, FARGATE = Node("n"), Node("n", "auto"), Node("f", "fargate")
READY = {"n": ("agent", True)}


@pytest.mark.parametrize(
    ("node", "auto_mode", "agent", "expected"),
    [
        (EC2, False, Agent("ACTIVE", pods=READY), []),
        (EC2, False, Agent(pods=READY), []),
        (EC2, False, Agent(), ["agent_missing"]),
        (EC2, True, Agent(), ["agent_missing"]),
        (AUTO, True, Agent(), []),
        (AUTO, True, Agent("ACTIVE", pods=READY), ["auto_mode"]),
        (EC2, True, Agent("ACTIVE", pods=READY), []),
        (EC2, False, Agent("DEGRADED", "v1", ("InsufficientNumberOfReplicas: few",)), ["agent_unhealthy"]),
        (EC2, False, Agent("CREATING"), []),
        (EC2, False, None, []),
    ],
)
def test_the_agent_is_missed_where_it_is_needed(node: Node, auto_mode: bool, agent: t.Any, expected: t.Any) -> None:
    around = Surroundings(Cluster("lab", auto_mode=auto_mode), {"n": node, "f": FARGATE}, agent)
    assert [each.code for each in cluster_findings.of_cluster(around, [SEEN], [])] == expected


def test_a_cluster_where_nothing_needs_an_identity_needs_no_agent() -> None:
    idle = Evidence(Workload("orders", OWNER, asked=False), Template(OWNER, {"spec": {}}), None)
    assert cluster_findings.of_cluster(Surroundings(Cluster("lab"), {"n": EC2}, Agent()), [idle], []) == []


def orphan(namespace: str, account: str) -> dict[str, t.Any]:
    return {"namespace": namespace, "service_account": account, "association_id": "a-1", "role_arn": "r"}


@pytest.mark.parametrize(
    ("orphans", "wanted", "found"),
    [
        ([("enbuild", "enbuild-ai")], [("enbuild", "enbuild-enbuild-ai"), ("enbuild", "enbuild-enbuild-ui")], "ai"),
        ([("other", "enbuild-ai")], [("enbuild", "enbuild-enbuild-ai")], ""),
        ([("enbuild", "payments")], [("enbuild", "enbuild-enbuild-ai")], ""),
        ([("enbuild", "defaults")], [("enbuild", "default")], ""),
        ([("enbuild", "enbuild-ai")], [("enbuild", "bound-ai")], ""),
    ],
)
def test_an_association_goes_to_the_name_that_is_nearest(orphans: t.Any, wanted: t.Any, found: str) -> None:
    bindings = Bindings({("enbuild", "bound-ai"): {}}, tuple(orphan(*each) for each in orphans))
    slipped = slips(bindings, wanted)
    assert [place[1].rsplit("-", 1)[-1] for place in slipped] == ([found] if found else [])
