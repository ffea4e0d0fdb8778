# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the trust policies of roles that pods get. No boto3, no AnsibleModule."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .._core import validate
from .._core.plan import Change, Plan, Refused
from .trust_edit import Place, pod_identity_problem, provider_of, with_irsa, with_pod_identity, without_irsa
from .trust_policy import Document, read_document

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

    @property
    def name(self) -> str:
        """What IAM's operations take."""
        return self.role_arn.rsplit("/", 1)[-1]


def desired_trusts(params: t.Mapping[str, t.Any]) -> list[Desired]:
    """Read the option ``roles``; each role once, or ``Refused``."""
    found = [_goal(number, item, params["scope"]) for number, item in enumerate(params["roles"])]
    if doubled := sorted({each.role_arn for each in found if sum(each.role_arn == one.role_arn for one in found) > 1}):
        raise Refused(f"roles names {', '.join(doubled)} more than once; give each role all of its service accounts.")
    return found


def _goal(number: int, item: t.Mapping[str, t.Any], scope: str) -> Desired:
    label = f"roles[{number}]"
    places = tuple(_place(f"{label}.service_accounts", each) for each in item["service_accounts"])
    arn = validate.role_arn(f"{label}.role_arn", item["role_arn"])
    return Desired(arn, places, item["pod_identity"], item["irsa"], scope)


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
    after, provider = document, provider_of(cluster)
    if desired.pod_identity:
        after = with_pod_identity(after, cluster["arn"], desired.scope, desired.places)
        for place in desired.places:
            if problem := pod_identity_problem(after, cluster["arn"], place):
                raise Refused(f"Role {desired.role_arn} can't be opened for {'/'.join(place)}: {problem}")
    if desired.irsa is not None:
        move = with_irsa if desired.irsa else without_irsa
        after = move(after, provider, desired.places)
    return after
