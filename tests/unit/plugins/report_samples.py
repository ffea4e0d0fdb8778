# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters as enbuild.eks.pod_identity_workload_info describes them: healthy, broken, large, hostile."""

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._identity.ladder import RUNGS
from ansible_collections.enbuild.eks.plugins.plugin_utils._report.identity import report

Item = dict[str, t.Any]

ACCOUNT = "123456789012"
CLUSTER = {
    "name": "production",
    "arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/production",
    "region": "us-east-1",
    "account_id": ACCOUNT,
    "version": "1.36",
    "status": "ACTIVE",
}
TIME = "2026-11-23T09:30:00Z"
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">{{ 7*7 }}'\"&amp;"

TEAMS = ("billing", "catalog", "checkout", "data", "enbuild", "feed", "identity", "jobs", "media", "orders", "search")
PARTS = ("api", "worker", "gateway", "cache", "importer", "exporter", "scheduler", "frontend", "indexer", "notifier")


def finding(code: str, severity: str, target: str, message: str, remedy: str = "kubectl get pods -n shop") -> Item:
    return {"code": code, "severity": severity, "object": target, "message": message, "remedy": remedy}


def workload(name: str, namespace: str = "shop", rung: str = "allowed", **changes: t.Any) -> Item:
    """A workload that has climbed to ``rung`` and failed at the next."""
    height, role = RUNGS.index(rung), f"arn:aws:iam::{ACCOUNT}:role/{namespace}-{name}"
    association = {
        "association_id": f"a-{name[:14]:0<14}",
        "role_arn": role,
        "target_role_arn": None,
        "owner_arn": None,
    }
    pods = [pod(f"{name}-6d4cf56db6-{number}x2m8", name, namespace, height > 1) for number in range(2)]
    return {
        "name": name,
        "namespace": namespace,
        "kind": "Deployment",
        "object": name,
        "exists": True,
        "service_account": name,
        "role_arn": role,
        "association": association if height else None,
        "rung": rung,
        "rungs": {step: True if at <= height else (False if at == height + 1 else None) for at, step in _steps()},
        "injected_now": True,
        "untried": "",
        "pods": pods,
        "pods_injected": sum(each["injected"] for each in pods),
        "restart": [],
        "restartable": [],
        "unmanaged_pods": [],
        "issued": {"how": "eks_auth", "assumed_role_arn": role, "tool": ""} if height > 2 else None,
        "pod_asked": {"agrees": True, "how": "exec", "assumed_role_arn": role, "tool": "curl"} if height > 2 else None,
        "allowed": [] if height < 3 else [check(height > 3)],
        "role": {"arn": role, "exists": True, "trust_problem": "", "policies": [f"{namespace}-{name}"]},
        "stopped_by": "" if height == len(RUNGS) - 1 else f"{RUNGS[height + 1]} does not hold",
        "findings": [],
        **changes,
    }


def _steps() -> list[tuple[int, str]]:
    return list(enumerate(RUNGS))[1:]


def check(allowed: bool | None) -> Item:
    code = "" if allowed else "AccessDeniedException"
    return {"check": "bedrock:ListFoundationModels", "allowed": allowed, "code": code, "message": "", "how": "called"}


def pod(name: str, owner: str, namespace: str, injected: bool, kind: str = "Deployment") -> Item:
    bare = [] if injected else ["main"]
    owned = f"{kind} {namespace}/{owner}"
    return {"name": name, "node": "ip-10-0-1-7", "injected": injected, "bare_containers": bare, "owner": owned}


def healthy() -> Item:
    named = [
        ("enbuild-enbuild-ai", "enbuild"),
        ("enbuild-enbuild-ctf", "enbuild"),
        ("orders", "shop"),
        ("feed", "shop"),
    ]
    return report({"workloads": [workload(*each) for each in named], "findings": []}, CLUSTER, "", TIME)


