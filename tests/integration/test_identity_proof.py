# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pod_identity_workload_info proves, how it knows, what it costs, and what it never tells."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings.remedies import recreate
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import Owner
from ansible_collections.enbuild.eks.tests.integration.module_call import look_at
from ansible_collections.enbuild.eks.tests.integration.shop import Shop, policy
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.tools.playbook_run import run_playbook
from kubernetes.client.rest import RESTClientObject

pytestmark = pytest.mark.lab

MOST_CALLS = 30
"""Of the API server, beyond one dry run for each service account."""
SECRETS = re.compile(
    r"ASIA[A-Z0-9]{8,}|eyJ[\w-]{8,}\.[\w-]{8,}|(?i:secret_?access_?key|session_?token)['\"]?[:=] ?['\"]?\w{16,}"
)


def test_a_playbook_proves_the_top_and_tells_no_secret_at_any_verbosity(shop: Shop, tmp_path: Path) -> None:
    shop.healthy()
    shop.settle()
    lab = shop.lab
    task = {
        "name": "Prove",
        "enbuild.eks.pod_identity_workload_info": {
            "cluster_name": lab.cluster_name,
            "region": lab.region,
            "debug_botocore_endpoint_logs": True,
            "workloads": [{"namespace": shop.namespace, **shop.asked}],
        },
        "register": "seen",
    }
    check = {"ansible.builtin.assert": {"that": "seen.workloads[0].rung == 'allowed' and not seen.findings"}}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task, check]}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (tmp_path / "playbook.json").write_text(json.dumps([play]))
    folders = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "ANSIBLE_LOG_PATH": str(tmp_path / "log")}
    keeping = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_DEBUG": "1", "ANSIBLE_HOME": str(tmp_path)}
    lab.forget_calls()
    run = run_playbook(
        ["-vvvvv", "-i", "localhost,", str(tmp_path / "playbook.json")], {**lab.environment(), **folders, **keeping}
    )
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap("changed") == 0
    keys = {each["access_key_id"] for each in lab.calls()["log"]} - {lab.access_key_id, ""}
    assert keys, "the check was made with nobody's credentials"
    written = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    for text in (run.output, *written):
        assert not SECRETS.findall(text)
        assert not [key for key in keys if key in text]


def reader(shop: Shop, name: str, *actions: str) -> dict[str, str]:
    """Keys of somebody who may do ``actions``, on everything."""
    iam, name = shop.lab.aws("iam"), f"{shop.role_name}-{name}"
    iam.create_user(UserName=name)
    reading = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=policy(reading))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


@pytest.fixture
def outsider(shop: Shop) -> dict[str, str]:
    """Keys of somebody who may read everything, and not ask EKS Auth."""
    return reader(shop, "reader", "eks:*", "iam:Get*", "iam:List*")


@pytest.mark.parametrize(
    ("tools", "tool", "identified"),
    [
        ("python", "python with boto3", True),
        ("curl,aws", "curl", True),
        ("curl", "curl", False),
        ("wget", "wget", False),
        ("busybox", "wget", False),
    ],
)
def test_the_pod_asks_by_itself_where_the_caller_may_not(
    tools: str, tool: str, identified: bool, shop: Shop, outsider: dict[str, str]
) -> None:
    shop.healthy(annotations={"lab.enbuild.eks/tools": tools})
    shop.settle()
    seen = look_at(shop.lab, keys=outsider, workloads=[{"namespace": shop.namespace, **shop.asked}])
    (workload,) = seen["workloads"]
    issued = workload["issued"]
    assert (workload["rung"], issued["how"], issued["tool"]) == ("issued", "exec", tool), workload
    assert (f":assumed-role/{shop.role_name}/" in issued["assumed_role_arn"]) is identified
    assert (workload["findings"], workload["rungs"]["allowed"]) == ([], None)
    assert "stayed in the pod" in workload["stopped_by"]
    assert not SECRETS.findall(json.dumps(seen))


FLOOD = "print('proof.tool=' + ' ' * 5_000_000 + 'curl')\nprint('proof.came=yes')\n" * 10


