# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import SKIP_LABEL
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.webhook import problem

LABELS = {"app": "orders"}
SPACE = {"kubernetes.io/metadata.name": "shop", "team": "a"}
EKS = {
    "metadata": {"name": "pod-identity-webhook"},
    "webhooks": [
        {
            "name": "iam-for-pods.amazonaws.com",
            "failurePolicy": "Ignore",
            "namespaceSelector": {},
            "objectSelector": {"matchExpressions": [{"key": SKIP_LABEL, "operator": "DoesNotExist"}]},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        }
    ],
}
OTHER = {"metadata": {"name": "vpc-resource-mutating-webhook"}, "webhooks": [{"name": "mpod.vpc.k8s.aws"}]}


def altered(**changes: t.Any) -> t.Any:
    made = copy.deepcopy(EKS)
    t.cast("t.Any", made["webhooks"])[0].update(changes)
    return made


def rule(**changes: t.Any) -> t.Any:
    rules = t.cast("t.Any", EKS["webhooks"])[0]["rules"]
    return altered(rules=[{**rules[0], **changes}])


@pytest.mark.parametrize(
    "configuration",
    [
        EKS,
        rule(operations=["*"], resources=["*"], apiGroups=["*"], apiVersions=["*"]),
        rule(resources=["deployments", "pods/*", "pods"]),
        altered(namespaceSelector={"matchLabels": {"team": "a"}}),
        altered(namespaceSelector={"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}),
        altered(namespaceSelector={"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["c"]}]}),
        altered(objectSelector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        altered(objectSelector=None, namespaceSelector=None),
    ],
)
def test_a_webhook_that_sees_the_pods(configuration: t.Any) -> None:
    assert problem([OTHER, configuration], SPACE, LABELS) == ""


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (OTHER, "no MutatingWebhookConfiguration of the cluster has iam-for-pods.amazonaws.com"),
        ({"metadata": {"name": "pod-identity-webhook"}}, "no MutatingWebhookConfiguration of the cluster has"),
        (rule(operations=["UPDATE"]), "its rules leave out that pods are created"),
        (rule(resources=["services"]), "its rules leave out that pods are created"),
        (rule(apiGroups=["apps"]), "its rules leave out that pods are created"),
        (altered(rules=[]), "its rules leave out that pods are created"),
        (altered(namespaceSelector={"matchLabels": {"team": "b"}}), "its namespaceSelector leaves out namespace shop"),
        (
            altered(namespaceSelector={"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}),
            "its namespaceSelector leaves out namespace shop",
        ),
        (
            altered(namespaceSelector={"matchExpressions": [{"key": "no", "operator": "Exists"}]}),
            "its namespaceSelector leaves out namespace shop",
        ),
        (altered(objectSelector={"matchLabels": {"inject": "yes"}}), "its objectSelector leaves these pods out"),
        (
            altered(objectSelector={"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}),
            "its objectSelector leaves these pods out",
        ),
    ],
)
def test_one_that_does_not(configuration: t.Any, words: str) -> None:
    assert problem([configuration], SPACE, LABELS).startswith(words)


def test_one_good_webhook_is_enough() -> None:
    assert problem([altered(rules=[]), EKS], SPACE, LABELS) == ""
