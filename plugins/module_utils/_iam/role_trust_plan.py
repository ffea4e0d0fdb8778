# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the trust policies of roles that pods get. No boto3, no AnsibleModule."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from .._core import validate
from .._core.plan import Change, Plan, Refused
from .._core.validate import Place
from .trust_edit import pod_identity_problem, provider_of, with_irsa, with_pod_identity, without_irsa
from .trust_policy import DEFAULT_SIZE, Document, read_document, size_problem

Cluster = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Desired:
    """A role, the service accounts that it is about, and what its trust shall say of them."""

    role_arn: str
    places: tuple[Place, ...]
    pod_identity: bool = False
    """Whether Pod Identity is let in for them; False leaves that as it is."""
    irsa: bool | None = None
    """Whether IRSA of this cluster is let in for them; None leaves that as it is."""
    scope: str = "account"
    statements: tuple[t.Mapping[str, t.Any], ...] | None = field(default=None, hash=False)
    """Of IRSA, each for one service account alone: what is put back as it was, or all that may be taken away."""
    largest: int = DEFAULT_SIZE
    """Characters that IAM takes of the trust policy."""

    @property
    def name(self) -> str:
        """What IAM's operations take."""
        return self.role_arn.rsplit("/", 1)[-1]


def desired_trusts(params: t.Mapping[str, t.Any]) -> list[Desired]:
    """Read the option ``roles``; each role once, or ``Refused``."""
    found = [_desired(number, item, params) for number, item in enumerate(params["roles"])]
    if doubled := sorted({each.role_arn for each in found if sum(each.role_arn == one.role_arn for one in found) > 1}):
        raise Refused(f"roles names {', '.join(doubled)} more than once; give each role all of its service accounts.")
    return found


def _desired(number: int, item: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> Desired:
    label = f"roles[{number}]"
    places = tuple(_place(f"{label}.service_accounts", each) for each in item["service_accounts"])
    arn = validate.role_arn(f"{label}.role_arn", item["role_arn"])
    listed = None if item.get("statements") is None else tuple(item["statements"])
    return Desired(
        arn, places, item["pod_identity"], item["irsa"], params["scope"], listed, params.get("trust_size", DEFAULT_SIZE)
    )


def _place(option: str, text: str) -> Place:
    namespace, _slash, name = text.partition("/")
    return validate.namespace(option, namespace), validate.service_account(option, name)


def plan(desired: Desired, cluster: Cluster, trust: t.Any) -> Plan:
    """The call that makes ``desired`` true where ``trust`` is what the role has."""
    before = read_document(trust)
    after = _wanted(desired, cluster, before)
    words = {"role_arn": desired.role_arn, "trust_policy": before}
    if after == before:
        return Plan(words, words)
    return Plan(words, {**words, "trust_policy": after}, (change(desired, after),))


def change(desired: Desired, document: Document) -> Change:
    """The call that gives the role this trust."""
    args = {"RoleName": desired.name, "PolicyDocument": json.dumps(document)}
    return Change("update_assume_role_policy", args, f"change the trust policy of role {desired.role_arn}")


def _wanted(desired: Desired, cluster: Cluster, document: Document) -> Document:
    provider = provider_of(cluster)
    after = _opened(desired, cluster["arn"], document) if desired.pod_identity else document
    if desired.irsa:
        after = with_irsa(after, provider, desired.places, desired.statements or ())
    elif desired.irsa is not None:
        after = without_irsa(after, provider, desired.places, desired.statements)
    if problem := size_problem(desired.role_arn, document, after, desired.largest):
        raise Refused(f"{problem}. Raise that quota and set trust_size, or let scope cover more than one.")
    return after


def _opened(desired: Desired, cluster_arn: str, document: Document) -> Document:
    after = with_pod_identity(document, cluster_arn, desired.scope, desired.places)
    for place in desired.places:
        if problem := pod_identity_problem(after, cluster_arn, place):
            raise Refused(f"Role {desired.role_arn} can't be opened for {'/'.join(place)}: {problem}")
    return after