def broken() -> Item:
    """The guide followed to the letter, and what else goes wrong on an ordinary day."""
    mismatch = finding(
        "service_account_mismatch",
        "error",
        "ServiceAccount enbuild/enbuild-enbuild-ctf",
        "No association binds service account enbuild/enbuild-enbuild-ctf; there is one for enbuild/enbuild-ctf, "
        "which no pod runs under",
        "aws eks create-pod-identity-association --cluster-name production --namespace enbuild "
        f"--service-account enbuild-enbuild-ctf --role-arn arn:aws:iam::{ACCOUNT}:role/enbuild-ctf-s3",
    )
    denied = finding(
        "policy_denies_check",
        "error",
        f"Role arn:aws:iam::{ACCOUNT}:role/enbuild-ai-bedrock",
        "bedrock:ListFoundationModels is denied: the statement allows it on foundation-model/*, "
        "and that action takes no resource",
        'Allow it on "Resource": "*" in a statement of its own',
    )
    stale = finding(
        "stale_pods",
        "error",
        "Deployment shop/orders",
        "2 of 2 running pods lack the injection (orders-6d4cf56db6-0x2m8, orders-6d4cf56db6-1x2m8): "
        "they are older than the association",
        "kubectl rollout restart deployment/orders -n shop",
    )
    orphan = finding(
        "association_orphaned",
        "warning",
        "Association a-enbuildctf0000",
        "Service account enbuild/enbuild-ctf, which it binds, doesn't exist",
        "aws eks delete-pod-identity-association --cluster-name production --association-id a-enbuildctf0000",
    )
    note = finding(
        "irsa_annotation",
        "info",
        "ServiceAccount shop/feed",
        "The annotation eks.amazonaws.com/role-arn is left over from IRSA; it does no harm",
        "kubectl annotate serviceaccount feed -n shop eks.amazonaws.com/role-arn-",
    )
    workloads = [
        workload("enbuild-enbuild-ai", "enbuild", "issued", findings=[denied], stopped_by=denied["message"]),
        workload("enbuild-enbuild-ctf", "enbuild", "none", findings=[mismatch], stopped_by=mismatch["message"]),
        workload("orders", "shop", "declared", findings=[stale], stopped_by=stale["message"]),
        workload("feed", "shop", findings=[note]),
        workload("night", "shop", rungs=dict.fromkeys(RUNGS[1:], True), kind="StatefulSet"),
    ]
    return report({"workloads": workloads, "findings": [orphan]}, CLUSTER, "", TIME)


def large(count: int = 300) -> Item:
    """``count`` workloads in eleven namespaces, most of them well."""
    return report({"workloads": [_one_of_many(number) for number in range(count)], "findings": []}, CLUSTER, "", TIME)


def _one_of_many(number: int) -> Item:
    namespace = TEAMS[number % len(TEAMS)]
    name = f"{PARTS[number // len(TEAMS) % len(PARTS)]}-{number // (len(TEAMS) * len(PARTS)) + 1}"
    rung = {0: "declared", 7: "none", 11: "issued"}.get(number % 29, "allowed")
    found = workload(name, namespace, rung)
    if rung == "declared":
        target, remedy = f"Deployment {namespace}/{name}", f"kubectl rollout restart deployment/{name} -n {namespace}"
        found["findings"] = [finding("stale_pods", "error", target, "2 of 2 running pods lack the injection", remedy)]
    if rung == "none":
        target = f"ServiceAccount {namespace}/{name}"
        remedy = f"aws eks create-pod-identity-association --cluster-name production --namespace {namespace} …"
        found["findings"] = [finding("association_missing", "error", target, f"No association binds {target}", remedy)]
    return found


def hostile() -> Item:
    """Names that try to be markup, wherever a name may stand."""
    bad = finding(HOSTILE, "error", HOSTILE, HOSTILE, HOSTILE)
    association = {"association_id": HOSTILE, "role_arn": HOSTILE, "target_role_arn": HOSTILE, "owner_arn": HOSTILE}
    item = workload(
        HOSTILE,
        HOSTILE,
        "issued",
        findings=[bad],
        association=association,
        stopped_by=HOSTILE,
        role={"arn": HOSTILE, "exists": True, "trust_problem": HOSTILE, "policies": [HOSTILE]},
        allowed=[{**check(False), "check": HOSTILE, "code": HOSTILE, "message": HOSTILE}],
        issued={"how": HOSTILE, "assumed_role_arn": HOSTILE, "tool": HOSTILE},
        pods=[{**pod(HOSTILE, HOSTILE, HOSTILE, False), "node": HOSTILE, "bare_containers": [HOSTILE]}],
    )
    cluster = {**CLUSTER, "name": HOSTILE, "region": HOSTILE, "version": HOSTILE}
    return report({"workloads": [item], "findings": [bad]}, cluster, "", HOSTILE)
