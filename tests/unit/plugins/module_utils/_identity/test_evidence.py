# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.evidence import Answer, undeclared

DENIED = Answer("s3:ListBuckets", False, "AccessDenied", "not authorized")


def test_a_role_scoped_to_buckets_that_nobody_declared_is_not_found_wanting() -> None:
    answer = undeclared(DENIED, optional=True)
    assert answer is not None
    assert (answer.allowed, answer.code) == (None, "")
    assert "enbuild_ctf_buckets" in answer.message


@pytest.mark.parametrize(
    ("answer", "optional"),
    [
        (DENIED, False),
        (Answer("s3:ListBuckets", True), True),
        (Answer("bedrock:ListFoundationModels", False, "AccessDenied"), True),
    ],
)
def test_what_is_declared_or_about_something_else_stays(answer: Answer, optional: bool) -> None:
    assert undeclared(answer, optional) is None
