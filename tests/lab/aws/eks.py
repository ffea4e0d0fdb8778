# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EKS API: moto's, extended by add-ons, pod identity associations and the lab's own clusters."""

from __future__ import annotations

import base64
import functools
import threading
import types
import typing as t
import uuid
from pathlib import Path

import moto.eks.urls
import moto.eks.utils
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.eks.models import Cluster, EKSBackend, eks_backends
from moto.eks.responses import EKSResponse

from . import principals
from .addons import Addons, configuration_view, offers_page
from .cluster_versions import versions_page
from .config import ClusterConfig
from .eks_errors import EksError, not_found
from .pod_identity import Associations
from .rest_json import RestJsonErrors
from .state import AccessEntry, Lab
from .validation import check_parameters, check_tags

PLATFORM_VERSION = "eks.12"
LATEST_VERSION = "1.36"
STATUSES = ("CREATING", "ACTIVE", "DELETING", "FAILED", "UPDATING", "PENDING")
NOBODY = "https://127.0.0.1:9"
"""The endpoint of a cluster that can't be reached: the discard port, where nothing listens."""

Json = dict[str, t.Any]


class LabEKSBackend(EKSBackend):
    """The clusters of one account and region. All have the lab's API server behind them."""

    lab: t.ClassVar[Lab]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._addons: dict[str, Addons] = {}
        self._associations: dict[str, Associations] = {}

    @property
    def _url_module(self) -> t.Any:
        return types.SimpleNamespace(url_bases=moto.eks.urls.url_bases, url_paths={"{0}/.*$": LabEKSResponse.dispatch})

    def create_cluster(self, *args: t.Any, **kwargs: t.Any) -> Cluster:
        """Create a cluster that is the lab's API server, ACTIVE at once."""
        cluster = super().create_cluster(*args, **{**kwargs, "version": kwargs.get("version") or LATEST_VERSION})
        access = self.lab.config.kubernetes
        cluster.endpoint = access.host
        cluster.certificate_authority = {"data": base64.b64encode(Path(access.ca_file).read_bytes()).decode()}
        cluster.platformVersion = PLATFORM_VERSION
        if self.lab.config.issuer:
            cluster.identity = {"oidc": {"issuer": self.lab.config.issuer}}
        self._associations[cluster.name] = Associations(self.lab, cluster.arn)
        self._addons[cluster.name] = Addons(self.lab, cluster.arn, cluster.version, self._associations[cluster.name])
        return cluster

    def describe_cluster(self, name: str) -> Cluster:
        """Return a cluster; ResourceNotFoundException."""
        return t.cast(Cluster, self._of(name, self.clusters))

    def delete_cluster(self, name: str) -> Cluster:
        """Delete a cluster with all that belongs to it; ResourceNotFoundException."""
        self.describe_cluster(name)
        cluster = super().delete_cluster(name)
        del self._addons[name], self._associations[name]
        self.lab.creators.pop(cluster.arn, None)
        return cluster

    def associations(self, cluster: str) -> Associations:
        """Return the associations of a cluster; ResourceNotFoundException."""
        return t.cast(Associations, self._of(cluster, self._associations))

    def addons(self, cluster: str) -> Addons:
        """Return the add-ons of a cluster; ResourceNotFoundException."""
        return t.cast(Addons, self._of(cluster, self._addons))

    def addon_arn(self, cluster: str, name: str) -> str | None:
        """Return an add-on's ARN, or None."""
        return self._addons[cluster].arn_of(name) if cluster in self._addons else None

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return the tags of a cluster, add-on or association, to read or change; NotFoundException."""
        for name, cluster in self.clusters.items():
            found: t.Any = cluster if cluster.arn == arn else None
            found = found or self._addons[name].by_arn(arn) or self._associations[name].by_arn(arn)
            if found:
                return t.cast("dict[str, str]", found.tags)
        raise EksError("NotFoundException", "Resource was not found")

    @staticmethod
    def _of(cluster: str, members: dict[str, t.Any]) -> t.Any:
        if cluster not in members:
            raise not_found(f"No cluster found for name: {cluster}.", clusterName=cluster)
        return members[cluster]


class LabEKSResponse(RestJsonErrors, EKSResponse):
    """What the operations answer. Parameters are read as botocore's model says, and checked by it."""

    _one_at_a_time = threading.RLock()

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    @property
    def eks_backend(self) -> LabEKSBackend:
        """The backend of the caller's account and region."""
        return t.cast(LabEKSBackend, eks_backends[self.current_account][self.region])

    def call_action(self) -> t.Any:
        """Answer one request at a time, so that no two see half of a change."""
        with self._one_at_a_time:
            return super().call_action()

    # clusters

    def create_cluster(self) -> ActionResult:
        """Create a cluster, in Auto Mode if asked for."""
        given = self._given("CreateCluster")
        check_tags(given.get("tags") or {})
        result = super().create_cluster()
        cluster = self.eks_backend.clusters[given["name"]]
        cluster.compute_config = given.get("computeConfig") or {"enabled": False}
        creator = t.cast(principals.Principal, principals.find(self.access_key, self.region))
        if (given.get("accessConfig") or {}).get("bootstrapClusterCreatorAdminPermissions", True):
            _admit(self.eks_backend.lab, cluster, creator.role_arn or creator.arn)
        return result

    def update_cluster_config(self) -> ActionResult:
        """Switch Auto Mode on or off, and nothing else; it takes no time."""
        given = self._given("UpdateClusterConfig")
        if set(given) - {"clientRequestToken"} != {"name", "computeConfig"}:
            raise EksError("InvalidParameterException", "The lab updates computeConfig alone")
        self.eks_backend.describe_cluster(given["name"]).compute_config = given["computeConfig"]
        return ActionResult({"update": {"id": str(uuid.uuid4()), "status": "Successful", "type": "AutoModeUpdate"}})

    def describe_cluster_versions(self) -> ActionResult:
        """Show the Kubernetes versions that clusters can have."""
        return _page("clusterVersions", versions_page(self._given("DescribeClusterVersions"), PLATFORM_VERSION))

    # add-ons

    def create_addon(self) -> ActionResult:
        """Begin to install an add-on."""
        given = self._given("CreateAddon")
        addons = self.eks_backend.addons(given["clusterName"])
        return ActionResult({"addon": addons.view(addons.create(given))})

    def describe_addon(self) -> ActionResult:
        """Show an add-on as it is now."""
        given = self._given("DescribeAddon")
        addons = self.eks_backend.addons(given["clusterName"])
        return ActionResult({"addon": addons.view(addons.find(given["addonName"]))})

    def list_addons(self) -> ActionResult:
        """List names."""
        given = self._given("ListAddons")
        return _page("addons", self.eks_backend.addons(given["clusterName"]).list_page(given))

    def update_addon(self) -> ActionResult:
        """Begin to change an add-on."""
        given = self._given("UpdateAddon")
        return ActionResult({"update": self.eks_backend.addons(given["clusterName"]).update(given).view()})

    def delete_addon(self) -> ActionResult:
        """Begin to remove an add-on."""
        given = self._given("DeleteAddon")
        addons = self.eks_backend.addons(given["clusterName"])
        preserve = str(given.get("preserve", "")).lower() == "true"
        return ActionResult({"addon": addons.view(addons.delete(given["addonName"], preserve))})

    def describe_addon_versions(self) -> ActionResult:
        """Show what is on offer."""
        return _page("addons", offers_page(self._given("DescribeAddonVersions")))

    def describe_addon_configuration(self) -> ActionResult:
        """Show how an add-on's version can be configured."""
        given = self._given("DescribeAddonConfiguration")
        return ActionResult(configuration_view(given["addonName"], given["addonVersion"]))

    def describe_update(self) -> ActionResult:
        """Show an update of an add-on (the lab has no others)."""
        given = self._given("DescribeUpdate")
        addons = self.eks_backend.addons(given["name"])
        return ActionResult({"update": addons.find_update(given.get("addonName") or "", given["updateId"]).view()})

    def list_updates(self) -> ActionResult:
        """List the updates of an add-on (a cluster has none in the lab)."""
        given = self._given("ListUpdates")
        return _page("updateIds", self.eks_backend.addons(given["name"]).updates_page(given))

    # pod identity associations

    def create_pod_identity_association(self) -> ActionResult:
        """Bind a service account to a role."""
        given = self._given("CreatePodIdentityAssociation")
        return _association(self.eks_backend.associations(given["clusterName"]).create(given))

    def describe_pod_identity_association(self) -> ActionResult:
        """Show an association in full."""
        given = self._given("DescribePodIdentityAssociation")
        return _association(self.eks_backend.associations(given["clusterName"]).find(given["associationId"]))

    def update_pod_identity_association(self) -> ActionResult:
        """Change an association."""
        given = self._given("UpdatePodIdentityAssociation")
        return _association(self.eks_backend.associations(given["clusterName"]).update(given))

    def delete_pod_identity_association(self) -> ActionResult:
        """Remove an association."""
        given = self._given("DeletePodIdentityAssociation")
        return _association(self.eks_backend.associations(given["clusterName"]).delete(given["associationId"]))

    def list_pod_identity_associations(self) -> ActionResult:
        """List summaries."""
        given = self._given("ListPodIdentityAssociations")
        found, token = self.eks_backend.associations(given["clusterName"]).list_page(given)
        return _page("associations", ([association.summary() for association in found], token))

    # tags

    def tag_resource(self) -> ActionResult:
        """Add or change tags."""
        given = self._given("TagResource")
        tags = self.eks_backend.tags_of(given["resourceArn"])
        merged = {**tags, **given["tags"]}
        check_tags(merged, lambda message: EksError("BadRequestException", message))
        tags.update(merged)
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        """Remove tags; those that aren't there are fine."""
        given = self._given("UntagResource")
        tags = self.eks_backend.tags_of(given["resourceArn"])
        for key in given["tagKeys"]:
            tags.pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        """Show tags."""
        return ActionResult({"tags": dict(self.eks_backend.tags_of(self._given("ListTagsForResource")["resourceArn"]))})

    def _given(self, operation: str) -> Json:
        """Return the request's parameters, checked against the model (InvalidParameterException)."""
        check_parameters(get_service_model("eks").operation_model(operation).input_shape, self.params)
        return t.cast(Json, self.params)