def test_the_next_best_evidence_is_called_so(shop: Shop, outsider: dict[str, str]) -> None:
    """Whose Python answers with megabytes isn't believed, and isn't read to its end."""
    shop.kubectl("create", "configmap", "flood", f"--from-literal=sitecustomize.py={FLOOD}")
    shop.healthy(
        spec={"volumes": [{"name": "flood", "configMap": {"name": "flood"}}]},
        container={
            "volumeMounts": [{"name": "flood", "mountPath": "/flood"}],
            "env": [{"name": "PYTHONPATH", "value": "/flood"}],
        },
        annotations={"lab.enbuild.eks/tools": "python"},
    )
    shop.settle()
    seen = look_at(shop.lab, keys=outsider, workloads=[{"namespace": shop.namespace, **shop.asked}])
    assert_only_likely(seen["workloads"][0], "more than 65,536 bytes")


def assert_only_likely(workload: dict[str, t.Any], words: str) -> None:
    assert (workload["rung"], workload["rungs"]["issued"], workload["issued"]["how"]) == ("injected", None, "agent")
    assert "Likely, but not proven" in workload["stopped_by"]
    assert words in workload["stopped_by"]
    assert workload["findings"] == []


RESTRICTED = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
LIMITS = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SHELL = "registry.example.com/busybox:1.37"


def added(shop: Shop) -> list[str]:
    """The images of the ephemeral containers in all of its pods."""
    return [each["image"] for pod in shop.pods() for each in pod["spec"].get("ephemeralContainers", [])]


def test_an_image_without_a_shell_is_asked_by_an_ephemeral_container(shop: Shop, outsider: dict[str, str]) -> None:
    """If that is wanted and allowed, once for each pod, in a namespace that takes restricted pods alone."""
    shop.kubectl("label", "namespace", shop.namespace, "pod-security.kubernetes.io/enforce=restricted")
    nothing = {"lab.enbuild.eks/tools": "none"}
    shop.healthy(spec={"securityContext": RESTRICTED}, container={"securityContext": LIMITS}, annotations=nothing)
    shop.settle()
    workloads = [{"namespace": shop.namespace, **shop.asked}]
    unasked = look_at(shop.lab, keys=outsider, workloads=workloads)
    assert_only_likely(unasked["workloads"][0], "neither Python, curl, wget nor busybox")
    wanted: dict[str, t.Any] = {"workloads": workloads, "ask_pods": True, "ephemeral_container_image": SHELL}
    refused = limited(shop, [right for right in MAY.values() if "aws" not in right])
    unknown: dict[str, dict[str, t.Any]] = {
        "In check mode, no ephemeral container": {"check_mode": True},
        'cannot patch resource "pods/ephemeralcontainers"': refused,
    }
    for words, options in unknown.items():
        seen = look_at(shop.lab, **wanted, **options)
        (workload,) = seen["workloads"]
        assert (workload["rung"], workload["findings"], seen["changed"]) == ("allowed", [], False)
        assert workload["pod_asked"]["agrees"] is None
        assert words in workload["pod_asked"]["message"]
    assert added(shop) == []
    first = look_at(shop.lab, keys=outsider, **wanted)
    again = look_at(shop.lab, **wanted)
    assert (first["changed"], again["changed"], added(shop)) == (True, False, [SHELL])
    issued, asked = (seen["workloads"][0][key] for seen, key in ((first, "issued"), (again, "pod_asked")))
    assert issued == {key: value for key, value in asked.items() if key != "agrees"}
    assert (asked["agrees"], asked["how"]) == (True, "ephemeral_container")
    assert asked["tool"] == "wget in an ephemeral container"
    assert not SECRETS.findall(json.dumps([first, again, shop.pods()]))


