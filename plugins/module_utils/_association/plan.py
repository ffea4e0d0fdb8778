# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan one Pod Identity association. No boto3, no AnsibleModule, no clock."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field, replace

from .._core import validate
from .._core.plan import Change, Plan, Refused
from .._core.tags import MANAGED_TAG

FLOORS = {
    "target_role_arn": ("targetRoleArn", "1.38.35"),
    "disable_session_tags": ("disableSessionTags", "1.38.35"),
    "policy": ("policy", "1.42.46"),
}
"""Options that botocore did not know from the start: the API's word and the first version that has it."""

_API = {"role_arn": "roleArn", **{option: member for option, (member, _floor) in FLOORS.items()}}

_RESOURCE = "pod_identity_association"


@dataclass(frozen=True, order=True)
class Key:
    """What identifies an association: one for each service account."""

    cluster: str
    namespace: str
    service_account: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service_account}"


@dataclass(frozen=True)
class Wish:
    """What a user wants of an association; None is untouched and "" is cleared.

    ``policy`` is canonical JSON.
    """

    role_arn: str
    target_role_arn: str | None = None
    disable_session_tags: bool | None = None
    policy: str | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True


@dataclass(frozen=True)
class Association:
    """What an association says; "" is none."""

    role_arn: str
    target_role_arn: str = ""
    disable_session_tags: bool = False
    policy: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """All that a listing says of an association."""

    key: Key
    id: str
    arn: str
    owner_arn: str = ""


@dataclass(frozen=True)
class Found:
    """An association as EKS holds it; times are ISO 8601, "" is none."""

    arn: str
    id: str
    association: Association
    owner_arn: str = ""
    external_id: str = ""
    created_at: str = ""
    modified_at: str = ""


@dataclass(frozen=True)
class Goal:
    """One service account and what shall be true of it; without a wish, it has no association.

    ``first_tags`` are given to an association that has to be created; ``account`` is the cluster's, where known.
    """

    key: Key
    wish: Wish | None
    allow_addon_owned: bool = False
    first_tags: t.Mapping[str, str] = field(default_factory=dict)
    account: str = ""

    @property
    def floored(self) -> list[str]:
        """The options it uses that not every botocore has."""
        return [option for option in FLOORS if getattr(self.wish, option, None) is not None]


def goal(params: t.Mapping[str, t.Any], cluster: str, **extra: t.Any) -> Goal:
    """Read the options of an association, or refuse them before anything is called."""
    key = Key(
        cluster,
        validate.namespace("namespace", params["namespace"]),
        validate.service_account("service_account", params["service_account"]),
    )
    return Goal(key, _wish(params) if params["state"] == "present" else None, **extra)


def _wish(params: t.Mapping[str, t.Any]) -> Wish:
    if not params["role_arn"]:
        raise Refused("role_arn is empty or missing, and state present needs it.")
    target, policy, tags = params["target_role_arn"], params["policy"], params["tags"]
    wish = Wish(
        role_arn=validate.role_arn("role_arn", params["role_arn"]),
        target_role_arn=validate.role_arn("target_role_arn", target) if target else target,
        disable_session_tags=params["disable_session_tags"],
        policy=policy if policy is None else validate.session_policy("policy", policy),
        tags=tags if tags is None else validate.tags("tags", tags),
        purge_tags=params["purge_tags"],
    )
    if wish.policy and wish.disable_session_tags is False:
        raise Refused("policy needs disable_session_tags true, and it is false: EKS limits no session that has tags.")
    return wish


def plan(goal: Goal, found: Found | None) -> Plan:
    """The calls that make ``goal`` true where ``found`` is what EKS holds."""
    if found is not None and found.owner_arn and not goal.allow_addon_owned:
        raise Refused(_owned(goal.key, found.owner_arn))
    if goal.wish is None:
        return _absent(goal.key, found)
    current = found.association if found else Association("", tags=goal.first_tags)
    desired = merge(goal.wish, current)
    _check(goal.key, desired, validate.account_of(found.arn) if found else goal.account)
    after = replace(found, association=desired) if found else Found("", "", desired)
    changes = _update(goal.key, desired, found) if found else (_create(goal.key, desired),)
    return Plan(view(goal.key, found), view(goal.key, after), tuple(changes))


def merge(wish: Wish, current: Association) -> Association:
    """``current`` with what the wish touches."""
    given = {option: value for option in _API if (value := getattr(wish, option)) is not None}
    return replace(current, **given, tags=_merge_tags(wish, current.tags))


