# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan one Pod Identity association. No boto3, no AnsibleModule, no clock."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field, replace

from .._core import validate
from .._core.plan import Change, Plan, Refused
from .._core.tags import changes as tag_changes
from .._core.tags import merged as merged_tags

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

    @property
    def place(self) -> validate.Place:
        """The service account, wherever its cluster is."""
        return self.namespace, self.service_account


@dataclass(frozen=True)
class Desired:
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
class Observed:
    """An association as EKS holds it; times are ISO 8601, "" is none."""

    arn: str
    id: str
    association: Association
    owner_arn: str = ""
    external_id: str = ""
    created_at: str = ""
    modified_at: str = ""


@dataclass(frozen=True)
class Target:
    """One service account and what shall be true of it; without Desired, it has no association.

    ``first_tags`` are given to an association that has to be created; ``account`` is the cluster's, where known.
    """

    key: Key
    desired: Desired | None
    allow_addon_owned: bool = False
    first_tags: t.Mapping[str, str] = field(default_factory=dict)
    account: str = ""

    @property
    def floored(self) -> list[str]:
        """The options it uses that not every botocore has."""
        return [option for option in FLOORS if getattr(self.desired, option, None) is not None]


def target(params: t.Mapping[str, t.Any], cluster: str, **extra: t.Any) -> Target:
    """Read the options of an association, or refuse them before anything is called."""
    key = Key(
        cluster,
        validate.namespace("namespace", params["namespace"]),
        validate.service_account("service_account", params["service_account"]),
    )
    return Target(key, _desired(params) if params["state"] == "present" else None, **extra)


def _desired(params: t.Mapping[str, t.Any]) -> Desired:
    if not params["role_arn"]:
        raise Refused("role_arn is empty or missing, and state present needs it.")
    target_role, policy, tags = params["target_role_arn"], params["policy"], params["tags"]
    desired = Desired(
        role_arn=validate.role_arn("role_arn", params["role_arn"]),
        target_role_arn=validate.role_arn("target_role_arn", target_role) if target_role else target_role,
        disable_session_tags=params["disable_session_tags"],
        policy=policy if policy is None else validate.session_policy("policy", policy),
        tags=tags if tags is None else validate.tags("tags", tags),
        purge_tags=params["purge_tags"],
    )
    if desired.policy and desired.disable_session_tags is False:
        raise Refused("policy needs disable_session_tags true, and it is false: EKS limits no session that has tags.")
    return desired


def plan(target: Target, observed: Observed | None) -> Plan:
    """The calls that make ``target`` true where ``observed`` is what EKS holds."""
    if observed is not None and observed.owner_arn and not target.allow_addon_owned:
        raise Refused(_owned(target.key, observed.owner_arn))
    if target.desired is None:
        return _absent(target.key, observed)
    current = observed.association if observed else Association("", tags=target.first_tags)
    merged = merge(target.desired, current)
    _check(target.key, merged, validate.account_of(observed.arn) if observed else target.account)
    after = replace(observed, association=merged) if observed else Observed("", "", merged)
    changes = _update(target.key, merged, observed) if observed else (_create(target.key, merged),)
    return Plan(view(target.key, observed), view(target.key, after), tuple(changes))


def merge(desired: Desired, current: Association) -> Association:
    """``current`` with what ``desired`` touches."""
    given = {option: value for option in _API if (value := getattr(desired, option)) is not None}
    return replace(current, **given, tags=merged_tags(desired.tags, current.tags, desired.purge_tags))


def view(key: Key, observed: Observed | None) -> dict[str, t.Any]:
    """An association in the words that modules return; {} for none, and None for what it lacks or only EKS knows."""
    if observed is None:
        return {}
    words = asdict(observed.association)
    return {
        "cluster_name": key.cluster,
        "namespace": key.namespace,
        "service_account": key.service_account,
        **{option: words[option] or None for option in ("role_arn", "target_role_arn")},
        "disable_session_tags": words["disable_session_tags"],
        "policy": json.loads(words["policy"]) if words["policy"] else None,
        "tags": dict(words["tags"]),
        "association_arn": observed.arn or None,
        "association_id": observed.id or None,
        **{fact: getattr(observed, fact) or None for fact in ("owner_arn", "external_id", "created_at", "modified_at")},
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


def _check(key: Key, merged: Association, account: str) -> None:
    if merged.policy and not merged.disable_session_tags:
        raise Refused(
            f"policy needs disable_session_tags true, and for {key} it is false:"
            " set disable_session_tags true, or clear the policy with an empty one."
        )
    if len(merged.tags) > validate.MAX_TAGS:
        raise Refused(f"tags would give {key} {len(merged.tags)} tags, and AWS allows {validate.MAX_TAGS}.")
    if account and validate.account_of(merged.role_arn) != account:
        raise Refused(
            f"role_arn {merged.role_arn} is not of account {account}, which the cluster is in:"
            " give a role of that account, and the other one as target_role_arn."
        )


def _absent(key: Key, observed: Observed | None) -> Plan:
    if observed is None:
        return Plan()
    return Plan(
        view(key, observed), {}, (Change(f"delete_{_RESOURCE}", _address(key, observed), f"delete {_name(key)}"),)
    )


def _create(key: Key, merged: Association) -> Change:
    words = {"namespace": key.namespace, "serviceAccount": key.service_account}
    given = {member: value for option, member in _API.items() if (value := getattr(merged, option))}
    tags = {"tags": dict(merged.tags)} if merged.tags else {}
    args = {"clusterName": key.cluster, **words, **given, **tags}
    return Change(f"create_{_RESOURCE}", args, f"create {_name(key)} with role_arn {merged.role_arn}")


def _update(key: Key, merged: Association, observed: Observed) -> t.Iterator[Change]:
    current = observed.association
    fields = {option: value for option in _API if (value := getattr(merged, option)) != getattr(current, option)}
    if fields.get("policy"):
        fields["disable_session_tags"] = True  # EKS may judge the request alone.
    if fields:
        given = {_API[option]: value for option, value in fields.items()}
        purpose = f"update {_name(key)} with role_arn {merged.role_arn}"
        yield Change(f"update_{_RESOURCE}", {**_address(key, observed), **given}, purpose)
    yield from tag_changes(observed.arn, current.tags, merged.tags, _name(key))


def _address(key: Key, observed: Observed) -> dict[str, t.Any]:
    return {"clusterName": key.cluster, "associationId": observed.id}


def _name(key: Key) -> str:
    return f"the association of service account {key} in cluster {key.cluster}"
