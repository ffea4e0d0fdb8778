# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No value survives in a message, in whichever form it is quoted; the rest stays readable."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.enbuild.eks.plugins.plugin_utils._release.clean import LONGEST, Cleaner

SECRET = 'hunter"2\\$ünter'
LINES = "-----BEGIN KEY-----\nMIIBVgIBADANBg\n-----END KEY-----"
URL = "postgres://admin:s3cr3t-p4ss@db.example.com/shop"
VALUES = {"db": {"password": SECRET, "pin": 90210, "url": URL}, "keys": [LINES, "abc"], "on": True, "name": "enbuild"}


@pytest.mark.parametrize(
    "said",
    [
        f"error at <{SECRET}>: no",
        f'got: "{json.dumps(SECRET)[1:-1]}"',
        f'got: "{json.dumps(SECRET, ensure_ascii=False)[1:-1]}"',
        f"Secret has {base64.b64encode(SECRET.encode()).decode()}",
        LINES,
        "could not parse MIIBVgIBADANBg",
        "invalid userinfo in s3cr3t-p4ss",
        'at "/db/pin": 90210 is too large',
        'Unsupported value: "abc"',
        "keys.1: 'abc' is not a number",
    ],
)
def test_values_are_hidden(said: str) -> None:
    clean = Cleaner([VALUES])(said)
    for secret in (SECRET, "hunter", "MIIB", "s3cr3t", "90210", '"abc"', "'abc'", "aHVudGVy"):
        assert secret not in clean
    assert "[hidden]" in clean


def test_what_the_api_server_quotes_is_hidden_though_no_value_equals_it() -> None:
    said = 'Secret "db" is invalid: data[key]: Invalid value: "derived-from-a-value": must be short'
    assert Cleaner([])(said) == 'Secret "db" is invalid: data[key]: Invalid value: [hidden]: must be short'


def test_a_quote_that_is_not_closed_is_hidden_to_the_end_of_its_line() -> None:
    assert Cleaner([])("chart: got 'never\nshown: yes") == "chart: got [hidden] shown: yes"


def test_the_rest_stays() -> None:
    said = "UPGRADE FAILED: release enbuild: abc is true, context deadline exceeded"
    assert Cleaner([VALUES], {"enbuild"})(said) == said


def test_a_message_is_one_printable_line_of_bounded_length() -> None:
    clean = Cleaner([])
    assert clean("a\r\n\x1b[31mb\u202ec\t d") == "a [31mb c d"
    assert len(clean("x " * 9000)) == LONGEST


def test_a_longer_value_is_hidden_before_a_shorter_one_in_it() -> None:
    assert Cleaner([["pass", "pass-word-1"]])("pass-word-1") == "[hidden]"
