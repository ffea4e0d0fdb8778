# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a cluster stopped."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import stops

LOOP = [
    {"failed": True, "msg": "Role a is not there."},
    {"failed": False, "msg": "All is well."},
    {"failed": True, "msg": "Role b is not there."},
    {"failed": True, "msg": "Role b is not there."},
]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "No cluster x.\n  Say which."}, "No cluster x. Say which."),
        ({"msg": "One or more items failed", "results": LOOP}, "Role a is not there.; Role b is not there."),
        ({"msg": "One or more items failed", "results": [{"failed": True}]}, "One or more items failed"),
        ({"rc": 1}, stops.UNKNOWN),
        (
            {"msg": "An error occurred (ExpiredToken) when calling GetRole."},
            f"An error occurred (ExpiredToken) when calling GetRole. {stops.RENEW}",
        ),
        (
            {"msg": "The security token included in the request is expired. The credentials are expired; renew them."},
            "The security token included in the request is expired. The credentials are expired; renew them.",
        ),
    ],
)
def test_the_reason_is_a_sentence_of_the_failed_task(result: dict[str, t.Any], message: str) -> None:
    assert stops.reason(result, "enbuild.eks.pod_identity_iam : Make the roles") == {
        "task": "Make the roles",
        "message": message,
    }
