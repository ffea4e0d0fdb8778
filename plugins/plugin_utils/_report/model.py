# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report is made from and comes to. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Item = t.Mapping[str, t.Any]
Change = dict[str, t.Any]
Drift = dict[str, t.Any]
Result = dict[str, t.Any]
Results = t.Mapping[str, Result]
"""The results of steps by their names."""
Tone = t.Literal["good", "change", "bad", "warn"]

REGISTER = "pod_identity_reported"
"""The name under which reports on a cluster are registered, for the report at the end of the run."""
KNOWN = "known"
"""The key of a report's result that holds what the end of the run has to know."""
LOCAL = ("localhost", "127.0.0.1")


def cluster_name(host: str, variables: Item) -> str:
    """A host's name, or of the local host its cluster's, where that is known."""
    return str(variables.get("eks_cluster_name") or host) if host in LOCAL else host


def entry(step: str, kind: str, name: str, action: str, what: t.Iterable[str] = ()) -> Change:
    """One change."""
    return {"step": step, "kind": kind, "name": name, "action": action, "what": list(what)}


def place(one: Item) -> str:
    """Namespace and service account, which name an association."""
    return f"{one['namespace']}/{one['service_account']}"


@dataclass(frozen=True)
class Tags:
    """Tags of the run that no task has, those that only other playbooks have, and those that the play's tasks have.

    ``idle`` says that the run's tags are those of other plays, so that this one has no step to do.
    """

    unknown: t.Sequence[str] = ()
    elsewhere: t.Sequence[str] = ()
    there: t.AbstractSet[str] = frozenset()
    idle: bool = False


@dataclass(frozen=True)
class Survey:
    """The questions of a playbook's survey, what was given for their variables, and whether a job of AWX runs."""

    questions: t.Sequence[Item] = ()
    given: Item = field(default_factory=dict)
    in_job: bool = False


@dataclass(frozen=True)
class Context:
    """Where and when a report is made: the play's hosts by their names, each with its variables."""

    host: str
    check: bool
    now: str
    variables: Item
    hosts: t.Mapping[str, Item]
    tags: Tags = Tags()
    survey: Survey = Survey()

    def name(self, cluster: Item) -> str:
        """The cluster's name among artifacts and files: its host's, or its own where there is no inventory."""
        return str(cluster["name"]) if self.host in LOCAL else self.host

    def name_of(self, host: str) -> str:
        """The same of any host of the play, whether its cluster was read or not."""
        return cluster_name(host, self.variables if host == self.host else self.hosts[host])

    def known(self, variables: Item) -> Item:
        """What was reported of a host so far."""
        return dict((variables.get(REGISTER) or {}).get(KNOWN) or {})


@dataclass(frozen=True)
class Outcome:
    """A report: lines for a terminal, artifacts by name, files' texts by name, and what the task returns.

    ``known`` is kept for the end of the run; a ``failure`` fails the task.
    """

    lines: t.Sequence[str] = ()
    artifacts: Item = field(default_factory=dict)
    files: t.Mapping[str, str] = field(default_factory=dict)
    known: Item = field(default_factory=dict)
    returns: Item = field(default_factory=dict)
    failure: str = ""