def test_an_ephemeral_container_that_does_not_start_leaves_it_unknown(shop: Shop) -> None:
    shop.prepare()
    item = manifest("Pod")
    item["metadata"]["annotations"] = {"lab.enbuild.eks/tools": "none"}
    shop.kubectl("apply", "-f", "-", given=json.dumps(item))
    shop.kubectl("wait", "pod", "--all", "--for=condition=Ready", "--timeout=60s")
    asked = [{"namespace": shop.namespace, "pod": "a-pod"}]
    for image, words, changed in (("none-such", "ImagePullBackOff", True), (SHELL, "with image none-such", False)):
        seen = look_at(shop.lab, workloads=asked, ask_pods=True, ephemeral_container_image=image)
        (workload,) = seen["workloads"]
        assert (workload["rung"], workload["pod_asked"]["agrees"], seen["changed"]) == ("issued", None, changed)
        assert words in workload["pod_asked"]["message"]
    assert added(shop) == ["none-such"]
    remedy = recreate(Owner("Pod", shop.namespace, "a-pod"))
    subprocess.run(["bash", "-ec", remedy], env=shop.lab.environment(), capture_output=True, check=True)
    assert [pod["metadata"]["name"] for pod in shop.pods()] == ["a-pod"]
    assert added(shop) == []


