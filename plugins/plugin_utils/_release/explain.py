# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the cluster why a release's pods aren't ready. No decisions."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.plan import Refused
from .model import Target
from .unready import PLURALS, Seen, unready

STRAYS = "K8S_AUTH_"
"""Beginning of the variables by which the environment would lead kubernetes.core to another cluster."""


def unready_pods(kubeconfig: str, context: str) -> t.Callable[[Target], str]:
    """Return a function that says which pods of a release aren't ready, and why; "" where that can't be read."""

    def explain(release: Target) -> str:
        try:
            return unready(release, _seen(release, kubeconfig, context))
        except Refused as error:
            return f"Its pods can't be read: {error}"

    return explain


def _seen(release: Target, kubeconfig: str, context: str) -> Seen:
    # Only a failure needs them, and they take a second.
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

    from ...module_utils._kubernetes.api import connect

    for name in [name for name in os.environ if name.startswith(STRAYS)]:
        del os.environ[name]  # This process is one task's.
    given = {**dict.fromkeys(AUTH_ARG_SPEC), "kubeconfig": kubeconfig or None, "context": context or None}
    cluster = connect(given, {release.namespace})
    return Seen(
        cluster.objects("pods"),
        cluster.objects("replicasets"),
        [{**item, "kind": kind} for plural, kind in PLURALS.items() for item in cluster.objects(plural)],
        cluster.allowed_objects("events") or (),
    )
