# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements are compared by what they say."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._core.plan import Refused
from ansible_collections.enbuild.eks.plugins.module_utils._iam.policy_documents import grown, lacking, same

LISTING = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "*"}
READING = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "*"}
ROOT = "arn:aws:iam::123456789012:root"


def document(*statements: t.Any, version: str = "2012-10-17") -> dict[str, t.Any]:
    return {"Version": version, "Statement": list(statements)}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (document(LISTING, READING), document(READING, LISTING), True),
        (document(LISTING), {**document(), "Statement": LISTING}, True),
        (document(LISTING), document({**LISTING, "Action": "s3:ListBucket"}), True),
        (document(READING), document({**READING, "Action": READING["Action"][::-1]}), True),
        (document({**LISTING, "Principal": "*"}), document({**LISTING, "Principal": {"AWS": "*"}}), True),
        (
            document({**LISTING, "Principal": {"AWS": ROOT}}),
            document({**LISTING, "Principal": {"AWS": ROOT[13:25]}}),
            True,
        ),
        (
            document({**LISTING, "Condition": {"Bool": {"aws:SecureTransport": True}}}),
            document({**LISTING, "Condition": {"Bool": {"aws:SecureTransport": ["true"]}}}),
            True,
        ),
        (document(LISTING), document(READING), False),
        (document(LISTING), document(LISTING, READING), False),
        (document(LISTING), document({**LISTING, "Effect": "Deny"}), False),
        (document(LISTING), document({**LISTING, "Action": "s3:listbucket"}), False),
        (document(LISTING), document(LISTING, version="2008-10-17"), False),
        (document(LISTING, version="2008-10-17"), {"Statement": [LISTING]}, True),
    ],
)
def test_same(one: t.Any, other: t.Any, alike: bool) -> None:
    assert [same(*pair) for pair in ((one, other), (other, one))] == [alike, alike]


def test_a_document_grows_by_what_it_lacks_and_names_stay_unique() -> None:
    before = document({**LISTING, "Sid": "One"})
    more = document({**LISTING, "Sid": "Other"}, {**READING, "Sid": "One"})
    after = grown(before, more)
    assert after["Statement"] == [{**LISTING, "Sid": "One"}, {**READING, "Sid": "One1"}]
    assert grown(after, more) == after
    assert lacking(after, more) == []


def test_variables_are_not_added_where_they_mean_nothing() -> None:
    personal = {**LISTING, "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}"}
    assert grown(document(READING), document(personal))["Statement"] == [READING, personal]
    with pytest.raises(Refused, match="needs Version 2012-10-17"):
        grown(document(READING, version="2008-10-17"), document(personal))
