# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm releases in states that no Helm leaves willingly."""

from __future__ import annotations

import base64
import gzip
import json

from ansible_collections.enbuild.eks.tests.lab.labs import Lab


def set_status(lab: Lab, namespace: str, status: str) -> None:
    """Leave the latest release of ``namespace`` as a Helm does that was killed in the middle, or as it was before."""
    secret = lab.kubectl("get", "secret", "-n", namespace, "-l", "owner=helm", "-o", "name").split()[-1]
    data = json.loads(lab.kubectl("get", secret, "-n", namespace, "-o", "json"))["data"]["release"]
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    release["info"]["status"] = status
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    patch = {"data": {"release": packed}, "metadata": {"labels": {"status": status}}}
    lab.kubectl("patch", secret, "-n", namespace, "--type=merge", "-p", json.dumps(patch))
