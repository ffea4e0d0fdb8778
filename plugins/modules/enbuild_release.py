#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: enbuild_release
version_added: 1.0.0
short_description: Install, upgrade or remove the enbuild Helm release
description:
  - Merges the release's values, the user's values and the guide's switches, and compares them with the release. If
    nothing differs, it needs no chart and no chart repository.
  - If something differs, it runs C(helm upgrade --install). In check mode it renders the release instead.
  - A release whose last attempt failed is upgraded once more, even with equal values.
  - The release keeps its chart version unless O(chart_version) is set. A chart older than 0.0.38 is refused, because
    it has no service accounts. A release that an earlier Helm run left pending is refused too, with the command that
    helps.
  - Values never appear in a result, a message, a diff or on a command line. Differences are shown by path.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  name:
    description: Name of the release.
    type: str
    default: enbuild
  namespace:
    description: Namespace of the release. It is created if missing, and never removed.
    type: str
    default: enbuild
  state:
    description:
      - Whether the release should exist.
      - V(unmanaged) leaves it alone, whatever it is, and asks neither Helm nor the cluster. It is for a playbook whose
        variables decide whether there is a release to manage.
    type: str
    choices: [present, absent, unmanaged]
    default: present
  chart:
    description: Name of the chart in the repository, or a path or an oci:// reference, which need no repository.
    type: str
    default: enbuild
  chart_repository_url:
    description: URL of the chart repository. Every Helm call gets it, so C(helm repo add) is not needed.
    type: str
    default: https://vivsoftorg.github.io/enbuild
  chart_version:
    description:
      - Version of the chart, or a range of versions, at least 0.0.38.
      - When left out, an installed release keeps its version, and a first installation takes the newest.
    type: str
    default: ''
  values_from:
    description:
      - Names of variables that hold Helm values, as a dictionary or as YAML text of one. Later ones override earlier
        ones.
      - The option takes names instead of values, because Ansible can store a task's arguments with its result. An
        undefined variable counts as empty.
    type: list
    elements: str
    default: []
  values_files:
    description: Files of Helm values on the controller, which O(values_from) overrides. ansible-vault may have
      encrypted them.
    type: list
    elements: str
    default: []
  ai:
    description:
      - Whether to enable the AI service, with a service account of its own. Not changed when left out.
    type: bool
  ctf:
    description: Whether to enable the CTF service, with a service account of its own. Not changed when left out.
    type: bool
  host_network:
    description: Whether the CTF service runs in its node's network. Not changed when left out.
    type: bool
  install:
    description: Whether to install a missing release. With V(false), only an installed release is changed.
    type: bool
    default: true
  wait:
    description: Whether to wait until the release's workloads are ready, or with O(state=absent) until they are
      deleted.
    type: bool
    default: true
  timeout:
    description: How long Helm waits, in Helm's notation.
    type: str
    default: 10m
  helm:
    description: Path of the helm binary on the controller.
    type: str
    default: helm
  kube_version:
    description: Kubernetes version that a prediction in check mode is rendered for, such as C(1.33).
    type: str
    default: ''
  kubeconfig:
    description: Path of a kubeconfig on the controller. Helm's own default when left out.
    type: str
    default: ''
  context:
    description: Context of the kubeconfig.
    type: str
    default: ''
attributes:
  check_mode:
    description: Reports what a real run would change, and renders it; changes nothing.
    support: full
  diff_mode:
    description: Shows what differs by its path, without values.
    support: full
requirements:
  - Helm 3.14 or newer, or Helm 4, on the controller
notes:
  - It runs on the controller, whatever the connection.
seealso:
  - plugin: enbuild.eks.cluster_kubeconfig
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read how to reach the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
  register: eks

- name: Show what an installation with two replicas of the UI would change
  enbuild.eks.enbuild_release:
    ai: true
    ctf: true
    chart_repository_url: "{{ chart_repository_url | default('https://vivsoftorg.github.io/enbuild') }}"
    values_from: [my_values]
    kube_version: "{{ eks.cluster.version }}"
    kubeconfig: "{{ kubeconfig }}"
  check_mode: true
  vars: &access
    my_values: {enbuildUI: {replicas: 2}}
    kubeconfig: >-
      {{ lookup('enbuild.eks.cluster_kubeconfig', 'production', region='us-east-1', endpoint=eks.cluster.endpoint,
                certificate_authority=eks.cluster.certificate_authority) }}

- name: Remove the release
  enbuild.eks.enbuild_release:
    state: absent
    kubeconfig: "{{ kubeconfig }}"
  vars: *access
"""

RETURN = r"""
managed:
  description: Whether the release was looked at; V(false) with O(state=unmanaged).
  returned: always
  type: bool
  sample: true
name:
  description: Namespace and name of the release.
  returned: always
  type: str
  sample: enbuild/enbuild
action:
  description: What was done, or in check mode would be - create, update or delete; empty for nothing.
  returned: always
  type: str
  sample: update
what:
  description: What differs - the chart, the status of a failed release, and values by their paths.
  returned: always
  type: list
  elements: str
  sample: [value enbuildAI.serviceAccount.create]
release:
  description: The release as it was before; empty where there was none.
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: enbuild
    namespace:
      description: Its namespace.
      type: str
      sample: enbuild
    status:
      description: Its status, in Helm's words.
      type: str
      sample: deployed
    revision:
      description: Number of its last revision.
      type: int
      sample: 3
    chart_version:
      description: Version of its chart.
      type: str
      sample: 0.0.46
manifests_file:
  description:
    - In check mode, the path of a file with what the release would be; empty where nothing would change.
    - It is in Ansible's temporary folder on the controller, only its owner may read it, and it goes when the run ends.
  returned: always
  type: str
  sample: ~/.ansible/tmp/ansible-local-4711/manifests.yaml
"""