def install(lab: Lab) -> None:
    """Let moto serve this EKS in place of its own, and make the configured clusters."""
    LabEKSBackend.lab = lab
    eks_backends.backend = LabEKSBackend
    # Each cluster that moto makes would parse botocore's list of endpoints anew.
    moto.eks.utils.Session = functools.cache(moto.eks.utils.Session)


def make_cluster(lab: Lab, config: ClusterConfig, creator_arn: str) -> None:
    """Create one cluster as ``config`` says."""
    account = lab.config.account_id
    backend = t.cast(LabEKSBackend, eks_backends[account][config.region])
    cluster = backend.create_cluster(
        name=config.name,
        role_arn=f"arn:{backend.partition}:iam::{account}:role/eks-cluster",
        resources_vpc_config={"subnetIds": ["subnet-1", "subnet-2"], "endpointPublicAccess": True},
        version=config.version,
        tags={},
    )
    pools = {"nodePools": ["general-purpose", "system"]} if config.auto_mode else {}
    cluster.compute_config = {"enabled": config.auto_mode, **pools}
    _admit(lab, cluster, creator_arn)


def every_cluster() -> list[tuple[LabEKSBackend, Cluster]]:
    """Return the clusters of all accounts and regions: one API server is behind them all."""
    regions = [t.cast(LabEKSBackend, one) for account in list(eks_backends.values()) for one in list(account.values())]
    return [(backend, cluster) for backend in regions for cluster in list(backend.clusters.values())]


def change_cluster(arn: str, status: str = "ACTIVE", reachable: bool = True) -> None:
    """Give the cluster another status, or an endpoint where nobody answers; ValueError."""
    found = {cluster.arn: (backend, cluster) for backend, cluster in every_cluster()}
    if arn not in found or status not in STATUSES:
        raise ValueError(f"no cluster {arn}, or no status {status} of a cluster")
    backend, cluster = found[arn]
    cluster.status = status
    cluster.endpoint = backend.lab.config.kubernetes.host if reachable else NOBODY


def delete_cluster(arn: str) -> None:
    """Delete a cluster, whoever asks; KeyError if there is none."""
    _partition, _service, region, account = arn.split(":")[1:5]
    eks_backends[account][region].delete_cluster(arn.rpartition("/")[2])


def _admit(lab: Lab, cluster: Cluster, creator_arn: str) -> None:
    lab.creators[cluster.arn] = AccessEntry(creator_arn, creator_arn, ("system:masters",), cluster.arn)


def _page(key: str, result: tuple[list[t.Any], str | None]) -> ActionResult:
    found, token = result
    return ActionResult({key: found, **({"nextToken": token} if token else {})})


def _association(association: t.Any) -> ActionResult:
    return ActionResult({"association": association.view()})
