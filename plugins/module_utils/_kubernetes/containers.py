# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What containers of a pod template are given that decides which credentials an AWS SDK finds. Pure."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from .pods import CREDENTIALS_URI, TOKEN_FILE, Contents, Object, containers

ACCESS_KEY = "AWS_ACCESS_KEY_ID"
STATIC = (ACCESS_KEY, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
IRSA = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
IRSA_VOLUME = "aws-iam-token"
SHARED_FILE = "AWS_SHARED_CREDENTIALS_FILE"
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
NO_PROXY = ("NO_PROXY", "no_proxy")
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


def sources(pod: Object) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets, by kind and name, that containers take all their variables from."""
    return {
        (kind, reference["name"])
        for container in containers(pod)
        for entry in container.get("envFrom") or ()
        for kind, reference in _references(entry)
    }


def _references(entry: Object) -> t.Iterator[tuple[str, Object]]:
    for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if key in entry:
            yield kind, entry[key]


def variables(pod: Object, contents: Contents) -> list[Variable]:
    """The variables of every container as it will see them; ``contents`` are those of ``sources``."""
    return [variable for container in containers(pod) for variable in _variables(container, contents).values()]


def _variables(container: Object, contents: Contents) -> dict[str, Variable]:
    owner = container["name"]
    found = {}
    for entry in container.get("envFrom") or ():
        for kind, reference in _references(entry):
            for key, value in contents.get((kind, reference["name"]), {}).items():
                name = f"{entry.get('prefix', '')}{key}"
                readable = value if kind == "ConfigMap" else None
                found[name] = Variable(owner, name, readable, f"{kind} {reference['name']}")
    for entry in container.get("env") or ():
        literal = None if "valueFrom" in entry else entry.get("value", "")
        found[entry["name"]] = Variable(owner, entry["name"], literal)
    return found


def static_keys(seen: t.Iterable[Variable]) -> list[Variable]:
    """Variables with an access key of their own: every SDK takes them first."""
    return [variable for variable in seen if variable.name in STATIC and variable.is_set]


def irsa_variables(pod: Object, seen: t.Iterable[Variable]) -> list[Variable]:
    """IRSA's variables that the template itself sets; those that EKS's webhook put there for IRSA are left out."""
    given = {each["name"] for each in containers(pod) if _mounts(each, IRSA_VOLUME)}
    found = [variable for variable in seen if variable.name in IRSA and variable.is_set]
    ours = [variable for variable in found if variable.container not in given]
    return ours if any(variable.name == IRSA[1] for variable in ours) else []


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


@dataclass(frozen=True)
class Mount:
    """A mounted credentials file, and where in the template it stands."""

    container: str
    path: str
    volume: str
    pointer: str
    """JSON pointer below the pod's ``spec``."""


def credential_files(pod: Object, seen: t.Sequence[Variable]) -> list[Mount]:
    """Mounts that give a container the credentials file of the AWS CLI and the SDKs."""
    named = {(each.container, each.value) for each in seen if each.name == SHARED_FILE and each.value}
    return [
        Mount(container["name"], mount["mountPath"], mount["name"], f"/{section}/{place}/volumeMounts/{number}")
        for section in ("containers", "initContainers")
        for place, container in enumerate((pod.get("spec") or {}).get(section) or ())
        for number, mount in enumerate(container.get("volumeMounts") or ())
        if _is_credentials(mount["mountPath"], {path for owner, path in named if owner == container["name"]})
    ]


def _is_credentials(path: str, named: t.Collection[str | None]) -> bool:
    path = path.rstrip("/")
    if path.endswith(("/.aws", "/.aws/credentials")):
        return True
    return any(file == path or str(file).startswith(f"{path}/") for file in named)


def unproxied(seen: t.Iterable[Variable], ipv6: bool) -> dict[str, str]:
    """Containers whose calls to the agent would go to a proxy, each with the NO_PROXY that would prevent it."""
    agent = AGENT_IPV6 if ipv6 else AGENT_IPV4
    found = {}
    by_container: dict[str, dict[str, str | None]] = {}
    for variable in seen:
        by_container.setdefault(variable.container, {})[variable.name] = variable.value
    for container, values in by_container.items():
        exceptions = [values[name] for name in NO_PROXY if name in values]
        if any(values.get(name, "") != "" for name in PROXIES) and not _excepted(exceptions, agent):
            found[container] = _joined(exceptions, agent)
    return found


def _excepted(lists: t.Sequence[str | None], agent: str) -> bool:
    """Whether each list that is given names the agent; a list that can't be read is believed to."""
    return bool(lists) and all(value is None or any(_covers(e, agent) for e in value.split(",")) for value in lists)


def _covers(entry: str, agent: str) -> bool:
    entry = entry.strip().strip("[]")
    if entry in ("*", agent):
        return True
    try:
        return ipaddress.ip_address(agent) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _joined(lists: t.Sequence[str | None], agent: str) -> str:
    entries = [entry.strip() for value in lists for entry in (value or "").split(",") if entry.strip()]
    return ",".join(dict.fromkeys([*entries, f"[{agent}]" if ":" in agent else agent]))
