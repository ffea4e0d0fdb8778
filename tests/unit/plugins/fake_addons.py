# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add-ons beside the associations of FakeEks: they take a number of looks to change, and can fail."""

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.tests.unit.plugins.fake_eks import ACCOUNT, FakeEks
from botocore.exceptions import ClientError

OFFERS: dict[str, dict[str, tuple[str, ...]]] = {
    "coredns": {
        "v1.10.1-eksbuild.1": ("1.35",),
        "v1.9.3-eksbuild.10": ("1.35", "1.36"),
        "v1.9.3-eksbuild.9": ("1.36",),
    },
    "other": {"v1.0.0-eksbuild.1": ("1.35", "1.36")},
}
"""Versions with the Kubernetes versions that they are for; the last that is for a Kubernetes version is its default."""

SCHEMA = '{"type": "object", "properties": {"replicas": {"type": "integer"}}, "additionalProperties": false}'


def error(operation: str, code: str, message: str) -> ClientError:
    """What EKS answers to a request that it refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeAddons(FakeEks):
    """Holds the add-ons of a cluster that runs Kubernetes 1.36.

    ``looks`` is how often an add-on is seen busy before it has changed, ``fate`` the status and issue codes that the
    next changes end in, ``missing`` what is said of roles that IAM doesn't have, ``asked`` the roles in question.
    """

    def __init__(self) -> None:
        super().__init__()
        self.addons: dict[str, dict[str, t.Any]] = {}
        self.looks = 0
        self.fate: list[tuple[str, list[str]]] = []
        self.missing: dict[str, str] = {}
        self.asked: list[str] = []

    def missing_role(self, arn: str) -> str:
        """What IAM says of a role."""
        self.asked.append(arn)
        return self.missing.get(arn, "")

    def begin(self, name: str, status: str) -> None:
        """Let an add-on be busy, as after a change that somebody else made."""
        self.addons[name].update(status=status, looks=self.looks, end=self._end())

    def create_addon(self, addonName: str, **given: t.Any) -> dict[str, t.Any]:
        if addonName in self.addons:
            raise error("CreateAddon", "ResourceInUseException", "Addon already exists.")
        if given.get("resolveConflicts") == "PRESERVE":
            raise error(
                "CreateAddon", "InvalidParameterException", "Resolve conflicts option preserve is not supported"
            )
        arn = f"arn:aws:eks:eu-west-1:{ACCOUNT}:addon/prod/{addonName}/1"
        self.addons[addonName] = {
            "addonName": addonName,
            "clusterName": "prod",
            "addonArn": arn,
            "tags": {},
            "publisher": "eks",
        }
        self._take(addonName, given)
        self.begin(addonName, "CREATING")
        return {"addon": self._view(addonName)}

    def update_addon(self, addonName: str, **given: t.Any) -> dict[str, t.Any]:
        status = self.addons[addonName]["status"]
        if status in ("CREATING", "UPDATING", "DELETING", "CREATE_FAILED"):
            message = f"Addon {addonName} cannot be updated as it is currently in {status} state"
            raise error("UpdateAddon", "ResourceInUseException", message)
        # As an EKS that takes what is left out for what is not wanted.
        self.addons[addonName].pop("serviceAccountRoleArn", None)
        self.begin(addonName, "UPDATING")
        self._take(addonName, given)
        return {"update": {"id": "u-1", "status": "InProgress"}}

    def delete_addon(self, addonName: str, preserve: bool = False) -> dict[str, t.Any]:
        self.addons[addonName]["preserve"] = preserve
        self.begin(addonName, "DELETING")
        return {"addon": self._view(addonName)}

    def describe_addon(self, addonName: str) -> dict[str, t.Any]:
        found = self.addons[addonName]
        if found["status"] in ("CREATING", "UPDATING", "DELETING", "DEGRADED"):
            found["looks"] -= 1
            if found["looks"] < 0:
                self._finish(addonName)
        return {"addon": self._view(addonName)}

    def list_addons(self) -> dict[str, t.Any]:
        return {"addons": list(self.addons)}

    def describe_update(self, name: str, addonName: str, updateId: str) -> dict[str, t.Any]:
        found = self.describe_addon(addonName)["addon"]
        status = {"UPDATING": "InProgress", "UPDATE_FAILED": "Failed"}.get(found["status"], "Successful")
        issues = found["health"]["issues"] if status == "Failed" else []
        errors = [{"errorCode": issue["code"], "errorMessage": issue["message"]} for issue in issues]
        return {"update": {"id": updateId, "status": status, "errors": errors}}

    def describe_addon_versions(self, addonName: str = "") -> dict[str, t.Any]:
        if addonName and addonName not in OFFERS:
            raise error("DescribeAddonVersions", "InvalidParameterException", "Addon specified is not supported")
        return {"addons": [_offer(name) for name in OFFERS if addonName in ("", name)]}

    def describe_addon_configuration(self, addonName: str, addonVersion: str) -> dict[str, t.Any]:
        return {"addonName": addonName, "addonVersion": addonVersion, "configurationSchema": SCHEMA}

    def describe_cluster(self, name: str) -> dict[str, t.Any]:
        return {"cluster": {"name": name, "version": "1.36"}}

    def tag_resource(self, resourceArn: str, tags: dict[str, str]) -> dict[str, t.Any]:
        self.addons[resourceArn.split("/")[2]]["tags"].update(tags)
        return {}

    def untag_resource(self, resourceArn: str, tagKeys: list[str]) -> dict[str, t.Any]:
        for key in tagKeys:
            del self.addons[resourceArn.split("/")[2]]["tags"][key]
        return {}

    def _end(self) -> tuple[str, list[str]]:
        return self.fate.pop(0) if self.fate else ("ACTIVE", [])

    def _finish(self, name: str) -> None:
        found = self.addons[name]
        if found["status"] == "DELETING":
            self._bind(name, [])
            del self.addons[name]
            raise KeyError(name)
        found["status"], codes = found["end"]
        found["issues"] = [{"code": code, "message": f"{code} it is."} for code in codes]
        if found["status"] == "DEGRADED":
            found.update(looks=self.looks, end=self._end())

    def _take(self, name: str, given: dict[str, t.Any]) -> None:
        found = self.addons[name]
        bindings = given.pop("podIdentityAssociations", None)
        if bindings is not None:
            self._bind(name, bindings)
        found.update({key: value for key, value in given.items() if key != "resolveConflicts"})
        found.setdefault("namespaceConfig", {"namespace": "kube-system"})

    def _bind(self, name: str, bindings: list[dict[str, str]]) -> None:
        for arn in self._owned(name):
            del self.associations[arn.rpartition("/")[2]]
        for binding in bindings:
            self.put(namespace="kube-system", ownerArn=name, **binding)

    def _owned(self, name: str) -> list[str]:
        return [a["associationArn"] for a in self.associations.values() if a.get("ownerArn") == name]

    def _view(self, name: str) -> dict[str, t.Any]:
        found = {k: v for k, v in self.addons[name].items() if k not in ("looks", "end", "issues", "preserve")}
        health = {"issues": self.addons[name].get("issues", [])}
        return {**found, "health": health, "podIdentityAssociations": self._owned(name)}


def _offer(name: str) -> dict[str, t.Any]:
    defaults = {version: offered for offered, versions in OFFERS[name].items() for version in versions}
    versions = [
        {
            "addonVersion": offered,
            "compatibilities": [{"clusterVersion": v, "defaultVersion": defaults[v] == offered} for v in versions],
        }
        for offered, versions in OFFERS[name].items()
    ]
    return {"addonName": name, "addonVersions": versions, "defaultNamespace": "kube-system", "publisher": "eks"}
