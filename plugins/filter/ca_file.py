# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ca_file
version_added: 1.0.0
short_description: A cluster's certificate authority as a file
description:
  - Writes a certificate authority to a file for options that take a path, such as C(ca_cert) of the modules of
    kubernetes.core.
  - The file is in Ansible's temporary folder on the controller. Ansible deletes the folder when the run ends.
  - The same certificate authority always gives the same path.
author:
  - The enbuild.eks contributors (@enbuild)
positional: _input
options:
  _input:
    description: PEM in base64, as RV(enbuild.eks.eks_cluster_info#module:cluster.certificate_authority) has it.
    type: str
    required: true
notes:
  - The file is on the controller, so use it in tasks that run there, with C(connection=local).
"""

EXAMPLES = r"""
- name: List the cluster's nodes
  kubernetes.core.k8s_info:
    host: "{{ eks.cluster.endpoint }}"
    ca_cert: "{{ eks.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', eks.cluster.name, region=eks.cluster.region) }}"
    kind: Node
"""

RETURN = r"""
_value:
  description: Path of the file.
  type: str
"""

import base64
import binascii
import hashlib
import os
import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._core.temporary import path_of, write


def ca_file(data: str) -> str:
    """Return the path of a file with the PEM that ``data``, base64, holds."""
    try:
        pem = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"ca_file takes PEM in base64, as DescribeCluster gives it: {error}") from error
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        raise AnsibleFilterError("ca_file takes PEM in base64, and this holds no certificate")
    path = path_of(f"ca-{hashlib.sha256(pem).hexdigest()}.pem")
    if not os.path.exists(path):
        write(path, pem)
    return path


class FilterModule:
    """Filters by name."""

    def filters(self) -> dict[str, t.Any]:
        return {"ca_file": ca_file}
