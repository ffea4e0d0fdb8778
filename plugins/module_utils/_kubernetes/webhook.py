# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the API server asks EKS's admission webhook about a workload's pods. Pure."""

from __future__ import annotations

import typing as t

from .pods import Object
from .selectors import Labels, selects

CONFIGURATION = "pod-identity-webhook"
"""The MutatingWebhookConfiguration that EKS makes with every cluster."""
WEBHOOK = "iam-for-pods.amazonaws.com"
CREATED_PODS = {"operations": "CREATE", "apiGroups": "", "apiVersions": "v1", "resources": "pods"}
"""What one of its rules has to name, or ``*``."""


def problem(configurations: t.Iterable[Object], namespace: Labels, pod: Labels) -> str:
    """Why the API server doesn't ask the webhook about pods with these labels; "" when it does.

    ``configurations`` are all MutatingWebhookConfigurations of the cluster, ``namespace`` the namespace's labels.
    """
    hooks = [hook for each in configurations for hook in each.get("webhooks") or () if hook.get("name") == WEBHOOK]
    if not hooks:
        return f"no MutatingWebhookConfiguration of the cluster has {WEBHOOK}"
    problems = [_problem(hook, namespace, pod) for hook in hooks]
    return "" if "" in problems else problems[0]


def _problem(hook: Object, namespace: Labels, pod: Labels) -> str:
    if not any(_names_created_pods(rule) for rule in hook.get("rules") or ()):
        return "its rules leave out that pods are created"
    if not selects(hook.get("namespaceSelector"), namespace):
        return f"its namespaceSelector leaves out namespace {namespace.get('kubernetes.io/metadata.name', '')}".rstrip()
    if not selects(hook.get("objectSelector"), pod):
        return "its objectSelector leaves these pods out"
    return ""


def _names_created_pods(rule: Object) -> bool:
    return all({value, "*"} & set(rule.get(key) or ()) for key, value in CREATED_PODS.items())
