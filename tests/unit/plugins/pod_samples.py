# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.containers import HIDDEN


def pod(*env: tuple[str, t.Any], sources: t.Any = (), mounts: t.Any = ()) -> t.Any:
    given = [{"name": name, **(value if isinstance(value, dict) else {"value": value})} for name, value in env]
    container = {"name": "main", "env": given, "envFrom": list(sources), "volumeMounts": list(mounts)}
    return {"spec": {"containers": [container]}}


def key(name: str, of: str = "AWS_ACCESS_KEY_ID", **more: t.Any) -> t.Any:
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": of, **more}}}


FROM_SECRET = {"secretRef": {"name": "aws"}}
CONTENTS = {
    ("Secret", "aws"): {"AWS_ACCESS_KEY_ID": HIDDEN},
    ("Secret", "blank"): {"AWS_ACCESS_KEY_ID": ""},
    ("Secret", "gone"): {},
    ("Secret", "denied"): None,
    ("ConfigMap", "proxy"): {"HTTP_PROXY": "http://p", "NO_PROXY": ".svc"},
}
