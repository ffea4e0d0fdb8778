# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user may write for a name, an ARN, tags or a session policy; anything else is refused in one sentence.

Every function takes the option's name for that sentence, and returns the value as EKS is to get it.
"""

from __future__ import annotations

import json
import re
import typing as t

from .plan import Refused

Place = tuple[str, str]
"""Namespace and name of a service account."""
MAX_TAGS = 50
MAX_POLICY = 2048
"""Characters of a session policy (IAM's limit of an inline session policy)."""

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_ROLE = r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:[!-~]{1,510}/)?[\w+=,.@-]{1,64}"


def cluster_name(option: str, value: t.Any) -> str:
    """A cluster's name, by the pattern of EKS's CreateCluster."""
    rule = "1 to 100 letters, digits, hyphens and underscores, the first a letter or digit"
    return _matching(option, value, r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", f"the name of an EKS cluster ({rule})")


def namespace(option: str, value: t.Any) -> str:
    """A namespace's name, by RFC 1123's rule for labels."""
    rule = "1 to 63 lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
    return _matching(option, value, _LABEL, f"a Kubernetes namespace ({rule})")


def service_account(option: str, value: t.Any) -> str:
    """A service account's name, by RFC 1123's rule for subdomains."""
    rule = (
        "1 to 253 lower-case letters, digits, hyphens and dots, each part beginning and ending with a letter or digit"
    )
    return _matching(option, value, _SUBDOMAIN, f"a Kubernetes service account ({rule})", longest=253)


def role_arn(option: str, value: t.Any) -> str:
    """An IAM role's ARN, of any partition, with or without a path."""
    return _matching(option, value, _ROLE, "the ARN of an IAM role (arn:PARTITION:iam::ACCOUNT:role/NAME)")


def is_role_arn(value: t.Any) -> bool:
    """Whether ``value`` is an IAM role's ARN and nothing besides."""
    return re.fullmatch(_ROLE, str(value), re.ASCII) is not None


def association_id(option: str, value: t.Any) -> str:
    """The id that EKS gave to an association."""
    return _matching(option, value, r"a-[a-z0-9]{17}", "the id of an association (a- and 17 letters or digits)")


def release_name(option: str, value: t.Any) -> str:
    """The name of a Helm release, by Helm's own limit and Kubernetes' rule for labels."""
    rule = "1 to 53 lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
    return _matching(option, value, _LABEL, f"the name of a Helm release ({rule})", longest=53)


def helm_duration(option: str, value: t.Any) -> str:
    """A time as Helm writes it."""
    pattern = r"(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s))+"
    return _matching(option, value, pattern, "a time as Helm writes it, such as 10m or 1h30m", longest=40)


def chart_version(option: str, value: t.Any) -> str:
    """A chart's version or a range of versions, as Helm takes them; "" for none."""
    what = "a version of a chart or a range of versions, such as 0.0.46"
    return _matching(option, value, r"[0-9A-Za-z.+*~^<>=!|, -]*", what, longest=100)


def chart(option: str, value: t.Any) -> str:
    """A chart's name, path or reference; never something that Helm would take for an option."""
    return _matching(option, value, r"[^\s-][^\s]*", "a chart's name, a path or an oci:// reference", longest=1024)


def account_of(arn: str) -> str:
    """The account in ``arn``."""
    return arn.split(":")[4]


def tags(option: str, value: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Tags that AWS takes; whole numbers become text."""
    if len(value) > MAX_TAGS:
        raise Refused(f"{option} has {len(value)} entries, and AWS allows {MAX_TAGS} tags for a resource.")
    return {_tag_key(option, str(key)): _tag_value(option, str(key), entry) for key, entry in value.items()}


def session_policy(option: str, value: str) -> str:
    """A session policy as canonical JSON, so that equal policies are equal text; "" stays "" and clears."""
    if not value.strip():
        return ""
    try:
        document = json.loads(value)
    except ValueError as error:
        raise Refused(f"{option} is not JSON: {error}.") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise Refused(f"{option} is JSON, but not an object with Version and Statement: {_short(value)}.")
    text = canonical(document)
    if len(text) > MAX_POLICY:
        raise Refused(f"{option} has {len(text)} characters, and a session policy may have {MAX_POLICY}.")
    return text


def canonical(document: t.Any) -> str:
    """JSON without spaces and with sorted keys."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _matching(option: str, value: t.Any, pattern: str, what: str, longest: int = 2048) -> str:
    text = str(value if value is not None else "")
    if len(text) > longest or not re.fullmatch(pattern, text, re.ASCII):
        raise Refused(f"{option} {_short(text)} is not {what}.")
    return text


def _tag_key(option: str, key: str) -> str:
    if key.lower().startswith("aws:"):
        raise Refused(f"{option} has the key {_short(key)}, and keys that begin with aws: are reserved for AWS.")
    if not re.fullmatch(r"[\w +\-=.:/@]{1,128}", key):
        raise Refused(
            f"{option} has the key {_short(key)}, and a tag's key is 1 to 128 letters, digits, spaces and _.:/=+-@."
        )
    return key


def _tag_value(option: str, key: str, value: t.Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Refused(f"{option} has {value!r} under {_short(key)}, and a tag's value is text: quote it.")
    if not re.fullmatch(r"[\w +\-=.:/@]{0,256}", str(value)):
        raise Refused(
            f"{option} has {_short(str(value))} under {_short(key)},"
            " and a tag's value is up to 256 letters, digits, spaces and _.:/=+-@."
        )
    return str(value)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
