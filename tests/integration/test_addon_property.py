# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An add-on from any state to any state, against the emulator over HTTP.

Changed exactly when different, as predicted, and nothing left to do.
"""

from __future__ import annotations

import json
import typing as t

import hypothesis
import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._addon.api import EksAddons
from ansible_collections.enbuild.eks.plugins.module_utils._addon.apply import read, settle
from ansible_collections.enbuild.eks.plugins.module_utils._addon.ensure import complete
from ansible_collections.enbuild.eks.plugins.module_utils._addon.options import ARGUMENT_SPEC, target
from ansible_collections.enbuild.eks.plugins.module_utils._addon.plan import plan
from ansible_collections.enbuild.eks.plugins.module_utils._core.aws import Deadline
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Plan
from hypothesis import strategies as st

pytestmark = pytest.mark.lab

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in ("one", "two")]
ONLY_EKS_KNOWS = {"addon_arn", "created_at", "modified_at", "pod_identity_associations"}
ABSENT: dict[str, t.Any] = {"state": "absent"}

bindings = st.sampled_from(ROLES).map(lambda role: [{"service_account": "external-dns", "role_arn": role}])
configurations = st.fixed_dictionaries(
    {"txtOwnerId": st.sampled_from(["me", "you: #1", "ü"])},
    optional={"policy": st.sampled_from(["sync", "1"]), "nodeSelector": st.just({"a": "true"})},
)
states = st.just(ABSENT) | st.fixed_dictionaries(
    {
        "configuration_values": configurations | configurations.map(json.dumps),
        "service_account_role_arn": st.just(ROLES[0]),
        "pod_identity_associations": st.just([]) | bindings,
        "tags": st.dictionaries(st.sampled_from(["CostCenter", "team", "a:b"]), st.sampled_from(["", "42"])),
    }
)


@pytest.fixture
def addons(lab: t.Any, aws_clean: t.Any) -> EksAddons:
    for role in ROLES:
        lab.aws("iam").create_role(RoleName=role.split("/")[-1], AssumeRolePolicyDocument=json.dumps(TRUST))
    return EksAddons(lab.aws("eks"), lab.cluster_name)


def move(addons: EksAddons, cluster: str, state: dict[str, t.Any]) -> tuple[Plan, Plan]:
    params = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    wanted = target({**params, "cluster_name": cluster, "name": "external-dns", **state})
    found = read(addons, wanted)
    wanted = complete(addons, wanted, found, "")
    todo = plan(wanted, found)
    return todo, settle(addons, wanted, todo, Deadline(30)) if todo.changes else todo


def meant(state: dict[str, t.Any]) -> dict[str, t.Any]:
    """A state with its configuration as data."""
    values = state.get("configuration_values")
    return {**state, "configuration_values": json.loads(values) if isinstance(values, str) else values}


def foreseeable(addon: dict[str, t.Any]) -> dict[str, t.Any]:
    words = {word: value for word, value in addon.items() if word not in ONLY_EKS_KNOWS}
    return {
        **words,
        "roles": [(b["service_account"], b["role_arn"]) for b in addon.get("pod_identity_associations", [])],
    }


@hypothesis.settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@hypothesis.given(current=states, desired=states)
def test_one_addon(lab: t.Any, addons: EksAddons, current: dict[str, t.Any], desired: dict[str, t.Any]) -> None:
    move(addons, lab.cluster_name, current)
    todo, done = move(addons, lab.cluster_name, desired)
    assert bool(todo.changes) == (meant(current) != meant(desired))
    assert done.calls == todo.calls
    assert foreseeable(done.after) == foreseeable(todo.after)
    again, _unused = move(addons, lab.cluster_name, desired)
    assert again.changes == ()
    assert again.before == done.after
