# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._iam.denials import why_denied

MODELS = "bedrock:ListFoundationModels"
GUIDE = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["bedrock:InvokeModel", MODELS],
            "Resource": "arn:aws:bedrock:*::foundation-model/*",
        }
    ]
}
BUCKET = "arn:aws:s3:::shop"


def allow(action: t.Any, resource: t.Any, **more: t.Any) -> t.Any:
    return {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource, **more}}


@pytest.mark.parametrize(
    ("documents", "action", "resources", "words", "explicit"),
    [
        ({"guide": GUIDE}, MODELS, ["*"], 'is granted on Resource "\\*" or not at all', False),
        ({"a": allow("bedrock:*", "*")}, MODELS, ["*"], "^$", False),
        ({"a": allow("s3:*", "*")}, MODELS, ["*"], "no policy of the role allows", False),
        ({"a": allow("s3:List*", BUCKET)}, "s3:ListBucket", [BUCKET], "^$", False),
        ({"a": allow("s3:List*", "arn:aws:s3:::other")}, "s3:ListBucket", [BUCKET], "alone, and not on", False),
        (
            {"a": allow("s3:*", "*", Effect="Deny", Sid="No")},
            "s3:GetObject",
            [],
            "policy a, statement No, denies",
            True,
        ),
        ({"a": allow("s3:*", BUCKET)}, "s3:GetObject", [], "^$", False),
        (
            {"a": {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "NotResource": BUCKET}}},
            "s3:ListBucket",
            [BUCKET],
            "alone, and not on",
            False,
        ),
    ],
)
def test_the_statement_that_falls_short_is_named(
    documents: t.Any, action: str, resources: t.Any, words: str, explicit: bool
) -> None:
    reason, by_deny = why_denied(documents, action, resources)
    assert by_deny == explicit
    assert re.search(words, reason), reason
