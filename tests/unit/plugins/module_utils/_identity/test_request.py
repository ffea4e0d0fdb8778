# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._identity.request import Asked, parse
from ansible_collections.enbuild.eks.plugins.modules.pod_identity_workload_info import ARGUMENT_SPEC

KNOWN = {"namespace": "shop", "service_account": "orders", "role_arn": "arn:aws:iam::123456789012:role/orders"}


def asked(**params: t.Any) -> Asked:
    defaults = {name: t.cast("t.Any", spec).get("default") for name, spec in ARGUMENT_SPEC.items()}
    named = [{"namespace": "shop", "deployment": "orders"}]
    return parse({**defaults, "cluster_name": "production", "workloads": named, **params})


def test_what_the_caller_has_read_is_taken() -> None:
    found = asked(rung="injected", associations=[KNOWN], cluster={"name": "production"})
    assert (found.associations, found.described) == ((KNOWN,), {"name": "production"})


@pytest.mark.parametrize(
    "params",
    [{}, {"rung": "issued"}, {"rung": "allowed"}, {"rung": "injected", "wait_for": "injected"}],
    ids=["all rungs", "issued", "allowed", "a wait"],
)
def test_a_proof_and_a_wait_are_not_made_of_what_was_read_before(params: dict[str, t.Any]) -> None:
    with pytest.raises(Refused, match="a proof reads them anew"):
        asked(associations=[KNOWN], **params)


def test_another_cluster_than_the_one_that_is_named_is_refused() -> None:
    with pytest.raises(Refused, match="cluster is test, and cluster_name is production"):
        asked(cluster={"name": "test"})


def test_an_ephemeral_container_is_for_a_single_look() -> None:
    assert asked().ephemeral_container_image == ""
    assert asked(ephemeral_container_image="busybox").ephemeral_container_image == "busybox"
    with pytest.raises(Refused, match="doesn't go with wait_for"):
        asked(ephemeral_container_image="busybox", wait_for="injected")
