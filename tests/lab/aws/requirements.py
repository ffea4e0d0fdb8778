# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which permissions a call needs, on which resources, as in AWS's service authorization reference."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from moto.eks.models import eks_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from .conditions import Context
from .operations import Call
from .principals import Principal

POD_IDENTITY_SERVICE = "pods.eks.amazonaws.com"


@dataclass(frozen=True)
class Requirement:
    """One permission: an action on a resource, with the condition keys that belong to it alone."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


def required(call: Call, principal: Principal) -> list[Requirement]:
    """Return every permission that ``call`` needs; none for GetCallerIdentity, which nobody can be denied."""
    if (call.service, call.name) == ("sts", "GetCallerIdentity"):
        return []
    by_service: dict[str, t.Callable[[Call, Principal], t.Iterable[Requirement]]] = {
        "eks": _eks,
        "eks-auth": _eks_auth,
        "iam": _iam,
        "s3": _s3,
        "sts": _sts,
        "bedrock": _bedrock,
        "bedrock-runtime": _bedrock,
        "secretsmanager": _secrets,
    }
    return list(by_service.get(call.service, _other)(call, principal))


def _other(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    yield Requirement(f"{call.service}:{call.name}")


# EKS

_PASSES_ROLES = {"CreatePodIdentityAssociation", "UpdatePodIdentityAssociation", "CreateAddon", "UpdateAddon"}
_OF_ADDON = {"DescribeAddon", "UpdateAddon", "DeleteAddon"}
_OF_ASSOCIATION = {"DescribePodIdentityAssociation", "UpdatePodIdentityAssociation", "DeletePodIdentityAssociation"}
_OF_NOTHING = {"ListClusters", "DescribeClusterVersions", "DescribeAddonVersions", "DescribeAddonConfiguration"}
_CREATED = {
    "CreateCluster": "cluster/{name}",
    "CreateAddon": "addon/{clusterName}/{addonName}/*",
    "CreatePodIdentityAssociation": "podidentityassociation/{clusterName}/*",
}


def _eks(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    given = call.parameters
    yield Requirement(f"eks:{call.name}", _eks_resource(call, principal))
    if given.get("tags") and call.name in _CREATED:
        yield Requirement("eks:TagResource", _eks_arn(call, principal, _CREATED[call.name].format(**given)))
    if call.name in _PASSES_ROLES:
        associations = given.get("podIdentityAssociations") or []
        for role_arn in filter(None, [given.get("roleArn"), *(item.get("roleArn") for item in associations)]):
            yield Requirement("iam:PassRole", role_arn, {"iam:PassedToService": POD_IDENTITY_SERVICE})


def _eks_resource(call: Call, principal: Principal) -> str:
    given = call.parameters
    if call.name in _OF_NOTHING:
        return "*"
    if "resourceArn" in given:
        return str(given["resourceArn"])
    cluster = given.get("clusterName", given.get("name", "*"))
    path = f"cluster/{cluster}"
    if call.name in _OF_ADDON:
        return _addon_arn(call, principal, cluster, given.get("addonName", "*"))
    if call.name in _OF_ASSOCIATION:
        path = f"podidentityassociation/{cluster}/{given.get('associationId', '*')}"
    return _eks_arn(call, principal, path)


def _addon_arn(call: Call, principal: Principal, cluster: str, name: str) -> str:
    backend: t.Any = eks_backends[principal.account_id][call.region]
    return str(backend.addon_arn(cluster, name) or _eks_arn(call, principal, f"addon/{cluster}/{name}/*"))


def _eks_arn(call: Call, principal: Principal, path: str) -> str:
    return f"arn:{get_partition(call.region)}:eks:{call.region}:{principal.account_id}:{path}"


def _eks_auth(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    cluster = call.parameters.get("clusterName", "*")
    yield Requirement(f"eks-auth:{call.name}", _eks_arn(call, principal, f"cluster/{cluster}"))


# IAM and STS

_IAM_NAMES = {
    "InstanceProfileName": "instance-profile",
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
}
_IAM_LISTS = {"ListRoles", "ListUsers", "ListGroups", "ListPolicies", "ListInstanceProfiles"}


def _iam(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    given = call.parameters
    resource = _iam_resource(call, principal)
    extra = {"iam:PolicyARN": given["PolicyArn"]} if "PolicyArn" in given else {}
    yield Requirement(f"iam:{call.name}", resource, extra)
    if given.get("Tags") and call.name in {"CreateRole", "CreateUser", "CreatePolicy"}:
        yield Requirement(f"iam:Tag{call.name[len('Create') :]}", resource)


def _iam_resource(call: Call, principal: Principal) -> str:
    given = call.parameters
    if call.name in _IAM_LISTS:
        return "*"
    for parameter, kind in _IAM_NAMES.items():
        if parameter in given:
            return _iam_arn(call, principal, kind, given[parameter])
    for parameter in ("PolicyArn", "OpenIDConnectProviderArn", "PolicySourceArn"):
        if parameter in given:
            return str(given[parameter])
    if call.name == "CreatePolicy":
        return _iam_arn(call, principal, "policy", given.get("PolicyName", "*"))
    return principal.arn if call.name == "GetUser" else "*"


def _iam_arn(call: Call, principal: Principal, kind: str, name: str) -> str:
    partition = get_partition(call.region)
    backend = iam_backends[principal.account_id][partition]
    owners: dict[str, t.Iterable[t.Any]] = {"role": list(backend.roles.values()), "user": list(backend.users.values())}
    for owner in owners.get(kind, ()):
        if owner.name == name:
            return str(owner.arn)
    path = call.parameters.get("Path", "/")
    return f"arn:{partition}:iam::{principal.account_id}:{kind}{path}{name}"


def _sts(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    role_arn = call.parameters.get("RoleArn", "*")
    yield Requirement(f"sts:{call.name}", role_arn)
    if call.parameters.get("Tags") or (call.name == "AssumeRole" and principal.transitive):
        yield Requirement("sts:TagSession", role_arn)


# S3 and Bedrock

_S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def _s3(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    given = call.parameters
    bucket, key = given.get("Bucket"), given.get("Key")
    action = f"s3:{_S3_ACTIONS.get(call.name, call.name)}"
    arn = f"arn:{get_partition(call.region)}:s3:::{bucket}"
    if call.name == "DeleteObjects":
        for item in given.get("Delete", {}).get("Objects", []):
            yield Requirement(action, f"{arn}/{item['Key']}")
    elif call.name == "ListBuckets" or not bucket:
        yield Requirement(action)
    else:
        extra = {"s3:prefix": given["Prefix"]} if "Prefix" in given else {}
        yield Requirement(action, f"{arn}/{key}" if key else arn, extra)


_INVOCATIONS = {"Converse": "InvokeModel", "ConverseStream": "InvokeModelWithResponseStream"}


def _bedrock(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    model = call.parameters.get("modelId")
    resource = _profile_arn(call, principal) if call.name == "GetInferenceProfile" else "*"
    if model:
        resource = model if model.startswith("arn:") else _model_arn(call.region, model)
    yield Requirement(f"bedrock:{_INVOCATIONS.get(call.name, call.name)}", resource)


def _profile_arn(call: Call, principal: Principal) -> str:
    profile = str(call.parameters["inferenceProfileIdentifier"])
    partition = principal.arn.split(":")[1]
    own = f"arn:{partition}:bedrock:{call.region}:{principal.account_id}:inference-profile/{profile}"
    return profile if profile.startswith("arn:") else own


def _secrets(call: Call, principal: Principal) -> t.Iterator[Requirement]:
    """A secret's ARN ends in six characters that AWS chooses; a request by name is about whichever they are."""
    secret, resource = call.parameters.get("SecretId"), "*"
    if secret:
        place = f"arn:{get_partition(call.region)}:secretsmanager:{call.region}:{principal.account_id}:secret"
        resource = secret if secret.startswith("arn:") else f"{place}:{secret}-??????"
    yield Requirement(f"secretsmanager:{call.name}", resource)


def _model_arn(region: str, model: str) -> str:
    return f"arn:{get_partition(region)}:bedrock:{region}::foundation-model/{model}"