MAY: dict[str, dict[str, t.Any]] = {
    "list": {"apiGroups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["list"]},
    "dry-run": {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
    "token": {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
    "exec": {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    "iam": {"aws": ["iam:Get*", "iam:List*"]},
    "eks-auth": {"aws": ["eks-auth:*"]},
}
"""What a caller may do, each for itself, beside reading EKS."""


WITHHELD = {
    "": ("allowed", "eks_auth", ""),
    "exec": ("allowed", "eks_auth", ""),
    "iam": ("allowed", "eks_auth", ""),
    "dry-run": ("allowed", "eks_auth", ""),
    "token": ("issued", "exec", "the credentials stayed in the pod"),
    "eks-auth": ("issued", "exec", "the credentials stayed in the pod"),
    "token, exec": ("injected", "agent", 'cannot create resource "serviceaccounts/token"'),
    "eks-auth, exec": ("injected", "agent", "not authorized to perform: eks-auth:AssumeRoleForPodIdentity"),
    "iam, token, exec": ("injected", "", 'cannot create resource "serviceaccounts/token"'),
    "iam, eks-auth, exec": ("injected", "", "not authorized to perform: eks-auth:AssumeRoleForPodIdentity"),
}
"""How far a caller gets without them, by which evidence, and why no further."""
AGREES = {"": (True, "python with boto3"), "exec": (None, "")}
"""What the pod says in addition, where the caller asks it and may exec, and where it may not."""


def test_a_caller_who_may_not_do_everything_is_told_how_far_it_got_and_why_no_further(shop: Shop) -> None:
    shop.healthy(annotations={"lab.enbuild.eks/tools": "python"})
    shop.settle()
    asked = [{"namespace": shop.namespace, **shop.asked}]
    for number, (withheld, (rung, how, words)) in enumerate(WITHHELD.items()):
        given = [right for name, right in MAY.items() if name not in withheld.split(", ")]
        access = limited(shop, [right for right in given if "aws" not in right])
        keys = reader(shop, f"{number}", "eks:*", *(action for right in given for action in right.get("aws", ())))
        asking = withheld in AGREES
        seen = look_at(shop.lab, keys=keys, workloads=asked, ask_pods=asking, **access)
        (workload,) = seen["workloads"]
        if asking:
            assert (workload["pod_asked"]["agrees"], workload["pod_asked"]["tool"]) == AGREES[withheld], workload
        assert (workload["rung"], workload["issued"]["how"]) == (rung, how), (withheld, workload)
        assert words in workload["stopped_by"], withheld
        assert (seen["findings"], workload["findings"]) == ([], []), withheld


def limited(shop: Shop, rules: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Kubernetes options of somebody who may do what ``rules`` say, in the whole cluster."""
    api, named = "rbac.authorization.k8s.io", {"metadata": {"name": "limited"}}
    subject = {"kind": "ServiceAccount", "namespace": shop.namespace, "name": "limited"}
    role = {"apiGroup": api, "kind": "ClusterRole", "name": "limited"}
    items = [
        {"apiVersion": "v1", "kind": "ServiceAccount", **named},
        {"apiVersion": f"{api}/v1", "kind": "ClusterRole", **named, "rules": rules},
        {"apiVersion": f"{api}/v1", "kind": "ClusterRoleBinding", **named, "roleRef": role, "subjects": [subject]},
    ]
    shop.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    reached = {"host": shop.lab.kubernetes.host, "ca_cert": str(shop.lab.kubernetes.ca_file)}
    _await_rules(shop, rules)
    token = shop.kubectl("create", "token", "limited").strip()
    return {**reached, "api_key": token, "kubeconfig": None, "context": None}


def _await_rules(shop: Shop, rules: list[dict[str, t.Any]]) -> None:
    """Wait until the API server judges by them: it learns of roles a moment after they are written."""
    for rule in MAY.values():
        if "aws" in rule:
            continue
        resource, _slash, subresource = rule["resources"][0].partition("/")
        asked = {"group": rule["apiGroups"][0], "resource": resource, "subresource": subresource}
        asked |= {"verb": rule["verbs"][-1], "namespace": shop.namespace}
        spec = {"user": f"system:serviceaccount:{shop.namespace}:limited", "resourceAttributes": asked}
        wanted = rule in rules
        holds = functools.partial(_holds, shop, spec, wanted)
        assert eventually(holds), f"{rule} should be {wanted}, and isn't"


def _holds(shop: Shop, spec: dict[str, t.Any], wanted: bool) -> bool:
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(shop.lab.kubernetes_call(path, "POST", {"spec": spec})["status"]["allowed"]) == wanted


def test_a_pod_that_acts_as_somebody_else_is_told(shop: Shop, outsider: dict[str, str]) -> None:
    keys = "\n".join(f"{name}={value}" for name, value in outsider.items())
    shop.kubectl("create", "configmap", "aws", f"--from-literal=config=[default]\n{keys}\n")
    shop.healthy(
        spec={"volumes": [{"name": "aws", "configMap": {"name": "aws"}}]},
        container={
            "volumeMounts": [{"name": "aws", "mountPath": "/etc/aws"}],
            "env": [{"name": "AWS_CONFIG_FILE", "value": "/etc/aws/config"}],
        },
        annotations={"lab.enbuild.eks/tools": "python"},
    )
    shop.settle()
    seen = look_at(shop.lab, keys=outsider, workloads=[{"namespace": shop.namespace, **shop.asked}])
    (workload,) = seen["workloads"]
    assert [each["code"] for each in workload["findings"]] == ["static_keys"], workload


def test_writing_is_left_out_in_check_mode(shop: Shop) -> None:
    s3 = shop.lab.aws("s3")
    s3.create_bucket(Bucket=shop.role_name)
    shop.role(statement={"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    shop.account()
    shop.associate()
    shop.deploy()
    shop.settle()
    shop.asked["allowed"] = [{"bucket": shop.role_name, "write": True}, {"bucket": shop.role_name}]
    asked = [{"namespace": shop.namespace, **shop.asked}]
    for check_mode, verdicts, written in ((True, [None, True], 0), (False, [True, True], 1)):
        shop.lab.forget_calls()
        (workload,) = look_at(shop.lab, check_mode=check_mode, workloads=asked)["workloads"]
        assert [each["allowed"] for each in workload["allowed"]] == verdicts
        calls = shop.lab.calls()["calls"]["s3"]
        assert (calls.get("PutObject", 0), calls.get("DeleteObject", 0)) == (written, written)
    assert s3.list_objects_v2(Bucket=shop.role_name)["KeyCount"] == 0


KINDS = {
    "StatefulSet": {"apiVersion": "apps/v1", "serviceName": "none"},
    "DaemonSet": {"apiVersion": "apps/v1"},
    "Job": {"apiVersion": "batch/v1"},
    "Pod": {"apiVersion": "v1"},
}


def manifest(kind: str) -> dict[str, t.Any]:
    """One workload of each kind, all under the service account ``orders``."""
    more = dict(KINDS[kind])
    container = {"name": "main", "image": "registry.example.com/orders"}
    spec: t.Any = {"serviceAccountName": "orders", "terminationGracePeriodSeconds": 0, "containers": [container]}
    if kind == "Job":
        spec["restartPolicy"] = "Never"
    labels = {"app": kind.lower()}
    if kind != "Pod":
        spec = {"template": {"metadata": {"labels": labels}, "spec": spec}}
        spec |= {} if kind == "Job" else {"selector": {"matchLabels": labels}}
        spec |= {"serviceName": more.pop("serviceName")} if "serviceName" in more else {}
    return {**more, "kind": kind, "metadata": {"name": f"a-{kind.lower()}"}, "spec": spec}


def test_every_kind_by_name_and_by_namespace(shop: Shop) -> None:
    shop.healthy()
    for kind in KINDS:
        shop.kubectl("apply", "-f", "-", given=json.dumps(manifest(kind)))
    shop.kubectl("wait", "pod", "--all", "--for=jsonpath={.status.startTime}", "--timeout=60s")
    shop.kubectl("rollout", "status", "statefulset/a-statefulset", "--timeout=60s")
    shop.kubectl("rollout", "status", "daemonset/a-daemonset", "--timeout=60s")
    named = [{"namespace": shop.namespace, kind.lower(): f"a-{kind.lower()}"} for kind in KINDS]
    seen = look_at(shop.lab, workloads=named)
    assert {each["kind"]: each["rung"] for each in seen["workloads"]} == {
        "StatefulSet": "issued",
        "DaemonSet": "issued",
        "Job": "injected",
        "Pod": "issued",
    }
    shop.kubectl("wait", "job", "--all", "--for=condition=Complete", "--timeout=60s")
    found = look_at(shop.lab, namespaces=[shop.namespace], proofs=1)
    rungs = {f"{each['kind']} {each['object']}": each["rung"] for each in found["workloads"]}
    assert sorted(rungs.values()) == ["injected", "injected", "injected", "issued"], rungs
    assert "Job a-job" not in rungs, "a Job that is through asks for nothing any more"
    assert [each["findings"] for each in (*seen["workloads"], *found["workloads"])] == [[]] * 8


def test_a_healthy_cluster_has_no_findings(shop: Shop) -> None:
    """What has no association needs none: the agent, and whatever else runs under default."""
    shop.healthy()
    shop.settle()
    shop.kubectl("create", "deployment", "bystander", "--image=registry.example.com/bystander")
    shop.kubectl("rollout", "status", "deployment/bystander", "--timeout=60s")
    seen = look_at(shop.lab, namespaces=["*"], checks="s3:ListBuckets")
    ours = {each["object"]: each for each in seen["workloads"] if each["namespace"] == shop.namespace}
    assert (ours["orders"]["rung"], ours["bystander"]["rung"]) == ("allowed", "none")
    assert ours["bystander"]["restart"] == []
    assert seen["findings"] == []
    assert [each["findings"] for each in ours.values()] == [[], []]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request to the API server, as "POST path?query"."""
    made: list[str] = []
    send = RESTClientObject.request

    def counted(self: t.Any, method: str, url: str, *args: t.Any, **options: t.Any) -> t.Any:
        made.append(f"{method} {url} {options.get('query_params') or ''}")
        return send(self, method, url, *args, **options)

    monkeypatch.setattr(RESTClientObject, "request", counted)
    return made


def test_calls_do_not_grow_with_pods_and_workloads(shop: Shop, requests: list[str]) -> None:
    """Beyond a token for each proof that is asked for; dry runs only where what is tried first isn't injected."""
    shop.role()
    accounts = [f"orders-{number}" for number in range(12)]
    for name in accounts:
        shop.account(name)
        shop.associate(name)
    documents = [
        {
            **manifest("Pod"),
            "metadata": {"name": f"{name}-{number}"},
            "spec": {**manifest("Pod")["spec"], "serviceAccountName": name},
        }
        for name in accounts
        for number in range(3)
    ]
    shop.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    shop.kubectl("wait", "pod", "--all", "--for=condition=Ready", "--timeout=60s")
    requests.clear()
    seen = look_at(shop.lab, namespaces=["*"])
    assert len([each for each in seen["workloads"] if each["namespace"] == shop.namespace]) == 36
    assert len(_dry_runs(requests)) == 1
    assert len(requests) - 1 <= MOST_CALLS, "\n".join(requests)
    assert len([each for each in requests if "/token" in each]) == 10
    with shop.lab.webhook_harmed("deleted"):
        requests.clear()
        harmed = look_at(shop.lab, namespaces=[shop.namespace])["workloads"]
    assert len(_dry_runs(requests)) == len(accounts)
    assert {finding["code"] for each in harmed for finding in each["findings"]} == {"webhook_missing"}


def _dry_runs(requests: list[str]) -> list[str]:
    return [each for each in requests if "dryRun" in each]