def view(key: Key, found: Found | None) -> dict[str, t.Any]:
    """An association in the words that modules return; {} for none, and None for what it lacks or only EKS knows."""
    if found is None:
        return {}
    words = asdict(found.association)
    return {
        "cluster_name": key.cluster,
        "namespace": key.namespace,
        "service_account": key.service_account,
        **{option: words[option] or None for option in ("role_arn", "target_role_arn")},
        "disable_session_tags": words["disable_session_tags"],
        "policy": json.loads(words["policy"]) if words["policy"] else None,
        "tags": dict(words["tags"]),
        "association_arn": found.arn or None,
        "association_id": found.id or None,
        **{fact: getattr(found, fact) or None for fact in ("owner_arn", "external_id", "created_at", "modified_at")},
    }


def describe_owner(owner_arn: str) -> str:
    """``add-on NAME`` for arn:P:eks:REGION:ACCOUNT:addon/CLUSTER/NAME/ID, else the ARN."""
    kind, *parts = owner_arn.split(":", 5)[-1].split("/")
    return f"add-on {parts[1]}" if kind == "addon" and len(parts) > 1 else owner_arn


def _owned(key: Key, owner_arn: str) -> str:
    owner = describe_owner(owner_arn)
    return (
        f"The association of {key} in cluster {key.cluster} is owned by {owner}: change it through {owner},"
        " or set allow_addon_owned true."
    )


def _merge_tags(wish: Wish, current: t.Mapping[str, str]) -> dict[str, str]:
    if wish.tags is None:
        return dict(current)
    if not wish.purge_tags:
        return {**current, **wish.tags}
    return {**{key: value for key, value in current.items() if _is_kept(key)}, **wish.tags}


def _is_kept(tag: str) -> bool:
    return tag == MANAGED_TAG or tag.lower().startswith("aws:")


def _check(key: Key, desired: Association, account: str) -> None:
    if desired.policy and not desired.disable_session_tags:
        raise Refused(
            f"policy needs disable_session_tags true, and for {key} it is false:"
            " set disable_session_tags true, or clear the policy with an empty one."
        )
    if len(desired.tags) > validate.MAX_TAGS:
        raise Refused(f"tags would give {key} {len(desired.tags)} tags, and AWS allows {validate.MAX_TAGS}.")
    if account and validate.account_of(desired.role_arn) != account:
        raise Refused(
            f"role_arn {desired.role_arn} is not of account {account}, which the cluster is in:"
            " give a role of that account, and the other one as target_role_arn."
        )


def _absent(key: Key, found: Found | None) -> Plan:
    if found is None:
        return Plan()
    return Plan(view(key, found), {}, (Change(f"delete_{_RESOURCE}", _address(key, found), f"delete {_name(key)}"),))


def _create(key: Key, desired: Association) -> Change:
    words = {"namespace": key.namespace, "serviceAccount": key.service_account}
    given = {member: value for option, member in _API.items() if (value := getattr(desired, option))}
    tags = {"tags": dict(desired.tags)} if desired.tags else {}
    args = {"clusterName": key.cluster, **words, **given, **tags}
    return Change(f"create_{_RESOURCE}", args, f"create {_name(key)} with role_arn {desired.role_arn}")


def _update(key: Key, desired: Association, found: Found) -> t.Iterator[Change]:
    current = found.association
    fields = {option: value for option in _API if (value := getattr(desired, option)) != getattr(current, option)}
    if fields.get("policy"):
        fields["disable_session_tags"] = True  # EKS may judge the request alone.
    if fields:
        given = {_API[option]: value for option, value in fields.items()}
        purpose = f"update {_name(key)} with role_arn {desired.role_arn}"
        yield Change(f"update_{_RESOURCE}", {**_address(key, found), **given}, purpose)
    stale = sorted(set(current.tags) - set(desired.tags))
    if stale:
        yield Change("untag_resource", {"resourceArn": found.arn, "tagKeys": stale}, f"untag {_name(key)}")
    fresh = {tag: value for tag, value in desired.tags.items() if current.tags.get(tag) != value}
    if fresh:
        yield Change("tag_resource", {"resourceArn": found.arn, "tags": fresh}, f"tag {_name(key)}")


def _address(key: Key, found: Found) -> dict[str, t.Any]:
    return {"clusterName": key.cluster, "associationId": found.id}


def _name(key: Key) -> str:
    return f"the association of service account {key} in cluster {key.cluster}"
