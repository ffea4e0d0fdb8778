# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: eks_clusters
version_added: 1.0.0
short_description: The EKS clusters of accounts and regions as an inventory
description:
  - Makes each EKS cluster a host, with the variables that the collection's roles need to reach it.
  - Reads the clusters by C(ListClusters), and one C(DescribeCluster) for each whose name is wanted.
  - The configuration's file name ends with C(eks_clusters.yml) or C(eks_clusters.yaml).
  - Each host has C(eks_cluster_name) and C(eks_region); as far as they apply C(eks_profile), C(eks_assume_role_arn)
    and C(eks_assume_role_external_id); and C(eks_cluster), which is what M(enbuild.eks.eks_cluster_info) returns as
    its cluster.
  - Hosts are grouped as C(account_123456789012), C(region_us_east_1), C(version_1_33), C(status_ACTIVE),
    C(auto_mode) and C(tag_KEY_VALUE), all but the characters of a variable's name replaced. O(keyed_groups),
    O(groups) and O(compose) add more.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [enbuild.eks.eks_clusters]
  regions:
    description: AWS regions to look in. The one in O(region) when left out.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - Accounts to look in. The one of the credentials given, or of O(assume_role_arn), when left out.
      - A cluster that is found in several ways is a host once, by the first.
    type: list
    elements: dict
    default: []
    suboptions:
      profile:
        description: Profile of the AWS configuration, in place of the credentials given.
        type: str
      assume_role_arn:
        description: Role to assume, with that profile or the credentials given.
        type: str
      assume_role_external_id:
        description: External ID that the role asks for.
        type: str
  assume_role_external_id:
    description: External ID that O(assume_role_arn) asks for.
    type: str
    default: ''
  include:
    description: Names of the clusters to take, or patterns such as V(prod-*). All when left out.
    type: list
    elements: str
    default: []
  exclude:
    description: Names or patterns of clusters to leave out.
    type: list
    elements: str
    default: []
  include_tags:
    description:
      - Take only clusters that have all of these tags.
      - A value is a pattern, or a list of which one has to match; empty for a tag of any value.
    type: dict
    default: {}
  exclude_tags:
    description: Leave out clusters that have any of these tags, written as in O(include_tags).
    type: dict
    default: {}
  hostnames:
    description:
      - V(short) is the cluster's name, followed by region, and account if need be, where several clusters share it.
      - V(full) is name, region and account always, which no new cluster elsewhere changes.
    type: str
    choices: [short, full]
    default: short
  strict_accounts:
    description:
      - What to do where an account, a region or a cluster can't be read, for want of a permission or of an answer.
      - V(false) warns, naming it, and goes on with the others; V(true) fails.
    type: bool
    default: false
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - enbuild.eks.attributes.sdk
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
notes:
  - The cache holds what C(DescribeCluster) answered, never credentials, and only where everything could be read.
seealso:
  - module: enbuild.eks.eks_cluster_info
"""

EXAMPLES = r"""
# fleet.eks_clusters.yml: the caller's own account
plugin: enbuild.eks.eks_clusters
regions: [us-east-1, eu-west-1]

---
# Production clusters of three accounts, but for those that someone keeps apart
plugin: enbuild.eks.eks_clusters
regions: [us-east-1, eu-west-1]
accounts:
  - profile: platform
  - assume_role_arn: arn:aws:iam::222222222222:role/operator
    assume_role_external_id: acme
  - assume_role_arn: arn:aws:iam::333333333333:role/operator
    assume_role_external_id: acme
include: ["prod-*"]
exclude_tags:
  enbuild.eks/exclude:
keyed_groups:
  - key: eks_cluster.tags.Team
    prefix: team
groups:
  usable: eks_cluster.status in ['ACTIVE', 'UPDATING']
compose:
  enbuild_ctf_buckets: "['ctf-' ~ eks_cluster.account_id]"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: .ansible/inventory
"""

import hashlib
import typing as t
from dataclasses import asdict

from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase

from ..module_utils._core.plan import Refused
from ..plugin_utils._fleet import clusters
from ..plugin_utils._fleet.reader import Fleet, FleetReader, Observed


class InventoryModule(AWSInventoryBase):
    """Hosts from the plugin's options."""

    NAME = "enbuild.eks.eks_clusters"
    INVENTORY_FILE_SUFFIXES = ("eks_clusters.yml", "eks_clusters.yaml")

    class TemplatedOptions(AWSInventoryBase.TemplatedOptions):
        """The options that may be templates: single texts. Of templated lists ansible-core warns."""

        TEMPLATABLE_OPTIONS = ("access_key", "secret_key", "session_token", "profile", "assume_role_arn", "region")

    def _do_fail(self, message: str) -> t.NoReturn:
        raise AnsibleParserError(message)

    def _set_frozen_credentials(self) -> None:
        """Assume no role here: the reader does, account by account."""

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Read the configuration, the cache or AWS, and add the hosts."""
        super().parse(inventory, loader, path, cache=cache)
        try:
            self._prepare()
        except Refused as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        found = clusters.once(self._found(path, cache))
        wanted = [one for one in found if self._choice.by_tags(one[1]["tags"])]
        full = self.get_option("hostnames") == "full"
        for name, one in zip(clusters.host_names([cluster for _way, cluster in wanted], full), wanted, strict=True):
            self._add(name, clusters.host_variables(*one))

    def _prepare(self) -> None:
        default = {key: self.get_option(key) or "" for key in clusters.ACCOUNT_KEYS}
        listed = self.get_option("accounts")
        self._accounts = clusters.accounts(listed or [], clusters.Account() if listed else clusters.account(**default))
        self._regions = self.get_option("regions") or [self.region]
        if not all(self._regions):
            raise Refused("no region is given: set regions, region or AWS_REGION")
        names = [tuple(map(str, self.get_option(key) or ())) for key in ("include", "exclude")]
        tags = [clusters.tag_patterns(self.get_option(key)) for key in ("include_tags", "exclude_tags")]
        self._choice = clusters.Choice(names[0], names[1], tags[0], tags[1])

    def _found(self, path: str, cache: bool) -> list[Observed]:
        """Return the clusters that the cache holds, or else AWS."""
        key = self._key(path)
        kept = self._cache.get(key) if cache and self.get_option("cache") else None
        if kept is not None:
            return [(clusters.Account(**one["account"]), one["cluster"]) for one in kept]
        fleet = FleetReader(self.client, self._choice).read(self._accounts, self._regions)
        self._tell(fleet.problems)
        self._keep(key, fleet)
        return fleet.found

    def _key(self, path: str) -> str:
        """One entry for each file and what it asks AWS for; tags are looked at after the cache."""
        asked = repr((self._accounts, self._regions, self._choice.include, self._choice.exclude))
        return str(self.get_cache_key(path)) + hashlib.sha256(asked.encode()).hexdigest()[:12]

    def _tell(self, problems: list[str]) -> None:
        if problems and self.get_option("strict_accounts"):
            self.fail_aws("; ".join(problems))
        for problem in problems:
            self.warn(problem)

    def _keep(self, key: str, fleet: Fleet) -> None:
        """Keep a whole answer only: what is missing today would be missing until the cache ends."""
        if self.get_option("cache") and not fleet.problems:
            self._cache[key] = [{"account": asdict(way), "cluster": cluster} for way, cluster in fleet.found]

    def _add(self, host: str, variables: dict[str, t.Any]) -> None:
        self.inventory.add_host(host)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        for group in clusters.groups(variables["eks_cluster"]):
            name = to_safe_group_name(group, force=True, silent=True)
            self.inventory.add_child(self.inventory.add_group(name), host)
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)
