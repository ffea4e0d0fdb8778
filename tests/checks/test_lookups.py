# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role's variables ask AWS or a cluster for, they ask where it is needed.

Jinja evaluates every variable that an expression names before the expression itself, whatever its conditions.
"""

from __future__ import annotations

import json
import sys
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, run

PROGRAM = """
import importlib, json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
init_plugin_loader()
made = []
answers = {"enbuild.eks.assumed_role": {}, "enbuild.eks.cluster_kubeconfig": "file", "kubernetes.core.k8s": {}}
for name, answer in answers.items():
    namespace, _, plugin = name.rpartition(".")
    module = importlib.import_module(f"ansible_collections.{namespace}.plugins.lookup.{plugin}")
    module.LookupModule.run = lambda *_unused, name=name, answer=answer, **_more: made.append(name) or [answer]
folder, cases = json.loads(sys.argv[1])
defaults = {}
for role in ("eks_cluster", "pod_identity_agent"):
    for kind in ("defaults", "vars"):
        path = f"{folder}/roles/{role}/{kind}/main.yml"
        defaults |= DataLoader().load_from_file(path, trusted_as_template=True)
for case, (given, asked) in cases.items():
    variables = {**defaults, **given, "eks_cluster_name": "prod", "eks_region": "us-east-1"}
    for each in asked:
        made.clear()
        value = Templar(DataLoader(), variables=variables).template(trust_as_template("{{ %s }}" % each))
        print("ASKED " + json.dumps([case, each, value, made]))
"""
"""Prints for each case what each variable is, and which lookups were made for it."""
ROLE = "arn:aws:iam::222222222222:role/fleet"


def _cluster(auto_mode: bool) -> dict[str, t.Any]:
    return {
        "eks_cluster_read": {"cluster": {"auto_mode": auto_mode, "endpoint": "https://a", "certificate_authority": ""}}
    }


CASES: dict[str, tuple[dict[str, t.Any], dict[str, tuple[t.Any, list[str]]]]] = {
    "ordinary": (
        _cluster(auto_mode=False),
        {
            "eks_cluster_aws": ({"region": "us-east-1"}, []),
            "eks_cluster_kubernetes": ({"kubeconfig": "file"}, ["enbuild.eks.cluster_kubeconfig"]),
            "pod_identity_agent_needed": (True, []),
        },
    ),
    "Auto Mode": (
        _cluster(auto_mode=True),
        {"pod_identity_agent_needed": (True, ["enbuild.eks.cluster_kubeconfig", "kubernetes.core.k8s"])},
    ),
    "the user's kubeconfig": (
        {**_cluster(auto_mode=False), "eks_cluster_kubeconfig": "/own"},
        {"eks_cluster_kubernetes": ({"kubeconfig": "/own"}, [])},
    ),
    "a role to assume": (
        {**_cluster(auto_mode=False), "eks_assume_role_arn": ROLE},
        {"eks_cluster_aws": ({"region": "us-east-1"}, ["enbuild.eks.assumed_role"])},
    ),
}


@pytest.fixture(scope="module")
def answers() -> list[t.Any]:
    """What each variable of each case is, and which lookups were made for it."""
    code, printed = run(sys.executable, "-c", PROGRAM, json.dumps([str(CHECKOUT), CASES]))
    assert code == 0, printed
    return [json.loads(line.removeprefix("ASKED ")) for line in printed.splitlines() if line.startswith("ASKED ")]


@pytest.mark.parametrize("case", CASES)
def test_a_lookup_is_made_where_it_is_needed(answers: list[t.Any], case: str) -> None:
    found = {name: (value, made) for answered, name, value, made in answers if answered == case}
    assert found == CASES[case][1]
