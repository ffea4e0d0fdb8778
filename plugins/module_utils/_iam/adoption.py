# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open somebody else's role for service accounts, as little as they need. No boto3, no AnsibleModule."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._cluster.model import parse_arn
from .._core import validate
from .._core.plan import Refused
from .trust_edit import pod_identity_problem
from .trust_policy import Document, added, trust_policy

TAG = "aws:RequestTag/kubernetes-service-account"


@dataclass(frozen=True)
class ServiceAccount:
    """A service account of a cluster, and whether EKS sends session tags for it."""

    cluster_arn: str
    namespace: str
    name: str
    session_tags: bool = True

    def problem(self, trust: Document) -> str:
        """Why ``trust`` keeps its pods out; "" where it lets them in."""
        return pod_identity_problem(trust, self.cluster_arn, (self.namespace, self.name), self.session_tags)


def service_accounts(option: str, items: t.Sequence[t.Mapping[str, t.Any]] | None) -> tuple[ServiceAccount, ...] | None:
    """Read the option; None where it isn't given."""
    return None if items is None else tuple(_read(f"{option}[{number}]", item) for number, item in enumerate(items))


def _read(option: str, item: t.Mapping[str, t.Any]) -> ServiceAccount:
    return ServiceAccount(
        str(parse_arn(item["cluster_arn"])),
        validate.namespace(f"{option}.namespace", item["namespace"]),
        validate.service_account(f"{option}.service_account", item["service_account"]),
        item["session_tags"],
    )


def opened(trust: Document, users: t.Iterable[ServiceAccount]) -> Document:
    """``trust`` with one more statement for each namespace whose service accounts it keeps out.

    ``Refused`` where it keeps one out even so, which a statement that denies does.
    """
    kept_out = [user for user in users if user.problem(trust)]
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for user in kept_out:
        groups.setdefault((user.cluster_arn, user.namespace, user.session_tags), []).append(user.name)
    grown = trust
    for (cluster_arn, namespace, session_tags), names in groups.items():
        grown = added(grown, _narrow(cluster_arn, namespace, names, session_tags))
    for user in kept_out:
        if problem := user.problem(grown):
            raise Refused(f"it can't be opened for {user.namespace}/{user.name}: {problem.rstrip('.')}")
    return grown


def _narrow(cluster_arn: str, namespace: str, names: t.Sequence[str], session_tags: bool) -> Document:
    """Without session tags nothing tells service accounts apart; the cluster is the narrowest then."""
    if not session_tags:
        return trust_policy(cluster_arn, "cluster")
    document = trust_policy(cluster_arn, "service_account", namespace=namespace, service_account=names[0])
    if names[1:]:
        document["Statement"][0]["Condition"]["StringEquals"][TAG] = list(dict.fromkeys(names))
    return document
