# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from a pod template which credentials an AWS SDK in its containers finds. Pure.

The order in which SDKs look: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import base64
import ipaddress
import typing as t
from dataclasses import dataclass

from .pods import CREDENTIALS_URI, TOKEN_FILE, Contents, Object, containers

ACCESS_KEY = "AWS_ACCESS_KEY_ID"
STATIC = (ACCESS_KEY, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
IRSA = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
IRSA_VOLUME = "aws-iam-token"
SHARED_FILES = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
NO_PROXY = ("NO_PROXY", "no_proxy")
RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
"""Of ECS; every SDK asks there before the full URI of Pod Identity."""
PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
DEFAULT_PROFILE = "default"
HIDDEN = "(hidden)"
"""In place of a Secret's value."""
WITH_KEYS = "aws_access_key_id"
"""In place of a Secret's value that has an access key in it, as credentials files have."""
OTHER_SOURCES = ("credential_process", "sso_start_url", "sso_session", "web_identity_token_file", "source_profile")
"""Settings of a file by which SDKs get credentials before they ask Pod Identity's agent."""
AGENT_IPV4, AGENT_IPV6 = "169.254.170.23", "fd00:ec2::23"


@dataclass(frozen=True)
class Variable:
    """An environment variable of a container; ``value`` is None where it comes from a place that isn't read."""

    container: str
    name: str
    value: str | None
    source: str = ""
    """The ConfigMap or Secret that gives it together with others; "" for one that the container itself names."""

    @property
    def is_set(self) -> bool:
        """Whether an SDK would take it for given: an empty one it doesn't."""
        return self.value != ""


def reduced(encoded: str) -> str:
    """What matters of a value of a Secret, in Base64: that it is empty, what an SDK finds, or that it is there."""
    text = base64.b64decode(encoded).decode(errors="replace")
    found = [setting for setting in (WITH_KEYS, *OTHER_SOURCES) if setting in text.lower()]
    return ("\n".join(found) or HIDDEN) if text else ""


def references(entry: Object) -> t.Iterator[tuple[str, Object]]:
    """The ConfigMap or Secret that an entry of ``envFrom`` names: its kind, and the reference."""
    for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if key in entry:
            yield kind, entry[key]


def key_reference(entry: Object) -> tuple[str, Object] | None:
    """The key of a ConfigMap or Secret that an entry of ``env`` takes its value from: the kind, and the reference."""
    given = entry.get("valueFrom") or {}
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if key in given:
            return kind, given[key]
    return None


def variables(pod: Object, contents: Contents) -> list[Variable]:
    """The variables of every container as it will see them; ``contents`` are those of ``sources``."""
    return [variable for container in containers(pod) for variable in _variables(container, contents).values()]


def _variables(container: Object, contents: Contents) -> dict[str, Variable]:
    owner = container["name"]
    found = {}
    for entry in container.get("envFrom") or ():
        for kind, reference in references(entry):
            for key, value in (contents.get((kind, reference["name"])) or {}).items():
                name = f"{entry.get('prefix', '')}{key}"
                found[name] = Variable(owner, name, _shown(kind, value), f"{kind} {reference['name']}")
    for entry in container.get("env") or ():
        if _sets(entry, contents):
            found[entry["name"]] = Variable(owner, entry["name"], _value(entry, contents))
    return found


def _shown(kind: str, value: str) -> str | None:
    """A value as far as it is known: of a Secret, only whether it is empty."""
    return value if kind == "ConfigMap" or not value else None


def _sets(entry: Object, contents: Contents) -> bool:
    """Whether an entry of ``env`` sets its variable: an optional one does only where its key is known to be there."""
    found = key_reference(entry)
    if found is None or not found[1].get("optional"):
        return True
    kind, reference = found
    return reference.get("key") in (contents.get((kind, reference.get("name", ""))) or {})


def _value(entry: Object, contents: Contents) -> str | None:
    if "valueFrom" not in entry:
        return str(entry.get("value", ""))
    if (found := key_reference(entry)) is None:
        return None
    kind, reference = found
    known = contents.get((kind, reference.get("name", ""))) or {}
    key = reference.get("key", "")
    return _shown(kind, known[key]) if key in known else None


def static_keys(seen: t.Iterable[Variable]) -> list[Variable]:
    """Variables with an access key of their own: every SDK takes them first."""
    return [variable for variable in seen if variable.name in STATIC and variable.is_set]


def relative_uris(seen: t.Iterable[Variable]) -> list[Variable]:
    """Variables that send an SDK elsewhere than to the agent."""
    return [variable for variable in seen if variable.name == RELATIVE_URI and variable.is_set]


def profiles(seen: t.Iterable[Variable]) -> dict[str, str | None]:
    """The profile that each container names, by its name; None where it can't be known."""
    named = [variable for name in reversed(PROFILES) for variable in seen if variable.name == name]
    return {variable.container: variable.value for variable in named if variable.is_set}


def irsa_variables(pod: Object, seen: t.Iterable[Variable], live: bool = False) -> list[Variable]:
    """IRSA's variables that the template itself sets.

    ``live`` says that ``pod`` is a running one: what EKS's webhook gave it for IRSA is left out. A webhook gives a pod
    either of both ways, so of one that has both at least one is its manifest's.
    """
    seen = list(seen)
    ours = {variable.container for variable in seen if variable.name == CREDENTIALS_URI}
    given = {each["name"] for each in containers(pod) if live and _mounts(each, IRSA_VOLUME)} - ours
    found = [variable for variable in seen if variable.name in IRSA and variable.is_set]
    found = [variable for variable in found if variable.container not in given]
    return found if any(variable.name == IRSA[1] for variable in found) else []


def own_container_variables(seen: t.Iterable[Variable]) -> list[Variable]:
    """Variables of Pod Identity that the template sets itself, and so keeps the webhook from setting both."""
    ours = [variable for variable in seen if variable.name in (CREDENTIALS_URI, TOKEN_FILE)]
    found = []
    for container in dict.fromkeys(variable.container for variable in ours):
        own = [variable for variable in ours if variable.container == container]
        if len(own) == 1 or not any(_of_the_agent(variable.value) for variable in own):
            found += own
    return found


def _of_the_agent(value: str | None) -> bool:
    return value is not None and any(address in value for address in (AGENT_IPV4, AGENT_IPV6))


def _mounts(container: Object, volume: str) -> bool:
    return any(mount.get("name") == volume for mount in container.get("volumeMounts") or ())


def agent_forms(ipv6: bool) -> tuple[str, ...]:
    """The agent's address as NO_PROXY needs it: Go takes an IPv6 address without brackets, and others with them."""
    return (AGENT_IPV6, f"[{AGENT_IPV6}]") if ipv6 else (AGENT_IPV4,)


def unproxied(seen: t.Iterable[Variable], ipv6: bool) -> dict[str, str]:
    """Containers whose calls to the agent would go to a proxy, each with the NO_PROXY that would prevent it."""
    forms = agent_forms(ipv6)
    found = {}
    by_container: dict[str, dict[str, str | None]] = {}
    for variable in seen:
        by_container.setdefault(variable.container, {})[variable.name] = variable.value
    for container, values in by_container.items():
        exceptions = [values[name] for name in NO_PROXY if name in values]
        if any(values.get(name, "") != "" for name in PROXIES) and not _excepted(exceptions, forms):
            found[container] = _joined(exceptions, forms)
    return found


def _excepted(lists: t.Sequence[str | None], forms: t.Sequence[str]) -> bool:
    """Whether each list that is given names the agent in each of its ``forms``; one that can't be read counts as if."""
    return bool(lists) and all(value is None or all(_covers(value, form) for form in forms) for value in lists)


def _covers(exceptions: str, form: str) -> bool:
    entries = [entry.strip() for entry in exceptions.split(",")]
    return "*" in entries or form in entries or any(_is_network_of(entry, form) for entry in entries)


def _is_network_of(entry: str, form: str) -> bool:
    if "/" not in entry:
        return False
    try:
        return ipaddress.ip_address(form.strip("[]")) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _joined(lists: t.Sequence[str | None], forms: t.Sequence[str]) -> str:
    entries = [entry.strip() for value in lists for entry in (value or "").split(",") if entry.strip()]
    return ",".join(dict.fromkeys([*entries, *forms]))
