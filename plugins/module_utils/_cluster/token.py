# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS bearer tokens: a presigned sts:GetCallerIdentity that names the cluster in a signed header."""

from __future__ import annotations

import base64
import typing as t

PREFIX = "k8s-aws-v1."
HEADER = "x-k8s-aws-id"
URL_SECONDS = 60
"""Lifetime written into the URL; the API server counts 15 minutes from its date whatever this says."""


def cluster_token(sts: t.Any, cluster_name: str) -> str:
    """Return a bearer token for ``cluster_name``, signed by the credentials of ``sts``, a boto3 STS client.

    Makes no call. Raises botocore's errors, for example where there are no credentials.
    """

    def name_cluster(request: t.Any, **_unused: t.Any) -> None:
        request.headers[HEADER] = cluster_name

    event = "before-sign.sts.GetCallerIdentity"
    sts.meta.events.register(event, name_cluster)
    try:
        url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=URL_SECONDS, HttpMethod="GET")
    finally:
        sts.meta.events.unregister(event, name_cluster)
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
