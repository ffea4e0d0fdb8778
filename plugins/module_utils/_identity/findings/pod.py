# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a pod from the credentials that it could ask for: other keys, a proxy, nodes without agent. Pure."""

from __future__ import annotations

import re
import typing as t

from ..._core.text import shell_quoted
from ..._kubernetes.containers import (
    IRSA,
    NO_PROXY,
    PROFILES,
    Variable,
    agent_forms,
    irsa_variables,
    relative_uris,
    static_keys,
    unproxied,
    variables,
)
from ..._kubernetes.credential_files import Mount, credential_files, missing_profiles, other_sources
from ..._kubernetes.pods import Object
from ..._kubernetes.sources import unreadable
from ..evidence import Evidence, Issued, Node
from ..exec_probe import is_sure
from . import remedies
from .codes import Finding
from .injected import seconds_between

AGENT = "eks-pod-identity-agent"
NEW_SECONDS = 120
"""How old a node is at most whose agent may still be starting."""
HOSTS = re.compile(r"[\w.:/*,\[\]-]+", re.ASCII)
"""What a NO_PROXY consists of."""


def of_pods(seen: Evidence) -> t.Iterator[Finding]:
    """What the pod template gives its containers, then where its pods run, then what a pod itself says."""
    named = [*_of_template(seen), *_of_nodes(seen)]
    yield from named
    if served(seen) and all(finding.severity != "error" for finding in named):
        yield from _of_answer(seen)


def served(seen: Evidence) -> bool:
    """Whether every pod finds an agent on its node, as far as that is known."""
    agent, nodes = seen.around.agent, seen.around.nodes
    found = [nodes.get(pod.node, Node(pod.node)) for pod in seen.pods if pod.node]
    return agent is None or all(node.built_in or (not node.unfit and agent.ready_on(node.name)) for node in found)


def asked_result(seen: Evidence) -> dict[str, t.Any] | None:
    """What the pod says of its credentials, in addition to what EKS issued, as modules return it."""
    asked = seen.asked
    if asked is None:
        return None
    return {"agrees": _agrees(asked), **asked.result()}


def _agrees(asked: Issued) -> bool | None:
    """Whether it says the same as EKS; None where it says nothing, or what it says is no proof of a fault."""
    if asked.good:
        return not asked.sdk_error
    return None if asked.good is None or not (asked.assumed_role_arn or is_sure(asked)) else False


def _of_answer(seen: Evidence) -> t.Iterator[Finding]:
    """Where the pod's own answer differs from what EKS issued to the caller for it."""
    asked = seen.asked
    if asked is None or _agrees(asked) is not False:
        return
    if asked.good:
        yield _sdk_without_credentials(seen, asked)
    elif asked.assumed_role_arn:
        yield Finding(
            "other_identity",
            str(seen.workload.owner),
            asked.message.rstrip("."),
            remedies.recreate(seen.workload.owner),
        )
    else:
        yield _agent_unreachable(seen, asked)


def _agent_unreachable(seen: Evidence, asked: Issued) -> Finding:
    agents = remedies.command("kubectl", "logs", f"daemonset/{AGENT}", "-n", "kube-system", "--tail", "20")
    forms = " and ".join(agent_forms(seen.around.cluster.ipv6))
    return Finding(
        "agent_unreachable",
        str(seen.workload.owner),
        f"EKS issues credentials for pod {asked.pod}, but the pod doesn't get them. {asked.message}",
        f"{agents}  # then see what keeps the pod from {forms}: a network policy, a service mesh, or a role of the "
        "node that may not call eks-auth:AssumeRoleForPodIdentity",
    )


def _sdk_without_credentials(seen: Evidence, asked: Issued) -> Finding:
    return Finding(
        "sdk_without_credentials",
        str(seen.workload.owner),
        f"Pod {asked.pod} gets credentials from its agent, but boto3 of its image finds none ({asked.sdk_error})",
        "Give the image an SDK that knows EKS Pod Identity (boto3 1.34.41 or newer), if the workload uses this one",
    )


def unknown_keys(seen: Evidence) -> list[str]:
    """What may give the pods access keys of their own, and could not be read."""
    return unreadable(seen.template.pod, seen.contents) if seen.template else []


