# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan says beforehand of what the proof, or the pods, would find later."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.model import Role
from ansible_collections.enbuild.eks.plugins.module_utils._migration.model import Desired
from ansible_collections.enbuild.eks.plugins.module_utils._migration.plan import plan
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._iam.test_trust_edit import document
from ansible_collections.enbuild.eks.tests.unit.plugins.module_utils._migration.test_plan import (
    BOUND,
    DESIRED,
    FAR,
    NODE,
    OLD,
    ROLE,
    account,
    found,
    service_account,
)

FURTHER = f"{ROLE}-further"


def running(**container: t.Any) -> t.Any:
    return account(workloads=(found(template={"containers": [{"name": "main", **container}]}),))


def variable(name: str) -> dict[str, t.Any]:
    return {"env": [{"name": name, "value": "x"}]}


FOUND = {
    "keys": (variable("AWS_ACCESS_KEY_ID"), "has AWS keys of its own (AWS_ACCESS_KEY_ID), which win over Pod Identity"),
    "a session's name": (variable("AWS_ROLE_SESSION_NAME"), "sets AWS_ROLE_SESSION_NAME"),
}


@pytest.mark.parametrize(("container", "words"), FOUND.values(), ids=FOUND)
def test_templates(container: dict[str, t.Any], words: str) -> None:
    assert words in " ".join(plan(running(**container), DESIRED)["warnings"])


def test_a_region_that_a_config_map_sets_gives_way() -> None:
    spec = {"containers": [{"name": "main", "envFrom": [{"configMapRef": {"name": "settings"}}]}]}
    workloads = (found(template=spec),)
    node = account(object=service_account(""), declared=(NODE,), workloads=workloads)
    (warning,) = plan(node, DESIRED)["warnings"]
    assert "variables from ConfigMap settings: an AWS_REGION there gives way" in warning
    assert plan(account(workloads=workloads), DESIRED)["warnings"] == [], "IRSA's injection did the same"


def trusting(*actions: str) -> dict[str, t.Any]:
    return document({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": list(actions)})


def assuming(trust: t.Any, resource: str = FURTHER, **parts: t.Any) -> t.Any:
    policy = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource})
    return account(role=Role(ROLE, True, OLD), documents={"use": policy}, further={resource: trust}, **parts)


def test_a_role_that_is_assumed_further_on_has_to_take_session_tags() -> None:
    row = plan(assuming(trusting("sts:AssumeRole")), DESIRED)
    assert (row["state"], row["steps"]) == ("blocked", [])
    assert f"assumes {FURTHER}, which doesn't allow sts:TagSession" in row["problem"]
    assert "pod_identity_migrate_session_tags false" in row["problem"]
    for fine in (trusting("sts:AssumeRole", "sts:TagSession"), trusting("sts:GetCallerIdentity"), None):
        assert plan(assuming(fine), DESIRED)["state"] == "to migrate"
    assert plan(assuming(trusting("sts:AssumeRole"), association=BOUND), DESIRED)["state"] == "to migrate"


def test_without_session_tags_the_scope_has_to_be_wider() -> None:
    before = assuming(trusting("sts:AssumeRole"))
    narrow = plan(before, Desired(DESIRED.cluster, session_tags=False))
    assert "set pod_identity_migrate_trust to cluster" in narrow["problem"]
    assert plan(before, Desired(DESIRED.cluster, "cluster", session_tags=False))["state"] == "to migrate"


@pytest.mark.parametrize("resource", ["arn:aws:iam::*:role/data-*", FAR, "*"])
def test_what_can_not_be_read_is_said(resource: str) -> None:
    policy = document({"Effect": "Allow", "Action": "sts:*", "Resource": [resource]})
    (warning,) = plan(account(documents={"use": policy}), DESIRED)["warnings"]
    assert f"Its role may assume {resource}, which has to allow sts:TagSession" in warning
    (unread,) = plan(account(documents=None), DESIRED)["warnings"]
    assert "can't be read" in unread
