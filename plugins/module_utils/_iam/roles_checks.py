# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a role from being changed: whose it is, and what IAM would refuse halfway. No boto3, no AnsibleModule."""

from __future__ import annotations

import typing as t

from .._core.plan import Refused
from .._core.validate import canonical
from .conditions import as_texts
from .roles_model import LONGEST_POLICY, Desired, Rules, State
from .trust_evaluation import trusted
from .trust_policy import SERVICE, Document, statements


def check(desired: Desired, observed: State | None, target: State, rules: Rules) -> None:
    """Raise ``Refused`` where ``observed`` may not become ``target``."""
    if observed is not None and not observed.ours:
        _check_adoption(desired, observed, rules)
    if observed is None or observed.trust != target.trust:
        _check_trust(desired, observed, target, rules)
    if target.policy and (observed is None or observed.policy != target.policy):
        _check_policy(desired, target.policy)
    _check_attached(desired, observed, target, rules)


def used_by_pods_alone(trust: Document) -> bool:
    """Whether EKS Pod Identity's service principal is all that the allowing statements name."""
    named = [each.get("Principal") for each in statements(trust) if each.get("Effect") == "Allow"]
    return bool(named) and all(_is_service(principal) for principal in named)


def _is_service(principal: t.Any) -> bool:
    if not isinstance(principal, t.Mapping) or set(principal) != {"Service"}:
        return False
    return set(as_texts(principal["Service"])) == {SERVICE}


def check_path(desired: Desired, observed: State) -> None:
    """Raise ``Refused`` where the role is under another path: its ARN isn't the one that is declared."""
    if desired.path and desired.path != observed.path:
        raise Refused(
            f"Role {desired.name} exists under the path {observed.path}, not {desired.path}, and IAM can't move a role."
            " Set its path, or take another role_name."
        )


def _check_adoption(desired: Desired, observed: State, rules: Rules) -> None:
    if desired.boundary and observed.boundary != desired.boundary:
        raise Refused(
            f"Role {desired.name} was not created by enbuild.eks, and its permissions boundary is"
            f" {observed.boundary or 'none'}, not {desired.boundary}. A boundary takes permissions away from whoever"
            " uses the role: set it yourself, or take another role_name."
        )
    if not (rules.adopt or used_by_pods_alone(observed.trust)):
        users = ", ".join(trusted(observed.trust)) or "nobody"
        raise Refused(
            f"Role {desired.name} was not created by enbuild.eks, and its trust policy lets in {users}. Take another"
            f" role_name, or set adopt (pod_identity_iam_adopt): what is declared is then added to the role, and"
            " nothing is taken away."
        )


def _check_trust(desired: Desired, observed: State | None, target: State, rules: Rules) -> None:
    length, now = len(canonical(target.trust)), len(canonical(observed.trust)) if observed else 0
    if length > rules.trust_quota:
        raise Refused(
            f"The trust policy of role {desired.name} would have {length:,} characters (it has {now:,}), and IAM allows"
            f" {rules.trust_quota:,} (ACLSizePerRole). {_shorter(observed)}, or give some workloads a role of their"
            " own. If the account's quota was raised, set trust_policy_quota (pod_identity_iam_trust_policy_quota)."
        )


def _shorter(observed: State | None) -> str:
    if observed is None or observed.ours:
        return "Take the trust account or cluster, which needs one statement for all service accounts"
    return "Let all its service accounts in by a statement of your own, which nothing is added to then"


def _check_policy(desired: Desired, policy: Document) -> None:
    if (length := len(canonical(policy))) > LONGEST_POLICY:
        raise Refused(
            f"Policy {desired.policy_name} of role {desired.name} has {length:,} characters, and IAM allows"
            f" {LONGEST_POLICY:,} for the inline policies of a role. Move a part of it to a managed policy, and list"
            " that in managed_policies."
        )


def _check_attached(desired: Desired, observed: State | None, target: State, rules: Rules) -> None:
    number, now = len(target.attached or ()), len((observed.attached if observed else None) or ())
    if number > max(rules.attached_quota, now):
        raise Refused(
            f"Role {desired.name} would have {number} managed policies (it has {now}), and IAM allows"
            f" {rules.attached_quota}. Merge some of them. If the account's quota was raised, set"
            " managed_policies_quota (pod_identity_iam_managed_policies_quota)."
        )