def _of_template(seen: Evidence) -> t.Iterator[Finding]:
    if seen.template is None:
        return
    pod = seen.template.pod
    given = variables(pod, seen.contents)
    keys, files = static_keys(given), credential_files(pod, given, seen.contents)
    if keys or files:
        yield _static_keys(seen, keys, files)
    if irsa := irsa_variables(pod, given, live=seen.template.owner.kind == "Pod"):
        yield _irsa_variables(seen, irsa)
    yield from _of_sources(seen, pod, given)
    if exceptions := unproxied(given, seen.around.cluster.ipv6):
        yield _no_proxy(seen, exceptions)
    if (pod.get("spec") or {}).get("hostNetwork"):
        yield _host_network(seen)


def _static_keys(seen: Evidence, keys: t.Sequence[Variable], files: t.Sequence[Mount]) -> Finding:
    owner = seen.workload.owner
    places = _places(keys, files, "credentials file")
    return Finding(
        "static_keys",
        str(owner),
        f"{owner} has AWS keys of its own, which win over Pod Identity: {places}",
        _without(seen, keys, files),
    )


def _places(given: t.Sequence[Variable], files: t.Sequence[Mount], kind: str) -> str:
    """Where an SDK finds what it takes before Pod Identity."""
    places = [f"{each.name} of {each.source or 'container ' + each.container}" for each in given]
    places += [f"the {kind} {shell_quoted(file.path)} of container {file.container}" for file in files]
    return ", ".join(dict.fromkeys(places))


def _without(seen: Evidence, given: t.Sequence[Variable], files: t.Sequence[Mount]) -> str:
    """What takes that away."""
    return "\n".join([*_without_keys(seen, given), *_without_files(seen, files)])


def _without_keys(seen: Evidence, keys: t.Sequence[Variable]) -> t.Iterator[str]:
    """A variable of the container is taken away; one that comes with others from a Secret is made empty."""
    if keys:
        values = {each.name: "" if each.source else None for each in keys}
        yield remedies.set_variables(seen.workload.owner, dict(sorted(values.items())))


def _without_files(seen: Evidence, files: t.Sequence[Mount]) -> t.Iterator[str]:
    """The last mount of a container first, for the others' places to stay true."""
    operations = [
        operation
        for file in reversed(files)
        for operation in (
            {"op": "test", "path": f"/spec{file.pointer}/name", "value": file.volume},
            {"op": "remove", "path": f"/spec{file.pointer}"},
        )
    ]
    if operations:
        yield remedies.patch(seen.workload.owner, operations, f"Drop the mount {shell_quoted(files[0].path)}")


def _of_sources(seen: Evidence, pod: Object, given: t.Sequence[Variable]) -> t.Iterator[Finding]:
    """What sends an SDK elsewhere. A pod that has asked for itself has shown that nothing does."""
    if seen.issued is not None and seen.issued.how == "exec" and seen.issued.good:
        return
    uris, files = relative_uris(given), other_sources(pod, given, seen.contents)
    if uris or files:
        yield _other_source(seen, uris, files)
    if missing := missing_profiles(pod, given, seen.contents):
        yield _profile_missing(seen, missing)


def _other_source(seen: Evidence, uris: t.Sequence[Variable], files: t.Sequence[Mount]) -> Finding:
    owner = seen.workload.owner
    places = _places(uris, files, "file")
    return Finding(
        "other_source",
        str(owner),
        f"{owner} gets credentials from elsewhere before it asks Pod Identity: {places}",
        _without(seen, uris, files),
    )


def _profile_missing(seen: Evidence, missing: t.Mapping[str, str]) -> Finding:
    owner = seen.workload.owner
    named = ", ".join(f"{shell_quoted(profile)} of container {name}" for name, profile in missing.items())
    return Finding(
        "profile_missing",
        str(owner),
        f"{owner} names an AWS profile that no mounted file has: {named}. An SDK then stops before it asks Pod "
        "Identity",
        remedies.set_variables(owner, dict.fromkeys(PROFILES, None)),
    )


