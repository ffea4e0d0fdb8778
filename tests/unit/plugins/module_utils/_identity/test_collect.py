# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._identity import collect
from ansible_collections.enbuild.eks.plugins.modules.pod_identity_workload_info import ARGUMENT_SPEC

WRONG = {"service": "s3", "operation": "ListBuckts"}


def module(**params: t.Any) -> t.Any:
    defaults = {name: t.cast("t.Any", spec).get("default") for name, spec in ARGUMENT_SPEC.items()}
    named = [{"namespace": "shop", "deployment": "orders", "allowed": WRONG}]
    return types.SimpleNamespace(params={**defaults, "workloads": named, **params})


@pytest.mark.parametrize(
    ("rung", "words"), [("injected", "connected"), ("allowed", "ListBuckts"), (None, "ListBuckts")]
)
def test_operations_are_looked_up_only_where_they_are_called(
    rung: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_unused: t.Any) -> t.NoReturn:
        raise Refused("connected")

    monkeypatch.setattr(collect, "connect", connect)
    with pytest.raises(Refused, match=words):
        collect.observe(module(rung=rung))