def _irsa_variables(seen: Evidence, found: t.Sequence[Variable]) -> Finding:
    owner = seen.workload.owner
    names = sorted({each.name for each in found})
    values = {each.name: "" if each.source else None for each in found}
    return Finding(
        "irsa_variables",
        str(owner),
        f"The pod template of {owner} sets {' and '.join(names)}: IRSA's variables win over Pod Identity",
        remedies.set_variables(owner, {name: values[name] for name in IRSA if name in values}),
    )


def _no_proxy(seen: Evidence, exceptions: t.Mapping[str, str]) -> Finding:
    owner = seen.workload.owner
    commands = [_except(seen, container, value) for container, value in exceptions.items()]
    return Finding(
        "no_proxy",
        str(owner),
        f"Containers of {owner} use a proxy ({', '.join(exceptions)}), and their NO_PROXY lacks the agent's address "
        f"{' and '.join(agent_forms(seen.around.cluster.ipv6))}",
        "\n".join(dict.fromkeys(commands)),
    )


def _except(seen: Evidence, container: str, value: str) -> str:
    """Set NO_PROXY to ``value``; a sentence where it holds what no list of hosts does."""
    owner = seen.workload.owner
    if HOSTS.fullmatch(value):
        return remedies.set_variables(owner, dict.fromkeys(NO_PROXY, value), container)
    forms = ",".join(agent_forms(seen.around.cluster.ipv6))
    return f"Add {forms} to {' and '.join(NO_PROXY)} of container {container} in the manifest of {owner}"


def _host_network(seen: Evidence) -> Finding:
    owner = seen.workload.owner
    return Finding(
        "host_network",
        str(owner),
        f"The pods of {owner} are in their node's network (hostNetwork), where the node's own role is in reach, too; "
        "with Pod Identity they don't need it",
        remedies.patch(owner, [{"op": "remove", "path": "/spec/hostNetwork"}], "Drop hostNetwork"),
    )


def _of_nodes(seen: Evidence) -> t.Iterator[Finding]:
    nodes = _nodes(seen)
    unfit = [node for node in nodes.values() if node.unfit]
    if unfit:
        yield _node_unsupported(seen, unfit)
    if bare := _without_agent(seen, nodes.values()):
        yield _agent_not_on_node(seen, sorted(node.name for node in bare))


def is_ahead(seen: Evidence) -> bool:
    """Whether one of its pods lacks an agent on a node that is new, by the API server's own time."""
    bare = _without_agent(seen, _nodes(seen).values()) if seen.tried_at else []
    return any(node.created and seconds_between(node.created, seen.tried_at) < NEW_SECONDS for node in bare)


def _nodes(seen: Evidence) -> dict[str, Node]:
    return {pod.node: seen.around.nodes.get(pod.node, Node(pod.node)) for pod in seen.pods if pod.node}


def _without_agent(seen: Evidence, nodes: t.Iterable[Node]) -> list[Node]:
    """Nodes that want an agent and have none that is ready; none where the agent as a whole is missing or unhealthy."""
    agent = seen.around.agent
    if agent is None or not agent.present or agent.unhealthy:
        return []
    return [node for node in nodes if not (node.unfit or node.built_in or agent.ready_on(node.name))]


def _node_unsupported(seen: Evidence, nodes: t.Sequence[Node]) -> Finding:
    names = ", ".join(f"{node.name} ({node.unfit})" for node in nodes)
    return Finding(
        "node_unsupported",
        str(seen.workload.owner),
        f"Pods of {seen.workload.owner} run on {names}, where there is no Pod Identity",
        "Let it run on Linux nodes of EC2 or Auto Mode, or keep IRSA for it",
    )


def _agent_not_on_node(seen: Evidence, nodes: t.Sequence[str]) -> Finding:
    agent = seen.around.agent
    pods = [agent.pods[node][0] for node in nodes if agent and node in agent.pods]
    restart = remedies.command("kubectl", "delete", "pod", *pods, "-n", "kube-system")
    look = remedies.command("kubectl", "describe", f"daemonset/{AGENT}", "-n", "kube-system")
    return Finding(
        "agent_not_on_node",
        str(seen.workload.owner),
        f"No agent is ready on {', '.join(nodes)}, where pods of {seen.workload.owner} run",
        restart if pods else f"{look}  # nodeSelector, affinity and tolerations keep it from {nodes[0]}",
    )
